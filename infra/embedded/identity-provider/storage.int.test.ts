/** What the identity provider keeps on disk: bounded rows, secrets of each folder, people and their passwords. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAccounts } from './accounts.ts';
import { openArtifacts } from './artifacts.ts';
import { readOrMakeSecrets } from './secrets.ts';
import { openStore } from './store.ts';

let folder: string;
let database: DatabaseSync;
const clock = { ms: Date.parse('2026-11-01T12:00:00Z') };
const now = (): Date => new Date(clock.ms);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clustral-idp-store-'));
  database = openStore(join(folder, 'idp'));
});
afterEach(async () => {
  database.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the rows of oidc-provider', () => {
  it('are found by id, user code and uid, and marked when consumed', async () => {
    const codes = openArtifacts(database, now).adapter('DeviceCode');
    await codes.upsert('a', { userCode: 'BCDFGHJK', clientId: 'clustral-cli' }, 600);
    expect(await codes.findByUserCode('BCDFGHJK')).toEqual({ userCode: 'BCDFGHJK', clientId: 'clustral-cli' });
    await codes.consume('a');
    expect(await codes.find('a')).toMatchObject({ consumed: clock.ms / 1000 });
    const sessions = openArtifacts(database, now).adapter('Session');
    await sessions.upsert('s', { uid: 'u' }, 600);
    expect(await sessions.findByUid('u')).toEqual({ uid: 'u' });
    expect(await codes.findByUid('u')).toBeUndefined();
  });

  it('go with their grant', async () => {
    const tokens = openArtifacts(database, now).adapter('RefreshToken');
    await tokens.upsert('a', { grantId: 'g1' }, 600);
    await tokens.upsert('b', { grantId: 'g2' }, 600);
    await tokens.revokeByGrantId('g1');
    expect([await tokens.find('a'), await tokens.find('b')]).toEqual([undefined, { grantId: 'g2' }]);
  });

  it('never grow past their limit; those that end first are dropped', async () => {
    const artifacts = openArtifacts(database, now);
    const sessions = artifacts.adapter('DeviceCode');
    await sessions.upsert('of somebody', {}, 8 * 3_600);
    database.exec('BEGIN');
    for (let index = 0; index < 1_200; index += 1) await sessions.upsert(`flood ${index}`, {}, 600);
    database.exec('COMMIT');
    const { count } = { count: 0, ...database.prepare('SELECT count(*) AS count FROM artifacts').get() };
    expect(Number(count)).toBeLessThan(500 + 64);
    expect(await sessions.find('of somebody')).toEqual({});
  });

  it('are swept once they expired, a minute later', async () => {
    const artifacts = openArtifacts(database, now);
    await artifacts.adapter('Interaction').upsert('a', {}, 30);
    clock.ms += 90_000;
    expect(artifacts.sweep()).toBe(0);
    clock.ms += 1_000;
    expect(artifacts.sweep()).toBe(1);
  });
});

describe('the secrets of a data folder', () => {
  it('stay the same in one folder and differ between two', async () => {
    const first = await readOrMakeSecrets(database, folder);
    const again = await readOrMakeSecrets(database, folder);
    expect(again).toEqual(first);
    const other = openStore(join(folder, 'other'));
    const second = await readOrMakeSecrets(other, join(folder, 'other'));
    other.close();
    expect(second.webClientSecret).not.toBe(first.webClientSecret);
    expect(second.signingKeys[0]?.kid).not.toBe(first.signingKeys[0]?.kid);
    expect(second.cookieKeys).not.toEqual(first.cookieKeys);
  });

  it('put a damaged or readable secret file right at the next start', async () => {
    const { webClientSecret } = await readOrMakeSecrets(database, folder);
    const path = join(folder, 'web-client-secret');
    await writeFile(path, 'tor');
    await chmod(path, 0o644);
    await readOrMakeSecrets(database, folder);
    expect(await readFile(path, 'utf8')).toBe(webClientSecret);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});

describe('a database of a newer version', () => {
  it('is not opened', () => {
    const newer = openStore(join(folder, 'newer'));
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    expect(() => openStore(join(folder, 'newer'))).toThrow(/written by a newer version \(format 99\)/);
  });
});

describe('passwords', () => {
  it('are kept as a hash with a salt of each person', async () => {
    await openAccounts(database, now);
    const rows = database.prepare('SELECT salt, password_hash, profile FROM people').all();
    expect(rows).toHaveLength(3);
    expect(new Set(rows.map((row) => Buffer.from(row['salt'] as Uint8Array).toString('hex'))).size).toBe(3);
    expect(rows.every((row) => (row['password_hash'] as Uint8Array).length === 32)).toBe(true);
    expect(JSON.stringify(rows.map((row) => row['profile']))).not.toContain('password');
  });

  it('make a person wait after twenty wrong ones, right or wrong, and nobody else', async () => {
    const accounts = await openAccounts(database, now);
    for (const batch of [10, 10]) {
      const guesses = await Promise.all(
        Array.from({ length: batch }, (_, index) => accounts.signIn('dev', `${index}`)),
      );
      expect(guesses).toEqual(guesses.map(() => ({ kind: 'wrong' })));
    }
    expect(await accounts.signIn('dev', 'dev')).toEqual({ kind: 'wait', retryAfterSeconds: 60 });
    expect(await accounts.signIn('ADMIN ', 'admin')).toMatchObject({ kind: 'welcome', person: { username: 'admin' } });
    clock.ms += 60_000;
    expect(await accounts.signIn('dev', 'dev')).toMatchObject({ kind: 'welcome', person: { username: 'dev' } });
  });

  it('are not hashed more than sixteen at a time', async () => {
    const accounts = await openAccounts(database, now);
    const results = await Promise.all(
      Array.from({ length: 19 }, (_, index) => accounts.signIn(`nobody ${index}`, 'x')),
    );
    expect(results.filter(({ kind }) => kind === 'wrong')).toHaveLength(16);
    expect(results.filter(({ kind }) => kind === 'wait')).toHaveLength(3);
  });

  it('longer than any real one are wrong, not an error', async () => {
    const accounts = await openAccounts(database, now);
    expect(await accounts.signIn('dev', 'dev'.padEnd(100_000, 'x'))).toEqual({ kind: 'wrong' });
  });
});
