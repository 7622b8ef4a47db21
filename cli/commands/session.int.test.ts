/** A signed-in `clustral` as a process: how the session is kept alive, and how it ends. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clusterId } from '../testing/api.ts';
import { signIn } from '../testing/command-line.ts';
import { longAgo, signedIn, type SignedIn } from '../testing/signed-in.ts';

let me: SignedIn;
beforeAll(async () => {
  me = await signedIn();
});
afterAll(() => me.close());
beforeEach(() => me.reset());

describe('the session', () => {
  it('is renewed once when several commands with several calls find it expired', async () => {
    me.changeAccount({ accessTokenExpiresAt: longAgo });
    const before = me.account().accessToken;
    const finished = await Promise.all([1, 2, 3].map(() => me.run('status')));
    expect(finished.map(({ code, stderr }) => [code, stderr])).toEqual([1, 2, 3].map(() => [0, '']));
    expect(me.account().accessToken).not.toBe(before);
    expect(new Set(me.installation.state.calls.map(({ token }) => token))).toEqual(new Set([me.account().accessToken]));
  });

  it('is renewed when the server refuses a token before its time', async () => {
    const before = me.account().accessToken;
    // Tokens name whole seconds: one of the next second is a new one.
    await expect
      .poll(() => Math.floor(Date.now() / 1000), { timeout: 3_000 })
      .toBeGreaterThan(Math.floor(Date.parse(me.account().signedInAt) / 1000) + 1);
    me.installation.refuseOldTokens();
    await expect.poll(() => me.run('clusters list'), { timeout: 10_000 }).toMatchObject({ code: 0, stderr: '' });
    expect(me.account().accessToken).not.toBe(before);
  });

  it('that has ended says so, and the plugin says it in one sentence and never opens a browser', async () => {
    const good = me.account();
    me.changeAccount({ accessTokenExpiresAt: longAgo, refreshToken: 'not-a-token' });
    const sentence = `the session of dev@clustral.local on ${me.installation.origin} has ended`;
    expect(await me.run('clusters list')).toEqual({
      code: 4,
      stdout: '',
      stderr: `error: ${sentence}\n  fix:  clustral login ${me.installation.origin}\n`,
    });
    expect(await me.home.run(['kube', 'credential', '--cluster', clusterId])).toEqual({
      code: 4,
      stdout: '',
      stderr: `clustral: ${sentence} - run: clustral login ${me.installation.origin}\n`,
    });
    me.changeAccount(good);
  });
});

describe('logout', () => {
  it('forgets, cleans, revokes and says so, and the provider knows', async () => {
    await me.run('kube login prod');
    const known = me.account();
    expect(await me.run('logout')).toEqual({
      code: 0,
      stdout: '',
      stderr: `Signed dev@clustral.local out of ${me.installation.origin}.\nRemoved contexts: clustral-prod.\nRevoked credentials: 1.\n`,
    });
    expect(readdirSync(join(me.profile, 'accounts'))).toEqual([]);
    expect(me.installation.state.revoked).toHaveLength(1);
    expect(await me.run('logout')).toMatchObject({ code: 0, stderr: 'Nobody is signed in.\n' });
    expect(await me.run('whoami')).toMatchObject({ code: 4 });

    expect((await signIn(me.home, me.installation)).code).toBe(0);
    const fresh = me.account();
    me.changeAccount({ ...known, accessTokenExpiresAt: longAgo });
    expect(await me.run('clusters list')).toMatchObject({ code: 4 });
    me.changeAccount(fresh);
  });

  it('forgets even when nothing else works', async () => {
    const file = join(me.home.path, '.kube', 'config');
    mkdirSync(dirname(file));
    writeFileSync(file, 'a: [\n');
    me.changeAccount({ accessTokenExpiresAt: longAgo, refreshToken: 'not-a-token' });
    const { code, stderr } = await me.run('logout');
    expect(code).toBe(1);
    expect(stderr).toContain('Signed dev@clustral.local out');
    expect(stderr).toContain('warning: the contexts are still there');
    expect(readdirSync(join(me.profile, 'accounts'))).toEqual([]);
  });
});
