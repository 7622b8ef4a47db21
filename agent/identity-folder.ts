/**
 * The agent's identity in a folder. The rule it lives by (F-05): a new identity is written beside the old one and takes its place by
 * one rename, so that a process killed at any point leaves the old or the new, never a mixture. A key is kept before anything is
 * asked for it, so that an answer that was lost is asked for again with the same key (F-06, D36).
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import type { Disk } from './disk.ts';
import { withLock } from './folder-lock.ts';
import { identityParts, keyPairOf, pendingKeyName, wholeIdentity, type Identity } from './identity.ts';
import type { IdentityStore } from './identity-store.ts';

const folderName = /^identity-(\d{1,15})$/;
const unfinished = /^new-/;

export class IdentityFolder implements IdentityStore {
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
    for (const [part, name] of identityParts) await disk.writeFile(join(beside, name), identity[part]);
    await disk.syncFolder(beside);
    await disk.rename(beside, join(this.path, `identity-${newest + 1}`));
    await disk.syncFolder(this.path);
    await this.#removeAllBut(newest + 1);
  }

  /** The key that waits for a certificate: the one made before, or a new one, on disk before it is returned. */
  async pendingKey(): Promise<KeyPair> {
    const path = join(this.path, pendingKeyName);
    const kept = await this.#disk.readFile(path);
    if (kept !== undefined) return keyPairOf(kept);
    const keys = await createKeyPair('P-256');
    await this.#disk.makeFolder(this.path);
    const beside = join(this.path, `new-${randomBytes(6).toString('hex')}`);
    await this.#disk.writeFile(beside, keys.privateKeyPem);
    await this.#disk.rename(beside, path);
    await this.#disk.syncFolder(this.path);
    return keys;
  }

  /** While a lock file says so. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    return withLock(this.path, work);
  }

  async #numbers(): Promise<readonly number[]> {
    const entries = await this.#disk.list(this.path);
    const numbers = entries.flatMap((name) => folderName.exec(name)?.[1] ?? []).map(Number);
    return numbers.toSorted((one, other) => other - one);
  }

  async #read(folder: string): Promise<Identity | undefined> {
    const names = identityParts.map(([, name]) => name);
    const texts = await Promise.all(names.map((name) => this.#disk.readFile(join(folder, name))));
    return wholeIdentity(new Map(names.map((name, index) => [name, texts[index]])));
  }

  async #removeAllBut(number: number): Promise<void> {
    for (const name of await this.#disk.list(this.path)) {
      const isOld = folderName.test(name) && name !== `identity-${number}`;
      if (isOld || unfinished.test(name) || name === pendingKeyName) await this.#disk.remove(join(this.path, name));
    }
  }
}
