/**
 * The agent's identity on disk: its own key, what was signed for it, and whom it trusts, always as one whole. The rule it lives
 * by (F-05): a new identity is written beside the old one and takes its place by one rename, so that a process killed at any
 * point leaves the old or the new, never a mixture. A key is kept before anything is asked for it, so that an answer that was
 * lost is asked for again with the same key (F-06, D36).
 */
import { createHash, createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { certificatesOf, createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import type { Disk } from './disk.ts';

export type Identity = {
  readonly clusterId: string;
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  /** Every CA that may have signed the control plane's certificate. */
  readonly caBundlePem: string;
  readonly token: string;
  /** SHA-256 of the bootstrap token that was redeemed for it, hex: another one is a new invitation. */
  readonly bootstrapHash: string;
};

const files = {
  clusterId: 'cluster-id',
  privateKeyPem: 'key.pem',
  certificatePem: 'certificate.pem',
  caBundlePem: 'ca.pem',
  token: 'token',
  bootstrapHash: 'bootstrap-token.sha256',
} as const satisfies Record<keyof Identity, string>;

const names = Object.entries(files) as readonly (readonly [keyof Identity, string])[];
const pendingKeyFile = 'pending-key.pem';
const folderName = /^identity-(\d{1,15})$/;
const unfinished = /^new-/;

export class IdentityFolder {
  readonly path: string;
  readonly #disk: Disk;

  constructor(path: string, disk: Disk) {
    this.path = path;
    this.#disk = disk;
  }

  /** The newest whole identity; undefined when there is none. */
  async load(): Promise<Identity | undefined> {
    for (const number of await this.#numbers()) {
      const identity = await this.#read(join(this.path, `identity-${number}`));
      if (identity) return identity;
    }
    return undefined;
  }

  /** Puts the identity in the place of any other. Throws with the old one untouched, or with the new one in place. */
  async save(identity: Identity): Promise<void> {
    const disk = this.#disk;
    await disk.makeFolder(this.path);
    const [newest = 0] = await this.#numbers();
    const beside = join(this.path, `new-${randomBytes(6).toString('hex')}`);
    await disk.makeFolder(beside);
    for (const [field, name] of names) await disk.writeFile(join(beside, name), identity[field]);
    await disk.syncFolder(beside);
    await disk.rename(beside, join(this.path, `identity-${newest + 1}`));
    await disk.syncFolder(this.path);
    await this.#removeAllBut(newest + 1);
  }

  /** The key that waits for a certificate: the one made before, or a new one, on disk before it is returned. */
  async pendingKey(): Promise<KeyPair> {
    const path = join(this.path, pendingKeyFile);
    const kept = await this.#disk.readFile(path);
    if (kept !== undefined) {
      return {
        privateKeyPem: kept,
        publicKeyPem: createPublicKey(kept).export({ type: 'spki', format: 'pem' }).toString(),
      };
    }
    const keys = await createKeyPair('P-256');
    await this.#disk.makeFolder(this.path);
    const beside = join(this.path, `new-${randomBytes(6).toString('hex')}`);
    await this.#disk.writeFile(beside, keys.privateKeyPem);
    await this.#disk.rename(beside, path);
    await this.#disk.syncFolder(this.path);
    return keys;
  }

  async #numbers(): Promise<readonly number[]> {
    const entries = await this.#disk.list(this.path);
    const numbers = entries.flatMap((name) => folderName.exec(name)?.[1] ?? []).map(Number);
    return numbers.toSorted((one, other) => other - one);
  }

  async #read(folder: string): Promise<Identity | undefined> {
    const texts = await Promise.all(names.map(([, name]) => this.#disk.readFile(join(folder, name))));
    const identity = Object.fromEntries(names.map(([field], index) => [field, texts[index] ?? '']));
    return isWhole(identity) ? identity : undefined;
  }

  async #removeAllBut(number: number): Promise<void> {
    for (const name of await this.#disk.list(this.path)) {
      const isOld = folderName.test(name) && name !== `identity-${number}`;
      if (isOld || unfinished.test(name) || name === pendingKeyFile) await this.#disk.remove(join(this.path, name));
    }
  }
}

function isWhole(identity: Partial<Identity>): identity is Identity {
  const { clusterId, privateKeyPem, certificatePem, caBundlePem, token } = identity;
  if (!clusterId || !privateKeyPem || !certificatePem || !caBundlePem || !token) return false;
  return isPair(certificatePem, privateKeyPem) && isBundle(caBundlePem);
}

/** True when the certificate is for the key (both PEM). */
export function isPair(certificatePem: string, privateKeyPem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    return false;
  }
}

const mostAuthorities = 32;

/** True when the text holds at least one CA certificate, no more than a bundle needs, and all can be read. */
export function isBundle(pem: string): boolean {
  const authorities = certificatesOf(pem);
  if (authorities.length === 0 || authorities.length > mostAuthorities) return false;
  try {
    return authorities.every((authority) => new X509Certificate(authority).ca);
  } catch {
    return false;
  }
}

/** By what a bootstrap token is known again without keeping it. */
export const bootstrapHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** When an identity begins and ends, milliseconds since the epoch. */
export type IdentityDates = {
  readonly certificateFrom: number;
  readonly certificateUntil: number;
  readonly tokenUntil: number;
};

/** Reads the dates; a token that cannot be read counts as expired. Nothing is verified: the control plane does that. */
export function datesOf({ certificatePem, token }: Identity): IdentityDates {
  const certificate = new X509Certificate(certificatePem);
  return {
    certificateFrom: certificate.validFromDate.getTime(),
    certificateUntil: certificate.validToDate.getTime(),
    tokenUntil: tokenEnd(token),
  };
}

function tokenEnd(token: string): number {
  try {
    return (decodeJwt(token).exp ?? 0) * 1000;
  } catch {
    return 0;
  }
}
