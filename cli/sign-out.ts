/**
 * Signing accounts out: forgotten here first, whatever else fails, then their kubeconfig contexts, then the server and the identity provider are told as
 * far as they can be reached. What was done is said, and what could not be done is warned of.
 */
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { openSession, type Session, type SessionOptions } from './client.ts';
import type { CachedCredential } from './credential-cache.ts';
import { cachedCredentials } from './credentials.ts';
import { CliError } from './failure.ts';
import { endSession } from './identity-provider.ts';
import { removeContexts } from './kubeconfig.ts';
import { accountKey, forgetAccount, saveProfile, type Account, type Profile } from './profile.ts';
import { visible } from './text.ts';
import { whileNobodyRenews } from './token-keeper.ts';

export type SignOutOptions = {
  readonly profile: Profile;
  readonly accounts: readonly Account[];
  /** Files whose contexts of these accounts go. */
  readonly kubeconfigs: readonly string[];
  readonly call: Pick<SessionOptions, 'timeoutMs' | 'now' | 'trace'>;
  readonly say: (line: string) => void;
  readonly warn: (line: string) => void;
};

type Leaving = {
  readonly account: Account;
  readonly issued: readonly CachedCredential[];
  /** Undefined when the profile is for another server by now, or damaged: where to tell it is no longer known. */
  readonly session: Session | undefined;
};

/** Signs the accounts of one profile out. Returns false when their contexts are still in a kubeconfig. */
export async function signOut(options: SignOutOptions): Promise<boolean> {
  const leaving = options.accounts.map((account) => leavingOf(options, account));
  for (const { account } of leaving) await forget(options, account);
  const isClean = await cleanContexts(options, leaving);
  await Promise.all(leaving.map((one) => tell(options, one)));
  return isClean;
}

function leavingOf({ profile, call }: SignOutOptions, account: Account): Leaving {
  const { config } = profile;
  const session =
    config?.server === account.server ? openSession({ profile, config, account, isKept: false, ...call }) : undefined;
  return { account, issued: cachedCredentials(profile, account), session };
}

async function forget({ profile, say }: SignOutOptions, account: Account): Promise<void> {
  await whileNobodyRenews(profile, account, async () => forgetAccount(profile, account));
  if (profile.config?.account === accountKey(account)) {
    const { account: _gone, ...config } = profile.config;
    await saveProfile(profile, config);
  }
  say(`Signed ${visible(account.displayName)} out of ${visible(account.server)}.`);
}

/** A kubeconfig that cannot be read or written keeps nobody signed in. */
async function cleanContexts(
  { kubeconfigs, say, warn }: SignOutOptions,
  leaving: readonly Leaving[],
): Promise<boolean> {
  const tokens = new Set(leaving.flatMap(({ issued }) => issued.map(({ token }) => token)));
  const keys = new Set(leaving.map(({ account }) => accountKey(account)));
  try {
    const removed = await removeContexts(
      kubeconfigs,
      ({ account, token }) =>
        (account !== undefined && keys.has(account)) || (token !== undefined && tokens.has(token)),
    );
    if (removed.length > 0) say(`Removed contexts: ${removed.map(visible).join(', ')}.`);
    return true;
  } catch (cause) {
    if (!(cause instanceof CliError)) throw cause;
    warn(`the contexts are still there: ${cause.message}.`);
    return false;
  }
}

async function tell(options: SignOutOptions, { account, issued, session }: Leaving): Promise<void> {
  const { profile, call, warn } = options;
  if (session === undefined || profile.config === undefined) {
    warn(`${visible(account.server)} was not told: this profile no longer knows how to reach it.`);
    return;
  }
  await revoke(options, session, issued);
  const { timeoutMs } = call;
  if (!(await endSession(session.account(), { ...profile.config, timeoutMs })))
    warn('the identity provider was not told: its session lives on until it expires.');
}

async function revoke(
  { call, say, warn }: SignOutOptions,
  session: Session,
  issued: readonly CachedCredential[],
): Promise<void> {
  const live = issued.filter(({ expiresAt }) => Date.parse(expiresAt) > call.now().getTime());
  if (live.length === 0) return;
  const client = session.client(CredentialService);
  const answers = await Promise.allSettled(live.map(({ credentialId: id }) => client.revokeCredential({ id })));
  const failed = answers.filter(({ status }) => status === 'rejected').length;
  if (failed === 0) say(`Revoked credentials: ${live.length}.`);
  else warn(`the server did not revoke ${failed} of ${live.length} credentials: they live until they expire.`);
}
