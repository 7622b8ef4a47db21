/**
 * Keys of the product's own tokens, from files that may change while the process runs: a key is replaced by a command, and no
 * process is started anew (F-32). Whoever uses a key looks at its file first when the last look is 2 s old, so that a key which
 * was taken away is refused soon, and looks once more before saying that a key is not known, so that a new one is known at once.
 * No timer runs. A file that cannot be read, or holds something else, leaves the last keys in place and says so in the log.
 */
import { createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, importPKCS8, importSPKI, type CryptoKey } from 'jose';
import type { Log } from './log.ts';
import { watchFile, type WatchedFile } from './watched-file.ts';

export type TokenAlgorithm = 'ES256' | 'RS256';

/** Where the keys of one kind of token are: PEM files, PKCS #8 private and SPKI public. */
export type KeyFiles = { readonly privateKeyPath: string; readonly publicKeysPath: string };

/** What verifies one kind of token. */
export type PublicKeys = {
  /** Changes with the keys: what was verified under another generation is to be verified again. */
  generation(): number | Promise<number>;
  /** The key of this id, or undefined when there is none now. */
  find(keyId: string): Promise<CryptoKey | undefined>;
};

/** What signs one kind of token. */
export type SigningKeys = { current(): Promise<SigningKey> };

/** Both halves, for whoever signs and verifies. */
export type TokenKeys = { readonly signingKeys: SigningKeys; readonly publicKeys: PublicKeys };

export type SigningKey = { readonly keyId: string; readonly key: CryptoKey };

export type FileKeysOptions = {
  readonly algorithm: TokenAlgorithm;
  /** Told in one sentence when a file cannot be used any more. */
  readonly log: Pick<Log, 'warn'>;
  /** Milliseconds on a clock that only goes forward; the process's own when unset. */
  readonly monotonicMs?: () => number;
};

/** A file of public keys is small: the one that signs, the one before it, and the next. */
const mostKeys = 8;

/** Public keys that never change. Throws when one cannot be used with the algorithm. */
export async function fixedPublicKeys(
  publicKeysPem: readonly string[],
  algorithm: TokenAlgorithm,
): Promise<PublicKeys> {
  const keys = await importPublicKeys(publicKeysPem, algorithm);
  return { generation: () => 0, find: (keyId) => Promise.resolve(keys.get(keyId)) };
}

export type KeyPairPem = { readonly privateKeyPem: string; readonly publicKeyPem: string };

/** A pair of keys that never changes. Throws when it cannot be used with the algorithm. */
export async function fixedSigningKey(pair: KeyPairPem, algorithm: TokenAlgorithm): Promise<SigningKeys> {
  const key = await importSigningKey(pair, algorithm);
  return { current: () => Promise.resolve(key) };
}

/** Both halves of a pair that never changes. */
export async function fixedTokenKeys(pair: KeyPairPem, algorithm: TokenAlgorithm): Promise<TokenKeys> {
  return {
    signingKeys: await fixedSigningKey(pair, algorithm),
    publicKeys: await fixedPublicKeys([pair.publicKeyPem], algorithm),
  };
}

/** The public keys of a file, however it changes. Throws when it holds none that can be used. */
export async function publicKeysIn(publicKeysPath: string, options: FileKeysOptions): Promise<PublicKeys> {
  return findIn(await watchPublicKeys(publicKeysPath, options));
}

/** Both halves from their files, however they change; the signing key as `signingKeyIn` takes it. */
export async function tokenKeysIn(files: KeyFiles, options: FileKeysOptions): Promise<TokenKeys> {
  const file = await watchPublicKeys(files.publicKeysPath, options);
  return { signingKeys: await signingKeyBeside(file, files, options), publicKeys: findIn(file) };
}

function findIn(file: PublicKeyFile): PublicKeys {
  return {
    generation: () => file.lookIfStale()?.then(() => file.generation()) ?? file.generation(),
    async find(keyId) {
      const known = file.current().get(keyId);
      if (known) return known;
      await file.lookAgain();
      return file.current().get(keyId);
    },
  };
}

/**
 * The signing key of a file, however it changes. One that stands among the public keys only: whoever puts a private key in place
 * too early, or the wrong one, goes on signing with the last key that others can verify. Throws when there is none at first.
 */
export async function signingKeyIn(files: KeyFiles, options: FileKeysOptions): Promise<SigningKeys> {
  return signingKeyBeside(await watchPublicKeys(files.publicKeysPath, options), files, options);
}

async function signingKeyBeside(
  publicKeys: PublicKeyFile,
  files: KeyFiles,
  options: FileKeysOptions,
): Promise<SigningKeys> {
  const file = await watchFile({
    ...options,
    path: files.privateKeyPath,
    read: async (pem) => {
      const pair = { privateKeyPem: pem, publicKeyPem: publicHalfOf(pem) };
      const key = await importSigningKey(pair, options.algorithm);
      if (!publicKeys.current().has(key.keyId)) await publicKeys.lookAgain();
      if (publicKeys.current().has(key.keyId)) return key;
      throw new Error(`its public half is not in ${files.publicKeysPath}`);
    },
  });
  return {
    async current() {
      await file.lookIfStale();
      return file.current();
    },
  };
}

/** RFC 7638 thumbprint of a public key in PEM: the `kid` of its tokens. */
export async function keyIdOf(publicKeyPem: string, algorithm: TokenAlgorithm): Promise<string> {
  return calculateJwkThumbprint(await exportJWK(await importSPKI(publicKeyPem, algorithm, { extractable: true })));
}

/** The public half of a private key in PEM. */
export const publicHalfOf = (privateKeyPem: string): string =>
  createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }) as string;

/** The public keys in the text of a file, each by itself; the text as it is when there is none in it. */
export const publicKeysOf = (text: string): readonly string[] =>
  text.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g) ?? [text];

type PublicKeyFile = WatchedFile<ReadonlyMap<string, CryptoKey>>;

function watchPublicKeys(path: string, options: FileKeysOptions): Promise<PublicKeyFile> {
  return watchFile({ ...options, path, read: (text) => importPublicKeys(publicKeysOf(text), options.algorithm) });
}

async function importPublicKeys(
  publicKeysPem: readonly string[],
  algorithm: TokenAlgorithm,
): Promise<ReadonlyMap<string, CryptoKey>> {
  if (publicKeysPem.length > mostKeys) throw new Error(`it holds more than ${mostKeys} keys`);
  const keys = new Map<string, CryptoKey>();
  for (const pem of publicKeysPem) keys.set(await keyIdOf(pem, algorithm), await importSPKI(pem, algorithm));
  return keys;
}

async function importSigningKey(pair: KeyPairPem, algorithm: TokenAlgorithm): Promise<SigningKey> {
  const key = await importPKCS8(pair.privateKeyPem, algorithm);
  return { key, keyId: await keyIdOf(pair.publicKeyPem, algorithm) };
}
