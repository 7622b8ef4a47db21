import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountKey, forgetAccount, readAccount, saveAccount, type Account, type Profile } from './profile.ts';
import { keepTokens, whileNobodyRenews } from './token-keeper.ts';

const noon = new Date('2026-04-01T12:00:00Z');
const inSeconds = (seconds: number): string => new Date(noon.getTime() + seconds * 1000).toISOString();
const account = (given: Partial<Account> = {}): Account => ({
  server: 'https://a.example',
  issuer: 'https://idp.example',
  subject: 's',
  displayName: 'dev@example.com',
  name: 'Dev',
  accessToken: 'access-0',
  refreshToken: 'refresh-0',
  accessTokenExpiresAt: inSeconds(10),
  signedInAt: inSeconds(-600),
  ...given,
});

const key = accountKey(account());
let profile: Profile;
beforeEach(() => {
  profile = { name: 'default', folder: mkdtempSync(join(tmpdir(), 'clustral-tokens-')), config: undefined };
});
afterEach(() => rmSync(profile.folder, { recursive: true, force: true }));

/** A provider whose refresh tokens are good once, as RFC 9700 wants it for public clients. */
function rotatingProvider() {
  let generation = 0;
  const seen: string[] = [];
  const refresh = async (old: Account): Promise<Account> => {
    seen.push(old.refreshToken ?? '');
    await new Promise((resolve) => setImmediate(resolve));
    if (old.refreshToken !== `refresh-${generation}`) throw new Error('this refresh token was used before');
    generation += 1;
    return {
      ...old,
      accessToken: `access-${generation}`,
      refreshToken: `refresh-${generation}`,
      accessTokenExpiresAt: inSeconds(300),
    };
  };
  return { refresh, seen };
}

describe('the tokens of an account', () => {
  it('are renewed once, however many processes and calls need them', async () => {
    await saveAccount(profile, account());
    const { refresh, seen } = rotatingProvider();
    const keepers = Array.from({ length: 5 }, () =>
      keepTokens({ profile, account: account(), now: () => noon, refresh, isKept: true }),
    );
    const tokens = await Promise.all(keepers.flatMap((keeper) => [keeper.freshToken(), keeper.freshToken()]));
    expect(new Set(tokens)).toEqual(new Set(['access-1']));
    expect(seen).toEqual(['refresh-0']);
    expect(readAccount(profile, key)).toMatchObject({
      accessToken: 'access-1',
      refreshToken: 'refresh-1',
    });
  });

  it('are left alone while they are good for more than half a minute', async () => {
    const fresh = account({ accessTokenExpiresAt: inSeconds(31) });
    const { refresh, seen } = rotatingProvider();
    expect(await keepTokens({ profile, account: fresh, now: () => noon, refresh, isKept: true }).freshToken()).toBe(
      'access-0',
    );
    expect(seen).toEqual([]);
  });

  it('that the server refused are replaced by what another process has by now', async () => {
    const known = account({ accessTokenExpiresAt: inSeconds(300) });
    await saveAccount(profile, { ...known, accessToken: 'access-of-another' });
    const { refresh, seen } = rotatingProvider();
    const keeper = keepTokens({ profile, account: known, now: () => noon, refresh, isKept: true });
    expect(await keeper.tokenInsteadOf('access-0')).toBe('access-of-another');
    expect(seen).toEqual([]);
    expect(await keeper.tokenInsteadOf('access-of-another')).toBe('access-1');
  });

  it('that cannot be renewed any more are not asked for again', async () => {
    await saveAccount(profile, account({ accessTokenExpiresAt: inSeconds(-1) }));
    let asked = 0;
    const refresh = async (): Promise<undefined> => void (asked += 1);
    const open = () =>
      keepTokens({ profile, account: readAccount(profile, key) ?? account(), now: () => noon, refresh, isKept: true });
    for (let run = 0; run < 3; run += 1)
      await expect(open().freshToken()).rejects.toMatchObject({
        exitCode: 4,
        message: expect.stringContaining('has ended'),
      });
    expect(asked).toBe(1);
    expect(readAccount(profile, key)).not.toHaveProperty('refreshToken');
  });

  it('cannot be renewed without a refresh token', async () => {
    const { refreshToken: _none, ...known } = account();
    const { refresh } = rotatingProvider();
    const keeper = keepTokens({ profile, account: known, now: () => noon, refresh, isKept: true });
    expect(await keeper.freshToken()).toBe('access-0');
    expect(await keeper.tokenInsteadOf('access-0')).toBeUndefined();
  });

  it('do not come back after somebody signed out', async () => {
    await saveAccount(profile, account());
    const { refresh, seen } = rotatingProvider();
    const keeper = keepTokens({ profile, account: account(), now: () => noon, refresh, isKept: true });
    forgetAccount(profile, account());
    await expect(keeper.freshToken()).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringContaining('signed out'),
    });
    expect(seen).toEqual([]);
    expect(readAccount(profile, key)).toBeUndefined();
  });

  it('of an account that is not kept are renewed and not written', async () => {
    const { refresh } = rotatingProvider();
    const keeper = keepTokens({ profile, account: account(), now: () => noon, refresh, isKept: false });
    expect(await keeper.freshToken()).toBe('access-1');
    expect(keeper.account().refreshToken).toBe('refresh-1');
    expect(readAccount(profile, key)).toBeUndefined();
  });

  it('are not written by a renewal that was under way when somebody signed out', async () => {
    await saveAccount(profile, account());
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const refresh = async (old: Account): Promise<Account> => {
      ask();
      await answered;
      return { ...old, accessToken: 'access-1', accessTokenExpiresAt: inSeconds(300) };
    };
    const renewed = keepTokens({ profile, account: account(), now: () => noon, refresh, isKept: true }).freshToken();
    await asked;
    const forgotten = whileNobodyRenews(profile, account(), async () => forgetAccount(profile, account()));
    answer();
    await Promise.all([renewed, forgotten]);
    expect(readAccount(profile, key)).toBeUndefined();
  });
});
