/**
 * `clustral __complete -- <words>`, hidden: what the shell's completion asks at each press of the key. It answers from files within 150 ms, asks no server,
 * says nothing on stderr and never fails: without an answer there is none. With `--refresh` it is the background process that fetches names.
 */
import { answerLines, filesLine, joinedWords } from '../completion/answer.ts';
import { expectedAt } from '../completion/expected.ts';
import { readFlags } from '../completion/flags-cache.ts';
import { namesOf } from '../completion/names.ts';
import { noNames, readNames } from '../completion/names-cache.ts';
import { refresh, refreshFlag, refreshInBackground, type Whose } from '../completion/refresh.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../failure.ts';
import { accountKey, accountsOf, currentAccount, openProfile } from '../profile.ts';

const limitMs = 150;

/** Answers the words after `__complete`. */
export async function complete(args: readonly string[], context: CliContext): Promise<number> {
  try {
    if (args[0] === refreshFlag) await refresh(context, whoseOf(args, context));
    else {
      // Counted from the start of the process; what is late is of no use.
      setTimeout(() => process.exit(exitCodes.ok), Math.max(1, limitMs - performance.now())).unref();
      context.stdout.write(await answer(args, context));
    }
  } catch {
    // Damaged files, a home that cannot be read: the person is in the middle of typing, this is no time for errors.
  }
  return exitCodes.ok;
}

async function answer(args: readonly string[], context: CliContext): Promise<string> {
  const given = args.slice(args.indexOf('--') + 1);
  const { words, cut } = args[0] === '--bash' ? joinedWords(given) : { words: given, cut: 0 };
  const [before, typed] = [words.slice(0, -1), words.at(-1) ?? ''];
  const now = context.now();
  const whose = whoseOf(before, context);
  refreshInBackground(context, whose);
  const expected = expectedAt(words, readFlags(context.home, now).flags);
  if (expected.kind === 'words') return answerLines(expected.words, { typed, prefix: '', cut });
  if (expected.of === 'file') return filesLine;
  const { profile, account } = whose;
  const names = account === undefined ? noNames : readNames({ profile, account, now }).names;
  const { home, env } = context;
  const candidates = await namesOf(expected.of, { home, env, profile, account, names, before });
  return answerLines(candidates, { typed, prefix: expected.prefix, cut });
}

/** Profile and account that the line is for. */
function whoseOf(words: readonly string[], { home, env }: CliContext): Whose {
  const valueOf = (flag: string): string | undefined => {
    const index = words.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
    return index < 0 ? undefined : (words[index]?.split('=', 2)[1] ?? words[index + 1]);
  };
  const profile = openProfile(home, { flag: valueOf('--profile'), variable: env['CLUSTRAL_PROFILE'] });
  const wanted = valueOf('--account');
  if (wanted === undefined) return { profile, account: currentAccount(profile) };
  const isWanted = [wanted, wanted.toLowerCase()];
  const account = accountsOf(profile).find((one) =>
    [accountKey(one), one.displayName, one.username].some((name) => name !== undefined && isWanted.includes(name)),
  );
  return { profile, account };
}
