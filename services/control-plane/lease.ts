/**
 * The lease of the one active control plane (D18): facts in the log. Taking it is one append with the exact revision,
 * before anything else is written; keeping it is reading, once a second, that no newer take-over is there. It is fresh
 * for 3 s after a read that found its own epoch newest, by the monotonic clock and counted from before the read was
 * sent; who takes over from somebody else does nothing for as long, so that no two are fresh at once, however late an append
 * arrives. Once lost it is lost for this process.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Revision } from '@clustral/schemas/events/envelope.ts';
import {
  EpochLedger,
  leaseHeartbeatStream,
  leaseStream,
  leaseWaitingStream,
  type LeaseFact,
} from '@clustral/schemas/events/lease.ts';
import { RevisionConflict, type EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { Signs } from './lease-signs.ts';
import { signEveryMs, Turn } from './lease-turn.ts';

const freshForMs = 3_000;
const usuallyReadEveryMs = 1_000;
const mostBackoffMs = 5_000;
/** Without a newer sign nobody waits any more. */
const waitingForMs = 10_000;
/** Who cannot show for so long that the lease is theirs leaves it to who waits. */
const givesUpAfterMs = 8_000;
const stopMs = 500;

export type Lease = {
  readonly epoch: number;
  /** Id of the first fact of the lease, made at random when the log was first used: it names the log. */
  readonly logId: string;
  /** Where in the log it was taken: a fold that has reached it knows all that was written under earlier epochs. */
  readonly position: bigint;
  /** False from 3 s after the last confirmation, and for ever once it is lost. */
  isFresh(): boolean;
  /** Resolves with a sentence when another control plane has taken over, or is left to. The process must end then. */
  readonly lost: Promise<string>;
  /** Stops reading. The same holder may take over at once. */
  stop(): Promise<void>;
};

