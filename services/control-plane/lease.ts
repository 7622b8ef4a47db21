/**
 * The lease of the one active control plane (D18): facts in the log. Taking it is one append with the exact revision,
 * before anything else is written; keeping it is reading, once a second, that no newer take-over is there. It is fresh
 * for 3 s after a read that found its own epoch newest, by the monotonic clock and counted from before the read was
 * sent. It never writes to keep the lease, and once lost it is lost for this process.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@clustral/schemas/errors.ts';
import { EpochLedger, leaseStream, type LeaseFact } from '@clustral/schemas/events/lease.ts';
import { RevisionConflict, type EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Log } from '@clustral/kernel/log.ts';

const freshForMs = 3_000;
const usuallyReadEveryMs = 1_000;
const mostBackoffMs = 5_000;
const stopMs = 500;

export type Lease = {
  readonly epoch: number;
  /** Where in the log it was taken: a fold that has reached it knows all that was written under earlier epochs. */
  readonly position: bigint;
  /** False from 3 s after the last confirmation, and for ever once it is lost. */
  isFresh(): boolean;
  /** Resolves with a sentence when another control plane has taken over. The process must end then. */
  readonly lost: Promise<string>;
  /** Stops reading. The next holder may take over at once. */
  stop(): Promise<void>;
};

export type LeaseOptions = {
  readonly eventStore: Pick<EventStore, 'load' | 'append'>;
  readonly holder: string;
  readonly log: Log;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  readonly signal: AbortSignal;
  /** Shorter in tests. */
  readonly readEveryMs?: number;
};

/**
 * Takes the lease, waiting for the log as long as it takes. Rejects only when the signal aborts or the log holds
 * nonsense.
 */
export async function takeLease(options: LeaseOptions): Promise<Lease> {
  const taken = await takeOver(options);
  const stopped = new AbortController();
  const lost = Promise.withResolvers<string>();
  let confirmedAt = taken.at;
  let isLost = false;
  const watching = watch(options, taken, {
    signal: AbortSignal.any([options.signal, stopped.signal]),
    confirm: (at) => (confirmedAt = at),
    lose: (sentence) => {
      isLost = true;
      lost.resolve(sentence);
    },
  });
  return {
    epoch: taken.epoch,
    position: taken.position,
    isFresh: () => !isLost && options.monotonic() - confirmedAt <= freshForMs,
    lost: lost.promise,
    stop: async () => {
      stopped.abort();
      // A read that hangs must not hold up the stop: what it says is not listened to any more.
      await Promise.race([watching, sleep(stopMs)]);
    },
  };
}

type Taken = { readonly epoch: number; readonly position: bigint; readonly revision: number; readonly at: number };

async function takeOver(options: LeaseOptions): Promise<Taken> {
  for (let failures = 0; ; failures += 1) {
    options.signal.throwIfAborted();
    try {
      return await takeOverOnce(options);
    } catch (cause) {
      if (!(cause instanceof RevisionConflict) && !isUnavailable(cause)) throw cause;
      options.log.warn({ reason: String(cause) }, 'the lease could not be taken yet');
      await sleep(Math.random() * Math.min(mostBackoffMs, 200 * 2 ** failures), undefined, { signal: options.signal });
    }
  }
}

async function takeOverOnce({ eventStore, holder, monotonic, log }: LeaseOptions): Promise<Taken> {
  const { facts, revision } = await eventStore.load<LeaseFact>(leaseStream);
  const ledger = new EpochLedger();
  for (const fact of facts) ledger.isVoid(fact);
  const epoch = ledger.epoch + 1;
  const at = monotonic();
  const appended = await eventStore.append(leaseStream, revision, [
    {
      id: randomUUID(),
      type: 'control_plane.took_over',
      data: { epoch, holder },
      metadata: {
        schemaVersion: 1,
        actor: { kind: 'service', id: 'control-plane' },
        epoch,
        $correlationId: randomUUID(),
      },
    },
  ]);
  log.info({ epoch, holder }, 'took over');
  return { epoch, position: appended.position, revision: appended.revision, at };
}

type Watcher = {
  readonly signal: AbortSignal;
  confirm(at: number): void;
  lose(sentence: string): void;
};

async function watch(options: LeaseOptions, taken: Taken, watcher: Watcher): Promise<void> {
  const { eventStore, monotonic, log, readEveryMs = usuallyReadEveryMs } = options;
  while (!watcher.signal.aborted) {
    const at = monotonic();
    try {
      const { facts } = await eventStore.load<LeaseFact>(leaseStream, taken.revision);
      const newer = facts.find((fact) => fact.data.epoch > taken.epoch);
      if (newer) {
        const { epoch, holder } = newer.data;
        watcher.lose(`Another control plane (${holder}) took over with epoch ${epoch}; this one had ${taken.epoch}.`);
        return;
      }
      watcher.confirm(at);
    } catch (cause) {
      if (watcher.signal.aborted) return;
      if (!isUnavailable(cause)) throw cause;
      log.warn({ reason: String(cause) }, 'the lease could not be confirmed');
    }
    await sleep(readEveryMs, undefined, { signal: watcher.signal }).catch(() => undefined);
  }
}

const isUnavailable = (cause: unknown): boolean => cause instanceof Refusal && cause.code === 'STORE_UNAVAILABLE';
