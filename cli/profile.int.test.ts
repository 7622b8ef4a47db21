import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeJson } from './files.ts';
import { lastPosition, rememberPosition } from './last-position.ts';
import {
  accountFile,
  accountKey,
  cacheFolder,
  currentAccount,
  forgetAccount,
  openProfile,
  requireAccount,
  saveAccount,
  saveProfile,
  type Account,
  type ProfileConfig,
} from './profile.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'clustral-profile-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const server = 'https://clustral.example.com';
const config: ProfileConfig = {
  server,
  discovery: {
    version: '0.1.0',
    controlPlaneUrl: server,
    auditServiceUrl: server,
    oidcAuthority: 'https://idp.example.com',
    oidcClientId: 'clustral-cli',
    oidcScopes: ['openid'],
  },
};
const account: Account = {
  server,
  issuer: 'https://idp.example.com',
  subject: '../../.bashrc',
  displayName: '../../.bashrc',
  name: 'x',
  accessToken: 'a',
  accessTokenExpiresAt: '2026-04-01T12:00:00.000Z',
  signedInAt: '2026-04-01T11:00:00.000Z',
};

describe('the profile in use', () => {
  it('is the one that was asked for, else the current one, else default', async () => {
    expect(openProfile(home).name).toBe('default');
    await writeJson(join(home, 'config.json'), { currentProfile: 'staging' });
    expect(openProfile(home).name).toBe('staging');
    expect(openProfile(home, { flag: 'prod' }).name).toBe('prod');
  });

  it.each(['../../x', '..', '/etc', '', 'A', 'a b', 'x'.repeat(64), '\u001b[2J'])('cannot be called %j', (name) => {
    expect(() => openProfile(home, { flag: name })).toThrow('cannot be the name of a profile');
  });

  it.each(['{', '[]', '{"server":"https://a"}', '{"server":1,"discovery":{}}', 'null'])(
    'is not taken from %s',
    async (text) => {
      const profile = openProfile(home);
      await saveProfile(profile, config);
      writeFileSync(join(profile.folder, 'config.json'), text);
      expect(() => openProfile(home)).toThrow('is damaged');
    },
  );
});

describe('an account', () => {
  it('is a file named by a digest, whatever the provider calls the person (ID-12)', async () => {
    const profile = openProfile(home);
    await saveAccount(profile, account);
    await saveProfile(profile, { ...config, account: accountKey(account) });
    expect(accountFile(profile, accountKey(account))).toMatch(/accounts\/[0-9a-f]{64}\.json$/);
    expect(requireAccount(openProfile(home)).account).toEqual(account);
  });

  it('differs by server, issuer and subject, and by nothing else', () => {
    const keys = [
      account,
      { ...account, server: 'https://b' },
      { ...account, issuer: 'https://b' },
      { ...account, subject: 'b' },
      { ...account, server: `${account.server}\0`, issuer: account.issuer },
    ].map(accountKey);
    expect(new Set(keys).size).toBe(5);
    expect(accountKey({ ...account, name: 'y', accessToken: 'b' } as Account)).toBe(keys[0]);
  });

  it('that is missing is asked for with exit code 4', async () => {
    const profile = openProfile(home, { flag: 'staging' });
    expect(() => requireAccount(profile)).toThrow('nobody is signed in (profile staging)');
    await saveProfile(profile, { ...config, account: '../../../etc/passwd' });
    expect(currentAccount(openProfile(home, { flag: 'staging' }))).toBeUndefined();
  });

  it('that was forgotten leaves neither tokens nor credentials', async () => {
    const profile = openProfile(home);
    await saveAccount(profile, account);
    await writeJson(join(cacheFolder(profile, account), 'x.json'), {});
    forgetAccount(profile, account);
    expect(existsSync(cacheFolder(profile, account))).toBe(false);
    expect(existsSync(accountFile(profile, accountKey(account)))).toBe(false);
  });
});

describe('the position of the last answer', () => {
  const at = (seconds: number) => ({
    profile: openProfile(home),
    account,
    now: () => new Date(1_775_000_000_000 + seconds * 1000),
  });

  it('goes to the next command for half a minute', async () => {
    expect(lastPosition(at(0))).toBeUndefined();
    await rememberPosition(at(0), '4711');
    expect(lastPosition(at(29))).toBe('4711');
    expect(lastPosition(at(31))).toBeUndefined();
    expect(lastPosition(at(-5))).toBeUndefined();
  });

  it('is a cache: damage costs nothing', async () => {
    await rememberPosition(at(0), '4711');
    const file = join(cacheFolder(at(0).profile, account), 'position.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('4711', '-1; DROP'));
    expect(lastPosition(at(1))).toBeUndefined();
    writeFileSync(file, '{');
    expect(lastPosition(at(1))).toBeUndefined();
  });
});
