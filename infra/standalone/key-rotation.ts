/**
 * Replaces the key pair of one kind of token while everything runs, so that no request fails (F-32): the new public key is there for all who verify
 * before anything is signed with the new private one, and the old public key stays until the next time. Two generations are verified,
 * never more. Each step is one renamed file; a rotation that was killed goes on where it was when it is asked for again.
 */
import { existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyIdOf, publicHalfOf, publicKeysOf, type KeyFiles, type TokenAlgorithm } from '@clustral/kernel/keys.ts';
import { createKeyPair } from '@clustral/kernel/x509.ts';
import { readKeyFile, replaceKeyFile, renameKeyFile } from './key-files.ts';

/** One kind of token and where its keys are. */
export type RotatedKeys = KeyFiles & {
  readonly algorithm: TokenAlgorithm;
  /** How long a token may be used after it was signed. */
  readonly tokenLifeSeconds: number;
};

export type Generation = {
  readonly keyId: string;
  /** `next` verifies but does not sign yet; `previous` verifies and does not sign any more. */
  readonly use: 'signs' | 'previous' | 'next';
};

/** Why nothing was done, in words for whoever gave the command. */
export class RotationRefused extends Error {}

type Found = {
  readonly signing: string;
  /** Made, but not signing yet: a rotation is under way, or was killed. */
  readonly next: string | undefined;
  readonly others: readonly string[];
};

/** The keys that verify now, the one that signs first. Throws `RotationRefused` when the files do not fit each other. */
export async function generations(keys: RotatedKeys): Promise<readonly Generation[]> {
  const { signing, next, others } = await find(keys);
  const named = async (pem: string, use: Generation['use']): Promise<Generation> => ({
    keyId: await keyIdOf(pem, keys.algorithm),
    use,
  });
  return [
    await named(signing, 'signs'),
    ...(await Promise.all(others.map((pem) => named(pem, pem === next ? 'next' : 'previous')))),
  ];
}

export type RotateOptions = {
  /** How long all that verify have to see the new key before it signs. */
  readonly settleMs: number;
  /** Also when tokens of the generation before the last may still be around. */
  readonly force: boolean;
  readonly now: () => Date;
};

/** Makes a new key the one that signs; gives its id. The one that signed goes on to verify, the one before it is gone. */
export async function rotate(keys: RotatedKeys, options: RotateOptions): Promise<string> {
  const { signing, next, others } = await find(keys);
  const previous = others.filter((pem) => pem !== next);
  if (previous.length > 0 && !options.force) refuseWhileUsed(keys, options.now());
  const incoming = next ?? (await prepareNext(keys));
  replaceKeyFile(keys.publicKeysPath, [signing, incoming, ...previous]);
  await sleep(options.settleMs);
  renameKeyFile(nextPath(keys), keys.privateKeyPath);
  replaceKeyFile(keys.publicKeysPath, [incoming, signing]);
  return keyIdOf(incoming, keys.algorithm);
}

/** Takes the previous key away: its tokens are good for nothing from then on. Gives its id. */
export async function retire(
  keys: RotatedKeys,
  options: { readonly force: boolean; readonly now: () => Date },
): Promise<string> {
  const { signing, next, others } = await find(keys);
  const [previous] = others.filter((pem) => pem !== next);
  if (previous === undefined) throw new RotationRefused('There is no previous key: nothing is to be taken away.');
  if (!options.force) refuseWhileUsed(keys, options.now());
  replaceKeyFile(keys.publicKeysPath, [signing, ...(next === undefined ? [] : [next])]);
  return keyIdOf(previous, keys.algorithm);
}

async function find(keys: RotatedKeys): Promise<Found> {
  const signing = publicHalfOf(readKeyFile(keys.privateKeyPath)).trim();
  const signingId = await keyIdOf(signing, keys.algorithm);
  const others: string[] = [];
  let isPublished = false;
  for (const pem of publicKeysOf(readKeyFile(keys.publicKeysPath))) {
    if ((await keyIdOf(pem, keys.algorithm)) === signingId) isPublished = true;
    else others.push(pem);
  }
  if (!isPublished) {
    throw new RotationRefused(
      `${keys.privateKeyPath} signs, but its public half is not in ${keys.publicKeysPath}: put the pair in order first.`,
    );
  }
  const path = nextPath(keys);
  const next = existsSync(path) ? publicHalfOf(readKeyFile(path)).trim() : undefined;
  return { signing, next, others };
}

/** The private key's file is as old as its use. */
function refuseWhileUsed({ privateKeyPath, tokenLifeSeconds }: RotatedKeys, now: Date): void {
  const until = new Date(statSync(privateKeyPath).mtimeMs + tokenLifeSeconds * 1000);
  if (until <= now) return;
  throw new RotationRefused(
    `Tokens of the previous key may be in use until ${until.toISOString()}: wait until then, or say --force to end them now.`,
  );
}

const nextPath = ({ privateKeyPath }: KeyFiles): string => `${privateKeyPath}.next`;

async function prepareNext(keys: RotatedKeys): Promise<string> {
  const pair = await createKeyPair(keys.algorithm === 'ES256' ? 'P-256' : 'RSA-2048');
  replaceKeyFile(nextPath(keys), [pair.privateKeyPem.trim()], keys.privateKeyPath);
  return pair.publicKeyPem.trim();
}
