import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createSigner, createVerifier, type KeyedVerifier, type Signer } from './jwt.ts';
import { keyIdOf, publicKeysIn, signingKeyIn, type KeyFiles, type PublicKeys } from './keys.ts';
import { createKeyPair, type KeyPair } from './x509.ts';

const kind = { algorithm: 'ES256', issuer: 'here', audience: 'there' } as const;
const folder = mkdtempSync(join(tmpdir(), 'keys-'));
const files: KeyFiles = { privateKeyPath: join(folder, 'a.key'), publicKeysPath: join(folder, 'a.pub') };
const [one, two, rsa] = [await createKeyPair('P-256'), await createKeyPair('P-256'), await createKeyPair('RSA-2048')];
let monotonic = 0;
const warned: string[] = [];
const options = {
  algorithm: 'ES256',
  log: { warn: (sentence: string) => void warned.push(sentence) } as never,
  monotonicMs: () => monotonic,
} as const;

let signer: Signer;
let publicKeys: PublicKeys;
let verifier: KeyedVerifier<{ kind: string; exp: number }>;

const put = (path: string, ...pems: readonly string[]): void => {
  writeFileSync(`${path}.new`, pems.join(''));
  renameSync(`${path}.new`, path);
};
const sign = (): Promise<string> => {
  const iat = Math.floor(Date.now() / 1000);
  return signer.sign({ sub: 'a', kind: 'test', iat, exp: iat + 60 });
};
const idOf = ({ publicKeyPem }: KeyPair): Promise<string> => keyIdOf(publicKeyPem, 'ES256');
/** Later than the last look allows to go on without a new one. */
const later = (): void => void (monotonic += 2_000);

beforeEach(async () => {
  put(files.privateKeyPath, one.privateKeyPem);
  put(files.publicKeysPath, one.publicKeyPem);
  warned.length = 0;
  signer = await createSigner({ ...kind, signingKeys: await signingKeyIn(files, options) });
  publicKeys = await publicKeysIn(files.publicKeysPath, options);
  verifier = await createVerifier({ ...kind, publicKeys, kinds: ['test'], now: Date.now });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('F-32 keys in files', () => {
  it('are used anew without a restart: the new one signs, both are verified', async () => {
    const old = await sign();
    put(files.publicKeysPath, one.publicKeyPem, two.publicKeyPem);
    put(files.privateKeyPath, two.privateKeyPem);
    later();
    const fresh = await sign();
    expect(await signer.keyId()).toBe(await idOf(two));
    for (const token of [old, fresh]) expect(await verifier.verify(token)).toMatchObject({ kind: 'test' });
  });

  it('are looked for again at once when a token names one that is not known', async () => {
    await verifier.verify(await sign());
    put(files.publicKeysPath, one.publicKeyPem, two.publicKeyPem);
    put(files.privateKeyPath, two.privateKeyPem);
    const other = await createSigner({ ...kind, signingKeys: await signingKeyIn(files, options) });
    const iat = Math.floor(Date.now() / 1000);
    const token = await other.sign({ sub: 'a', kind: 'test', iat, exp: iat + 60 });
    // No time has passed since the last look.
    expect(await verifier.verify(token)).toMatchObject({ kind: 'test' });
  });

  it('that were taken away are refused after 2 s, also for tokens that were verified before', async () => {
    const token = await sign();
    await verifier.verify(token);
    const before = await verifier.generation();
    put(files.publicKeysPath, two.publicKeyPem);
    later();
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    expect(await verifier.generation()).not.toBe(before);
  });

  it('do not sign before others can verify them', async () => {
    put(files.privateKeyPath, two.privateKeyPem);
    later();
    expect(await signer.keyId()).toBe(await idOf(one));
    expect(warned).toEqual([expect.stringContaining('its public half is not in')]);
    put(files.publicKeysPath, one.publicKeyPem, two.publicKeyPem);
    later();
    expect(await signer.keyId()).toBe(await idOf(two));
  });

  it.each([
    ['is gone', (): void => rmSync(files.publicKeysPath)],
    ['holds something else', (): void => put(files.publicKeysPath, 'nothing')],
    ['holds a key of another kind', (): void => put(files.publicKeysPath, rsa.publicKeyPem)],
  ])('stay as they were when the file %s, and that is said once', async (_what, spoil) => {
    const token = await sign();
    spoil();
    later();
    await verifier.verify(token);
    later();
    await verifier.verify(token);
    expect(warned.filter((line) => line.startsWith(files.publicKeysPath))).toHaveLength(1);
  });

  it('are refused at the start when the pair does not belong together', async () => {
    put(files.privateKeyPath, two.privateKeyPem);
    await expect(signingKeyIn(files, options)).rejects.toThrow('its public half is not in');
  });

  it('are read ten times a second at most, however many tokens name unknown ones', async () => {
    let looks = 0;
    const counted = { ...options, monotonicMs: () => performance.now() };
    const keys = await publicKeysIn(files.publicKeysPath, counted);
    const end = performance.now() + 450;
    while (performance.now() < end) {
      await Promise.all(Array.from({ length: 200 }, () => keys.find('nobody')));
      looks += 1;
    }
    expect(looks).toBeLessThanOrEqual(6);
    expect(looks).toBeGreaterThan(1);
  });
});