export type LeaseOptions = {
  readonly eventStore: Pick<EventStore, 'load' | 'append'>;
  readonly holder: string;
  readonly log: Log;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  readonly signal: AbortSignal;
  /** Told why, when another one is active, before this one waits for it. */
  readonly onWaiting?: (sentence: string) => Promise<void>;
  /** Shorter in tests. */
  readonly readEveryMs?: number;
  /** Another clock's in tests. Rejects when the signal aborts. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
};

const realPause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal });

/**
 * Takes the lease, waiting for the log as long as it takes, and for another holder until it is silent. Rejects only when the
 * signal aborts or the log holds nonsense.
 */
export async function takeLease(options: LeaseOptions): Promise<Lease> {
  const taken = await takeOver(options);
  const holding = new Holding(options, taken);
  // Whoever had it may believe so for as long after its last look.
  if (taken.hadOthers) await pauseOf(options)(freshForMs, options.signal);
  return holding;
}

type Taken = Pick<Lease, 'epoch' | 'logId' | 'position'> & {
  readonly revision: number;
  readonly at: number;
  /** True when the log was ever another holder's. */
  readonly hadOthers: boolean;
};

async function takeOver(options: LeaseOptions): Promise<Taken> {
  const { signal, readEveryMs = usuallyReadEveryMs } = options;
  const pause = pauseOf(options);
  const turn = new Turn(options);
  for (let failures = 0; ;) {
    signal.throwIfAborted();
    try {
      const { facts, revision } = await options.eventStore.load<LeaseFact>(leaseStream);
      if (await turn.hasCome(facts.at(-1)?.data.holder)) return await append(options, facts, revision);
      failures = 0;
      await pause(readEveryMs, signal);
    } catch (cause) {
      if (!(cause instanceof RevisionConflict) && !isUnavailable(cause)) throw cause;
      options.log.warn({ reason: String(cause) }, 'the lease could not be taken yet');
      turn.startAgain();
      failures += 1;
      await pause(Math.random() * Math.min(mostBackoffMs, 100 * 2 ** failures), signal);
    }
  }
}

async function append(
  { eventStore, holder, monotonic, log }: LeaseOptions,
  facts: Awaited<ReturnType<typeof eventStore.load<LeaseFact>>>['facts'],
  revision: Revision,
): Promise<Taken> {
  const ledger = new EpochLedger();
  for (const fact of facts) ledger.isVoid(fact);
  const epoch = ledger.epoch + 1;
  const id = randomUUID();
  const at = monotonic();
  const appended = await eventStore.append(leaseStream, revision, [
    {
      id,
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
  const hadOthers = facts.some(({ data }) => data.holder !== holder);
  return { epoch, logId: facts[0]?.id ?? id, position: appended.position, revision: appended.revision, at, hadOthers };
}

class Holding implements Lease {
  readonly epoch: number;
  readonly logId: string;
  readonly position: bigint;
  readonly #options: LeaseOptions;
  readonly #taken: Taken;
  readonly #waiting: Signs;
  readonly #heartbeat: Signs;
  readonly #stopped = new AbortController();
  readonly #lost = Promise.withResolvers<string>();
  readonly #work: Promise<unknown>;
  #isLost = false;
  #confirmedAt: number;
  #waitingUntil = -Infinity;
  #beatAt = -Infinity;

  constructor(options: LeaseOptions, taken: Taken) {
    this.epoch = taken.epoch;
    this.logId = taken.logId;
    this.position = taken.position;
    this.#options = options;
    this.#taken = taken;
    this.#confirmedAt = taken.at;
    this.#waiting = new Signs({ ...options, stream: leaseWaitingStream, type: 'control_plane.waiting' });
    this.#heartbeat = new Signs({ ...options, stream: leaseHeartbeatStream, type: 'control_plane.alive' });
    const signal = AbortSignal.any([options.signal, this.#stopped.signal]);
    this.#work = Promise.all([
      this.#every(signal, () => this.#confirm()),
      this.#every(signal, () => this.#showLife()),
      this.#every(signal, () => this.#giveUp()),
    ]);
  }

  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  isFresh(): boolean {
    return !this.#isLost && this.#options.monotonic() - this.#confirmedAt <= freshForMs;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    // A read that hangs must not hold up the stop: what it says is not listened to any more.
    await Promise.race([this.#work, sleep(stopMs)]);
  }

  async #every(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    const { log, monotonic, readEveryMs = usuallyReadEveryMs } = this.#options;
    while (!signal.aborted && !this.#isLost) {
      const from = monotonic();
      try {
        await act();
      } catch (cause) {
        if (signal.aborted) return;
        if (!isUnavailable(cause)) throw cause;
        log.warn({ reason: String(cause) }, 'the lease could not be confirmed');
      }
      // Counted from when it was begun: an answer that came too late to confirm anything is followed by the next read at once.
      const rest = Math.max(0, readEveryMs - (monotonic() - from));
      await pauseOf(this.#options)(rest, signal).catch(() => undefined);
    }
  }

  async #confirm(): Promise<void> {
    const { eventStore, monotonic } = this.#options;
    const at = monotonic();
    const { facts } = await eventStore.load<LeaseFact>(leaseStream, this.#taken.revision);
    const newer = facts.find((fact) => fact.data.epoch > this.epoch);
    if (newer === undefined) {
      this.#confirmedAt = at;
      return;
    }
    const { epoch, holder } = newer.data;
    this.#lose(`Another control plane (${holder}) took over with epoch ${epoch}; this one had ${this.epoch}.`);
  }

  // Apart from the confirmations: no sign is ever worth the freshness.
  async #showLife(): Promise<void> {
    const { monotonic } = this.#options;
    if ((await this.#waiting.look()) !== undefined) this.#waitingUntil = monotonic() + waitingForMs;
    if (!this.#isLost && this.#isAwaited && monotonic() - this.#beatAt >= signEveryMs * 0.75) {
      await this.#heartbeat.give();
      this.#beatAt = monotonic();
    }
  }

  get #isAwaited(): boolean {
    // By what was known when the log was last read.
    return this.#waitingUntil > this.#confirmedAt;
  }

  #giveUp(): Promise<void> {
    const silent = this.#options.monotonic() - this.#confirmedAt;
    if (this.#isAwaited && silent > givesUpAfterMs) {
      const seconds = Math.round(silent / 1_000);
      this.#lose(
        `The log could not be read for ${seconds} s and another control plane waits: the lease is left to it.`,
      );
    }
    return Promise.resolve();
  }

  #lose(sentence: string): void {
    this.#isLost = true;
    this.#lost.resolve(sentence);
  }
}

const pauseOf = ({ pause = realPause }: LeaseOptions): typeof realPause => pause;

const isUnavailable = (cause: unknown): boolean => cause instanceof Refusal && cause.code === 'STORE_UNAVAILABLE';
