/**
 * Which of the accounts of a profile is meant, and how long its session still lives. Pure: the accounts come in, nothing is read here. An account is named
 * by e-mail, user name or the beginning of its key; a name that fits two is refused, never guessed.
 */
import { CliError, exitCodes } from './failure.ts';
import { accountKey, type Account } from './profile.ts';
import { didYouMean, span, visible } from './text.ts';

const keyStart = /^[0-9a-f]{8,64}$/;

/** How many characters of a key are shown; enough to tell accounts apart, and taken as a name. */
export const shownKeyLength = 12;

/** The account of that e-mail, user name or key. Throws exit code 3 when there is none and 2 when the name fits several. */
export function chooseAccount(accounts: readonly Account[], name: string): Account {
  const found = keyStart.test(name)
    ? accounts.filter((account) => accountKey(account).startsWith(name))
    : accounts.filter((account) => namesOf(account).some((known) => known.toLowerCase() === name.toLowerCase()));
  const [account, another] = found;
  if (account === undefined) throw unknownAccount(accounts, name);
  if (another !== undefined)
    throw new CliError(
      exitCodes.usage,
      `${found.length} accounts are called '${visible(name)}'`,
      `name it by its key: ${found.map((one) => accountKey(one).slice(0, shownKeyLength)).join(' or ')} (clustral accounts list -o wide)`,
    );
  return account;
}

const namesOf = ({ displayName, username }: Account): readonly string[] =>
  username === undefined ? [displayName] : [displayName, username];

function unknownAccount(accounts: readonly Account[], name: string): CliError {
  const meant = didYouMean(name, accounts.flatMap(namesOf));
  return new CliError(
    exitCodes.notFound,
    `there is no account '${visible(name.slice(0, 100))}' in this profile`,
    meant === undefined ? 'clustral accounts list' : `did you mean '${visible(meant)}'?`,
  );
}

/** How long an account's session lives. */
export type Life = {
  readonly isOver: boolean;
  /** `3h42m remaining`, `renews itself` or `expired`. */
  readonly text: string;
  /** When the session ends, ISO 8601; undefined when the provider does not say. */
  readonly endsAt: string | undefined;
};

/** What is known of the session's life here; only the identity provider knows whether it was ended before its time. */
export function lifeOf(account: Account, now: Date): Life {
  const endsAt = account.refreshToken === undefined ? account.accessTokenExpiresAt : account.sessionEndsAt;
  if (endsAt === undefined) return { isOver: false, text: 'renews itself', endsAt };
  const left = Date.parse(endsAt) - now.getTime();
  return left > 0
    ? { isOver: false, text: `${span(left)} remaining`, endsAt }
    : { isOver: true, text: 'expired', endsAt };
}
