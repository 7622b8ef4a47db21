/** The offer to sign in again when a session has ended in the middle of work, for a person at a terminal and nobody else. */
import type { CliContext } from './context.ts';
import type { SessionOptions } from './client.ts';
import type { Account, Profile, ProfileConfig } from './profile.ts';
import { confirm } from './question.ts';
import { visible } from './text.ts';

export type EndedSession = {
  readonly context: CliContext;
  readonly profile: Profile;
  readonly config: ProfileConfig;
  readonly account: Account;
  readonly call: Pick<SessionOptions, 'timeoutMs' | 'now' | 'trace'>;
};

/** The account of the new session, or undefined when the person does not want one. Throws what a failed sign-in throws. */
export async function signInAgain({ context, account, ...ended }: EndedSession): Promise<Account | undefined> {
  if (!(await confirm(context, 'Session expired. Login again?', { fallback: true }))) return undefined;
  // Loaded after the answer: nobody should wait for it to be asked.
  const { lacksBrowser, startSession } = await import('./new-session.ts');
  const isAlone = lacksBrowser(context.env);
  const started = await startSession({
    ...ended,
    context,
    device: isAlone,
    openBrowser: !isAlone,
    askAnew: false,
    expected: account.displayName,
  });
  context.stderr.write(`Signed in to ${ended.config.server} as ${visible(started.account.displayName)}.\n`);
  return started.account;
}
