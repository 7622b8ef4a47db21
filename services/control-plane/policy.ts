/**
 * The in-process fold of the policy streams, always what was last acknowledged and never a read model (D16). It follows
 * the log from its beginning or from where a snapshot was taken (D25), tells listeners of each fact after it took it, and
 * lets a command wait until it has the command's own facts. The rule it lives by: when it cannot prove that it is current,
 * it says so and nobody is let in.
 */
import { policyPrefixes } from '@clustral/schemas/events/catalogue.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import type { Lease } from './lease.ts';
import type { FoldParts } from './fold-parts.ts';
import { PolicyFold } from './policy-fold.ts';
import type { LogPlace, Snapshot } from './policy-snapshot.ts';
import type { Policy } from './ports.ts';

/** A fold that is behind what this process wrote for longer than this decides nothing. */
const mostLagMs = 3_000;
const mostWaiters = 10_000;

/** What the deciding half asks beyond the port: counts, scans and causes. */
export type PolicyQueries = Policy &
  Pick<
    PolicyFold,
    | 'isVoid'
    | 'allClusters'
    | 'accessOf'
    | 'allAccess'
    | 'openAccess'
    | 'requestPlace'
    | 'liveCredentials'
    | 'credentialCounts'
    | 'revokesDeniedLastHour'
    | 'ending'
  > & {
    /** Of the last fact that the fold read; -1 before the first. */
    readonly lastPosition: bigint;
  };

/** The fold as a snapshot takes it. */
export type FoldSource = {
  /** Counts up with each fact that was read, void or not. */
  readonly factsRead: number;
  /** All that the fold knows, and after which fact; undefined before the first. */
  capture(): { readonly at: LogPlace; readonly parts: FoldParts } | undefined;
};

export type FollowedPolicy = PolicyQueries & FoldSource & Running;

export type PolicyOptions = {
  readonly eventStore: Pick<EventStore, 'subscribe'>;
  readonly lease: Pick<Lease, 'isFresh' | 'position'>;
  readonly log: Log;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  readonly signal: AbortSignal;
  /** Of this log and this build: whoever gives it has made sure. */
  readonly snapshot?: Snapshot | undefined;
};

/** Starts the fold; resolves when it has everything that was in the log when the lease was taken. */
export async function startPolicy(options: PolicyOptions): Promise<FollowedPolicy> {
  const policy = beginning(options);
  await policy.begin();
  return policy;
}

/** From the snapshot, or without it when nothing can be made of it: it is a cache and must not keep anybody from starting. */
function beginning({ snapshot, ...options }: PolicyOptions): FollowingPolicy {
  if (!snapshot) return new FollowingPolicy(options);
  try {
    return new FollowingPolicy({ ...options, snapshot });
  } catch (cause) {
    options.log.warn({ reason: String(cause) }, 'a snapshot of the policy fold cannot be used');
    return new FollowingPolicy(options);
  }
}

/** Stays until the position is reached, also when nobody waits any longer: it shows how far the fold is behind. */
type Waiter = { readonly position: bigint; readonly since: number; readonly resolve: () => void };

class FollowingPolicy extends PolicyFold implements FollowedPolicy {
  readonly #options: Omit<PolicyOptions, 'snapshot'>;
  readonly #stopped = new AbortController();
  readonly #listeners = new Set<(fact: Recorded) => void>();
  readonly #waiters = new Set<Waiter>();
  #position: bigint;
  #last: LogPlace | undefined;
  #factsRead = 0;
  #hasEnded = false;
  #following: Promise<void> = Promise.resolve();

  constructor({ snapshot, ...options }: PolicyOptions) {
    super(options.now, snapshot?.parts);
    // Without the snapshot, whose lists would be kept as long as the fold.
    this.#options = options;
    this.#last = snapshot?.at;
    this.#position = this.#last?.position ?? -1n;
  }

  async begin(): Promise<void> {
    const { signal, lease } = this.#options;
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => aborted.reject(signal.reason as Error), { once: true });
    // Nobody waits for it here, so that a failure ends the process instead of leaving a fold that stands still.
    this.#following = this.#follow();
    await Promise.race([this.#until(lease.position), aborted.promise]);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#following;
  }

  assertFresh(): void {
    if (!this.#options.lease.isFresh()) {
      throw new Refusal(
        'STORE_UNAVAILABLE',
        'The control plane has not been able to confirm within 3 seconds that it is the active one. Try again in a few seconds.',
      );
    }
    this.assertLeaseReadable();
    const [oldest] = this.#waiters;
    if (this.#hasEnded) throw lagging();
    if (oldest && this.#options.monotonic() - oldest.since > mostLagMs) throw lagging();
  }

  async reached(position: bigint, deadlineMs: number): Promise<void> {
    if (position <= this.#position) return;
    if (this.#waiters.size >= mostWaiters) throw lagging();
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(lagging()), deadlineMs);
    await Promise.race([this.#until(position), promise]).finally(() => clearTimeout(timer));
  }

  onFact(listener: (fact: Recorded) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get lastPosition(): bigint {
    return this.#last?.position ?? -1n;
  }

  get factsRead(): number {
    return this.#factsRead;
  }

  capture(): ReturnType<FoldSource['capture']> {
    return this.#last && { at: this.#last, parts: this.parts() };
  }

  async #follow(): Promise<void> {
    const { eventStore, signal } = this.#options;
    const messages = eventStore.subscribe({
      prefixes: policyPrefixes,
      ...(this.#last && { after: this.#last.position }),
      signal: AbortSignal.any([signal, this.#stopped.signal]),
    });
    try {
      for await (const message of messages) {
        if (message.kind === 'fact') this.#takeNext(message.fact);
        else if (message.kind === 'checkpoint') this.#advance(message.position);
      }
    } finally {
      this.#hasEnded = true;
    }
  }

  #takeNext(fact: Recorded): void {
    if (fact.position < this.#position) return;
    const taken = this.take(fact);
    const { id, stream, revision, position } = fact;
    this.#last = { id, stream, revision, position };
    this.#factsRead += 1;
    if (taken === 'unreadable') {
      this.#options.log.error(
        { stream, revision, type: fact.type },
        'a policy fact cannot be read: its subject is denied',
      );
    }
    this.#advance(position);
    if (taken === 'void') return;
    for (const listener of this.#listeners) listener(fact);
  }

  #until(position: bigint): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (position <= this.#position) resolve();
    else this.#waiters.add({ position, since: this.#options.monotonic(), resolve });
    return promise;
  }

  #advance(position: bigint): void {
    this.#position = position;
    for (const waiter of this.#waiters) {
      if (waiter.position > position) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}

const lagging = (): Refusal =>
  new Refusal(
    'STORE_UNAVAILABLE',
    'The control plane has not yet read back what it wrote to the log. Try again in a few seconds.',
  );
