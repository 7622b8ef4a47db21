import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CachedCredential } from './credential-cache.ts';
import { renewInTurn } from './credential-turn.ts';

const clusterId = '0198f7a0-0000-7000-8000-000000000001';
const account = 'ab'.repeat(32);
const args = ['--cluster', clusterId, '--account', account, '--profile', 'default'];

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'clustral-turn-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const call = () => ({ args, environment: { CLUSTRAL_HOME: home } });
const place = (...names: readonly string[]): string => join(home, 'profiles', 'default', ...names);
const credential = (): string => place('cache', account, `${clusterId}.json`);
function signIn(): void {
  mkdirSync(place('accounts'), { recursive: true });
  writeFileSync(place('accounts', `${account}.json`), '{}');
}
function cache(token: string): void {
  const now = Date.now();
  const cached: CachedCredential = {
    clusterId,
    credentialId: 'c',
    token,
    issuedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + 3_600_000).toISOString(),
  };
  mkdirSync(dirname(credential()), { recursive: true });
  writeFileSync(credential(), JSON.stringify(cached));
}

describe('a credential that many need at once', () => {
  it('is renewed by one; the others answer from what it brought', async () => {
    signIn();
    let renewed = 0;
    const gate = Promise.withResolvers<void>();
    const calls = Array.from({ length: 5 }, () =>
      renewInTurn(call(), async () => {
        renewed += 1;
        await gate.promise;
        cache('brought');
      }),
    );
    expect(existsSync(`${credential()}.turn`)).toBe(true);
    gate.resolve();
    const answers = await Promise.all(calls);
    expect(renewed).toBe(1);
    // The one that renewed has answered itself.
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
    expect(answers.filter((answer) => answer?.includes('"token":"brought"'))).toHaveLength(4);
    expect(readdirSync(dirname(credential()))).toEqual([`${clusterId}.json`]);
  });

  it('is tried by each alone when the one brought nothing, and by all of them at once', async () => {
    signIn();
    const [first, together] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let begun = 0;
    const calls = Array.from({ length: 4 }, () =>
      renewInTurn(call(), async () => {
        begun += 1;
        // Who came first ends with nothing; if the rest took turns, the second would wait here for ever.
        if (begun === 1) return first.promise;
        if (begun === 4) together.resolve();
        return together.promise;
      }),
    );
    first.resolve();
    expect(await Promise.all(calls)).toEqual([undefined, undefined, undefined, undefined]);
    expect(readdirSync(dirname(credential()))).toEqual([]);
  });

  it('was renewed just before: then nobody does it again', async () => {
    signIn();
    cache('fresh');
    const answer = await renewInTurn(call(), () => Promise.reject(new Error('it was renewed again')));
    expect(answer).toContain('"token":"fresh"');
  });

  it.each([
    ['an account that is not there', () => undefined],
    [
      'a place where nothing can be written',
      () => {
        signIn();
        writeFileSync(place('cache'), 'a file where a folder should be');
      },
    ],
  ])('is renewed without a turn for %s', async (_what, prepare) => {
    prepare();
    const before = readdirSync(home, { recursive: true });
    let renewed = 0;
    expect(await renewInTurn(call(), async () => void (renewed += 1))).toBeUndefined();
    expect(renewed).toBe(1);
    expect(readdirSync(home, { recursive: true })).toEqual(before);
  });

  it('passes on what went wrong while it was renewed', async () => {
    signIn();
    await expect(renewInTurn(call(), () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(readdirSync(dirname(credential()))).toEqual([]);
  });
});
