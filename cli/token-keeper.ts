/**
 * Keeps the tokens of one account fresh. A refresh token may be good once only, so one process at a time renews: under the account's lock, and only
 * after looking whether another has done it meanwhile. An account that was signed out in between stays signed out.
 */
import { CliError, exitCodes } from './failure.ts';
import { withLock } from './lock.ts';
import { accountFile, accountKey, readAccount, saveAccount, type Account, type Profile } from './profile.ts';
import { visible } from './text.ts';

export type TokenKeeper = {
  /** The account as last known. */
  account(): Account;
  /** An access token with some life left. Throws exit code 4 when the session has ended. */
  freshToken(): Promise<string>;
  /** Another token than the refused one; undefined when there is no way to get one. */
  tokenInsteadOf(refused: string): Promise<string | undefined>;
};

export type TokenKeeperOptions = {
  readonly profile: Profile;
  readonly account: Account;
  readonly now: () => Date;
  /** Asks the identity provider for new tokens; undefined when the session has ended there. */
  readonly refresh: (account: Account) => Promise<Account | undefined>;
  /** False when the account is not, or no longer, kept on disk. */
  readonly isKept: boolean;
};

const refreshAheadMs = 30_000;
const lockLimitMs = 20_000;

/** A keeper for the account; asks nobody before it must. */
export function keepTokens(options: TokenKeeperOptions): TokenKeeper {
  const key = accountKey(options.account);
  let { account } = options;
  let renewing: Promise<void> | undefined;

  const isFresh = (one: Account): boolean =>
    Date.parse(one.accessTokenExpiresAt) - options.now().getTime() > refreshAheadMs;
  const renewUnless = async (isGood: (one: Account) => boolean): Promise<void> => {
    if (options.isKept) {
      const stored = readAccount(options.profile, key);
      if (stored === undefined)
        throw new CliError(
          exitCodes.signInNeeded,
          `${visible(account.displayName)} was signed out meanwhile`,
          `clustral login ${account.server}`,
        );
      account = stored;
      if (isGood(account)) return;
    }
    const renewed = await options.refresh(account);
    // A refresh token that is good for nothing is forgotten: kubectl may ask five times in a row, and none should wait for the provider.
    account = renewed ?? withoutRefreshToken(account);
    if (options.isKept) await saveAccount(options.profile, account);
    if (renewed === undefined) throw sessionEnded(account);
  };
  const locked = (isGood: (one: Account) => boolean): Promise<void> => {
    if (!options.isKept) return renewUnless(isGood);
    const busy = 'another clustral has been renewing this session for 20 s';
    const lock = `${accountFile(options.profile, key)}.lock`;
    return withLock(lock, { limitMs: lockLimitMs, busy }, () => renewUnless(isGood));
  };
  const renew = (isGood: (one: Account) => boolean): Promise<void> => {
    renewing ??= locked(isGood).finally(() => {
      renewing = undefined;
    });
    return renewing;
  };

  return {
    account: () => account,
    async freshToken() {
      if (!isFresh(account) && account.refreshToken !== undefined) await renew(isFresh);
      if (Date.parse(account.accessTokenExpiresAt) <= options.now().getTime()) throw sessionEnded(account);
      return account.accessToken;
    },
    async tokenInsteadOf(refused) {
      if (account.refreshToken === undefined) return undefined;
      if (account.accessToken === refused) await renew((one) => one.accessToken !== refused);
      return account.accessToken === refused ? undefined : account.accessToken;
    },
  };
}

/**
 * Does something to the account's files while nobody renews its tokens, so that a renewal under way neither overwrites a new sign-in nor undoes a
 * sign-out. Waits at most 5 s for that: after them it is done all the same.
 */
export async function whileNobodyRenews(profile: Profile, account: Account, work: () => Promise<void>): Promise<void> {
  let isDone = false;
  const once = async (): Promise<void> => {
    isDone = true;
    await work();
  };
  const lock = `${accountFile(profile, accountKey(account))}.lock`;
  try {
    await withLock(lock, { limitMs: 5_000, busy: 'another clustral renews this session' }, once);
  } catch (cause) {
    if (isDone) throw cause;
    await once();
  }
}

function withoutRefreshToken({ refreshToken: _useless, ...rest }: Account): Account {
  return rest;
}

const sessionEnded = ({ displayName, server }: Account): CliError =>
  new CliError(
    exitCodes.signInNeeded,
    `the session of ${visible(displayName)} on ${server} has ended`,
    `clustral login ${server}`,
  );
