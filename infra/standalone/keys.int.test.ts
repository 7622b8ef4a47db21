import { existsSync, readFileSync, renameSync, statSync, utimesSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@clustral/gateway/testing/gateway.ts';
import { createKeyPair } from '@clustral/kernel/x509.ts';
import { startWholePath, type Claims, type Holder, type WholePath } from '../e2e/parts/whole-path.ts';
import { replaceKeyFile } from './key-files.ts';
import { keysCommand } from './keys.ts';

const alice: Claims = { sub: 'alice', email: 'alice@corp.test', email_verified: true };
const clients = 50;
let path: WholePath;
let old: Holder;

beforeAll(async () => {
  path = await startWholePath();
  old = await path.holder(alice, ['devs']);
});
afterAll(() => path?.stop());

type Done = { readonly code: number; readonly said: string };

const keys = async (...args: readonly string[]): Promise<Done> => {
  const lines: string[] = [];
  const options = { print: (line: string) => void lines.push(line), now: () => new Date() };
  return { code: await keysCommand(args, path.keyFiles, options), said: lines.join('\n') };
};
const proxied = async (token: string): Promise<number> => {
  const answer = await fetch(`http://127.0.0.1:${path.port}/api/proxy/${path.c1}/version`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.arrayBuffer();
  return answer.status;
};
const file = (variable: string): string => path.keyFiles[variable] ?? '';
const kidOf = (token: string): unknown => decodeProtectedHeader(token)['kid'];
const signing = async (name: string): Promise<string | undefined> =>
  new RegExp(`^${name} +signs +(\\S+)$`, 'm').exec((await keys('list')).said)?.[1];

/** 50 people who go on asking until told to stop: with kubectl, over REST, and for new credentials. */
function everybody(): { requests(): number; stop(): Promise<readonly string[]> } {
  let running = true;
  let requests = 0;
  const failed: string[] = [];
  const note = (what: string, status: number): void => {
    requests += 1;
    if (status >= 300) failed.push(`${what}: ${status}`);
  };
  const one = async (index: number): Promise<void> => {
    const who = { sub: `person-${index}`, email: `person-${index}@corp.test`, email_verified: true };
    let { token } = old;
    for (let turn = 0; running; turn += 1) {
      if (index % 5 === 0) note('REST', (await path.rest(who, 'GET /api/v1/users/me')).status);
      else note('kubectl', await proxied(token));
      // As fast as one person may over REST (50 in 10 s), and with kubectl within what a credential may.
      await delay(index % 5 === 0 ? 250 : 25);
      // Credentials of every key are in use; who has just signed in has one of the newest.
      if (index % 10 === 1 && turn === 20) ({ token } = await path.holder(who, ['devs']));
    }
  };
  const all = Promise.all(Array.from({ length: clients }, (_, index) => one(index)));
  return {
    requests: () => requests,
    /** Gives what failed. */
    async stop() {
      running = false;
      await all;
      return failed;
    },
  };
}

describe('F-32 keys are replaced by a command', () => {
  it('while 50 clients go on, without one failed request, also when nobody waits for the keys to be seen', async () => {
    const before = await Promise.all(['internal', 'kubeconfig', 'agent'].map(signing));
    const asking = everybody();
    for (const name of ['internal', 'kubeconfig', 'agent'])
      expect(await keys('rotate', name, '--settle', '0')).toMatchObject({ code: 0 });
    // Everybody looks at their keys again within 2 s.
    const rotatedAt = performance.now();
    await eventually(() => performance.now() - rotatedAt > 2_500 && asking.requests() > 400, 25_000);
    expect(await asking.stop()).toEqual([]);
    expect(kidOf((await path.holder(alice)).token)).not.toBe(before[1]);
    const after = await Promise.all(['internal', 'kubeconfig', 'agent'].map(signing));
    for (const [index, keyId] of after.entries()) expect(keyId).not.toBe(before[index]);
    expect(kidOf(old.token)).toBe(before[1]);
    expect(await proxied(old.token)).toBe(200);
  });

  it('not again while tokens of the key before may be in use, unless that is wanted', async () => {
    const { code, said } = await keys('rotate', 'kubeconfig', '--settle', '0');
    expect(code).toBe(1);
    expect(said).toMatch(/may be in use until 20\d\d-.*--force/);
    const longAgo = new Date(Date.now() - 90_000_000);
    utimesSync(file('KUBECONFIG_JWT_PRIVATE_KEY_PATH'), longAgo, longAgo);
    expect(await keys('rotate', 'kubeconfig', '--settle', '0')).toMatchObject({ code: 0 });
  });

  it('and a key that was taken away is refused within 60 s', async () => {
    const { token } = await path.holder(alice);
    expect(await proxied(token)).toBe(200);
    expect((await keys('retire', 'kubeconfig')).code).toBe(1);
    const before = performance.now();
    expect(await keys('retire', 'kubeconfig', '--force')).toMatchObject({ code: 0 });
    await eventually(async () => (await proxied(old.token)) === 401, 10_000);
    expect(performance.now() - before).toBeLessThan(10_000);
    expect((await keys('retire', 'kubeconfig')).said).toContain('no previous key');
  });

  it('and go on where a killed command was', async () => {
    const [privateKey, publicKeys] = [file('AGENT_JWT_PRIVATE_KEY_PATH'), file('AGENT_JWT_PUBLIC_KEY_PATH')];
    const next = await createKeyPair('RSA-2048');
    replaceKeyFile(`${privateKey}.next`, [next.privateKeyPem.trim()], privateKey);
    replaceKeyFile(publicKeys, [readFileSync(publicKeys, 'utf8').trim(), next.publicKeyPem.trim()]);
    expect((await keys('list')).said).toMatch(/agent +next/);
    expect(await keys('rotate', 'agent', '--settle', '0', '--force')).toMatchObject({ code: 0 });
    expect(existsSync(`${privateKey}.next`)).toBe(false);
    expect(readFileSync(privateKey, 'utf8').trim()).toBe(next.privateKeyPem.trim());
    expect((await keys('list')).said.match(/^agent/gm)).toHaveLength(2);
  });

  it('in files that nobody else can read', () => {
    const names = ['INTERNAL_JWT_PRIVATE_KEY_PATH', 'KUBECONFIG_JWT_PRIVATE_KEY_PATH', 'AGENT_JWT_PRIVATE_KEY_PATH'];
    for (const name of names) expect(statSync(file(name)).mode & 0o777).toBe(0o600);
  });

  it('not when the files do not belong together', async () => {
    const path = file('INTERNAL_JWT_PRIVATE_KEY_PATH');
    renameSync(path, `${path}.kept`);
    expect((await keys('rotate', 'internal')).said).toContain('ENOENT');
    replaceKeyFile(path, [(await createKeyPair('P-256')).privateKeyPem.trim()], `${path}.kept`);
    const { code, said } = await keys('rotate', 'internal', '--settle', '0', '--force');
    expect(code).toBe(1);
    expect(said).toContain('put the pair in order first');
    renameSync(`${path}.kept`, path);
  });

  it.each([
    [['rotate']],
    [['rotate', 'edge']],
    [['turn', 'agent']],
    [['rotate', 'agent', '--settle', 'x']],
    [['--what']],
  ])('not on a command like %j, which is answered with how to use it', async (args) => {
    expect(await keys(...args)).toMatchObject({ code: 2, said: expect.stringContaining('npm run keys') });
  });
});
