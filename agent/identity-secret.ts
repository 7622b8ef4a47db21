/**
 * The agent's identity in a Kubernetes Secret of its own, so that a pod that comes up elsewhere goes on as the same agent. The rule
 * it lives by (F-05): an identity is put there as a whole by one replacement, and only by whoever holds the lock, which is an annotation
 * that is set and taken away by the Secret's resource version (D36). Nothing of it is written anywhere else.
 */
import { randomUUID } from 'node:crypto';
import { createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import { backoff, pause } from './backoff.ts';
import { identityParts, keyPairOf, pendingKeyName, wholeIdentity, type Identity } from './identity.ts';
import { IdentityUnreachable, type IdentityStore } from './identity-store.ts';
import type { Secret, SecretClient } from './secret-client.ts';

const lockName = 'clustral/identity-lock';
const mostReplacements = 5;
const waitWindow = { shortest: 50, first: 250, longest: 2_000 };

export type IdentitySecretOptions = {
  readonly client: Pick<SecretClient, 'called' | 'read' | 'replace'>;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly patience?: LockPatience;
};

/** Milliseconds. */
export type LockPatience = {
  /** A lock seen for so long is of a pod that is gone. Clocks of machines differ, so it is measured by whoever waits. */
  readonly staleMs: number;
  readonly deadlineMs: number;
};

/** Longer than enrolling and renewing take, and short enough that a pod killed in the middle of it is no outage. */
const usualPatience: LockPatience = { staleMs: 45_000, deadlineMs: 90_000 };

type Data = ReadonlyMap<string, string>;

export class IdentitySecret implements IdentityStore {
  readonly #options: IdentitySecretOptions;
  /** By what this process is known while it holds the lock. */
  #holder: string | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: IdentitySecretOptions) {
    this.#options = options;
  }

  async load(): Promise<Identity | undefined> {
    return wholeIdentity(dataOf(await this.#options.client.read()));
  }

  async save(identity: Identity): Promise<void> {
    await this.#replace(() => new Map(identityParts.map(([part, name]) => [name, identity[part]])));
  }

  async pendingKey(): Promise<KeyPair> {
    const kept = dataOf(await this.#options.client.read()).get(pendingKeyName);
    if (kept !== undefined) return keyPairOf(kept);
    const keys = await createKeyPair('P-256');
    await this.#replace((data) => new Map([...data, [pendingKeyName, keys.privateKeyPem]]));
    return keys;
  }

  /** Whoever waits for the lock in this very process waits in line, so that it never takes it over from itself. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#alone(work));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const holder = randomUUID();
    await this.#lock(holder);
    this.#holder = holder;
    try {
      return await work();
    } finally {
      this.#holder = undefined;
      // What cannot be given back now runs out by itself; what the work did is done either way.
      await this.#unlock(holder).catch(() => undefined);
    }
  }

  async #lock(holder: string): Promise<void> {
    const { client, monotonic, random, patience = usualPatience } = this.#options;
    const limit = AbortSignal.timeout(patience.deadlineMs);
    let seen: { readonly lock: string; readonly since: number } | undefined;
    for (let attempt = 1; ; attempt += 1) {
      const secret = await client.read();
      const lock = lockOf(secret);
      const now = monotonic();
      const isFree = lock === undefined || (seen?.lock === lock && now - seen.since >= patience.staleMs);
      if (isFree && (await client.replace(withLock(secret, holder)))) return;
      if (lock !== undefined && seen?.lock !== lock) seen = { lock, since: now };
      if (limit.aborted)
        throw new IdentityUnreachable(`Other processes hold the lock of ${client.called} for too long.`);
      await pause(backoff(attempt, random, waitWindow), limit);
    }
  }

  async #unlock(holder: string): Promise<void> {
    const { client } = this.#options;
    for (let attempt = 1; attempt <= mostReplacements; attempt += 1) {
      const secret = await client.read();
      if (lockOf(secret) !== holder || (await client.replace(withLock(secret, undefined)))) return;
    }
  }

  async #replace(change: (data: Data) => Data): Promise<void> {
    const { client } = this.#options;
    for (let attempt = 1; attempt <= mostReplacements; attempt += 1) {
      const secret = await client.read();
      if (this.#holder === undefined || lockOf(secret) !== this.#holder) {
        throw new IdentityUnreachable(`Another process took over the lock of ${client.called}; nothing was written.`);
      }
      if (await client.replace({ ...secret, data: encoded(change(dataOf(secret))) })) return;
    }
    throw new IdentityUnreachable(`Somebody else writes ${client.called} again and again; nothing was written.`);
  }
}

const dataOf = ({ data = {} }: Secret): Data =>
  new Map(Object.entries(data).map(([name, text]) => [name, Buffer.from(text, 'base64').toString('utf8')]));

const encoded = (data: Data): Readonly<Record<string, string>> =>
  Object.fromEntries([...data].map(([name, text]) => [name, Buffer.from(text, 'utf8').toString('base64')]));

const lockOf = ({ metadata }: Secret): string | undefined => metadata.annotations?.[lockName];

function withLock(secret: Secret, holder: string | undefined): Secret {
  const { [lockName]: _, ...others } = secret.metadata.annotations ?? {};
  const annotations = holder === undefined ? others : { ...others, [lockName]: holder };
  return { ...secret, metadata: { ...secret.metadata, annotations } };
}
