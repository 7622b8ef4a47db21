/**
 * What of proxied requests goes into the log, and when (D28-D30). A strict request is on record durably before anything is
 * forwarded; all others leave one record at their end, in batches, or share one with their like. Nothing is dropped: when too
 * much waits, new requests wait for room, and after a while are refused. It never looks at a body (D11).
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ProxyOutcome } from '@clustral/schemas/events/proxy.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { DayStream, type Waiting } from './day-stream.ts';
import {
  deniedRecord,
  endedRecord,
  gapRecord,
  startedRecord,
  streamOf,
  type Denial,
  type Ending,
  type Gap,
  type ProxyRecord,
  type RequestRecord,
} from './proxy-records.ts';
import { ReadGatherer } from './read-gatherer.ts';

/** Records that may wait for the log, and requests that may wait for room among them. */
const limits = { waiting: 10_000, forRoom: 1_000, deadlineMs: 5_000, idleStreams: 200 };

export type AuditTrailOptions = {
  readonly store: EventStore;
  readonly log: Log;
  /** The writer's epoch (D18), asked for each record. */
  readonly epoch: () => number;
  readonly now: () => Date;
  readonly random?: () => number;
  /** Smaller in tests. */
  readonly limits?: Partial<Pick<typeof limits, 'waiting' | 'deadlineMs'>>;
};

/** What must be known after a crash: until when all records are durable, and where open requests began. */
export type TrailMark = {
  readonly durableUntil: Date;
  /** Day stream to the lowest revision of a `started` record whose request is still open. */
  readonly open: Readonly<Record<string, number>>;
};

export type AuditTrail = {
  /** True when a request must wait for `room` before it is taken. */
  isFull(): boolean;
  /** Resolves when there is room; `STORE_UNAVAILABLE` when there is none in time. */
  room(): Promise<void>;
  /** Resolves when the `started` record is durable; `STORE_UNAVAILABLE` when it is not in time. */
  started(record: RequestRecord): Promise<void>;
  /** As `started`, for a request that goes on meanwhile. */
  noteStarted(record: RequestRecord): void;
  ended(record: RequestRecord, outcome: ProxyOutcome): void;
  denied(denial: Denial): void;
  gap(gap: Gap): void;
  /** Appends records made elsewhere, and resolves when they are durable. */
  write(records: readonly ProxyRecord[]): Promise<void>;
  mark(): TrailMark;
  /** Writes what waits, for at most `limitMs`. True when all of it is durable. Nothing is accepted after. */
  stop(limitMs: number): Promise<boolean>;
};

/** The trail of this process: the one writer of the `proxy-*` streams. */
export function createAuditTrail(options: AuditTrailOptions): AuditTrail {
  const trail = new Trail(options);
  return {
    isFull: () => trail.isFull(),
    room: () => trail.room(),
    started: (record) => trail.started(record),
    noteStarted: (record) => trail.note(record),
    ended: (record, outcome) => trail.ended(record, outcome),
    denied: (denial) => trail.push(deniedRecord(denial, options.epoch())),
    gap: (gap) => trail.push(gapRecord(gap, options.epoch())),
    write: (records) => trail.write(records),
    mark: () => trail.mark(),
    stop: (limitMs) => trail.stop(limitMs),
  };
}

class Trail {
  readonly #options: AuditTrailOptions;
  readonly #limits: typeof limits;
  readonly #streams = new Map<string, DayStream>();
  readonly #open = new Map<string, Map<string, number>>();
  readonly #roomWanted: (() => void)[] = [];
  readonly #emptied: (() => void)[] = [];
  readonly #reads: ReadGatherer;
  #count = 0;
  #stopped = false;

  constructor(options: AuditTrailOptions) {
    this.#options = options;
    this.#limits = { ...limits, ...options.limits };
    this.#reads = new ReadGatherer({
      now: options.now,
      write: ({ record, ending, since }) => this.#end(record, ending, since),
    });
  }

  isFull(): boolean {
    return this.#count >= this.#limits.waiting;
  }

  async room(): Promise<void> {
    if (this.#roomWanted.length >= limits.forRoom) throw unavailable();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(unavailable()), this.#limits.deadlineMs);
    this.#roomWanted.push(resolve);
    await promise.finally(() => {
      clearTimeout(timer);
      const at = this.#roomWanted.indexOf(resolve);
      if (at >= 0) this.#roomWanted.splice(at, 1);
    });
  }

  async started(record: RequestRecord): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(unavailable()), this.#limits.deadlineMs);
    this.push(startedRecord(record, this.#options.epoch()), {
      durable: (revision) => {
        this.#opened(record, revision);
        resolve();
      },
    });
    await promise.finally(() => clearTimeout(timer));
  }

  note(record: RequestRecord): void {
    this.push(startedRecord(record, this.#options.epoch()), {
      urgent: false,
      durable: (revision) => this.#opened(record, revision),
    });
  }

  ended(record: RequestRecord, outcome: ProxyOutcome): void {
    if (!this.#reads.take(record, outcome)) this.#end(record, { outcome });
  }

  #end(record: RequestRecord, ending: Ending, since?: number): void {
    const stream = streamOf(record);
    this.push(endedRecord(record, ending, this.#options.epoch()), {
      urgent: false,
      durable: () => this.#closed(stream, record.requestId),
      ...(since === undefined ? {} : { since }),
    });
  }

  async write(records: readonly ProxyRecord[]): Promise<void> {
    await Promise.all(
      records.map((record) => new Promise<void>((resolve) => this.push(record, { durable: () => resolve() }))),
    );
  }

  push({ stream, fact }: ProxyRecord, how: Partial<Omit<Waiting, 'fact'>> = { urgent: false }): void {
    if (this.#stopped) return;
    this.#count += 1;
    this.#streamOf(stream).push({
      fact,
      since: how.since ?? this.#options.now().getTime(),
      urgent: how.urgent ?? true,
      durable: (revision) => {
        this.#count -= 1;
        how.durable?.(revision);
        if (!this.isFull()) this.#roomWanted.shift()?.();
        if (this.#count === 0) for (const tell of this.#emptied.splice(0)) tell();
      },
    });
  }

  mark(): TrailMark {
    const sources = [this.#reads, ...this.#streams.values()];
    const waiting = sources.flatMap(({ oldest }) => (oldest === undefined ? [] : [oldest]));
    const durableUntil = new Date(Math.min(this.#options.now().getTime(), ...waiting));
    const open = Object.fromEntries([...this.#open].map(([stream, starts]) => [stream, Math.min(...starts.values())]));
    return { durableUntil, open };
  }

  async stop(limitMs: number): Promise<boolean> {
    this.#reads.flush();
    for (const stream of this.#streams.values()) stream.flush();
    if (this.#count > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#emptied.push(resolve);
      const timer = setTimeout(resolve, limitMs);
      await promise.finally(() => clearTimeout(timer));
    }
    this.#stopped = true;
    for (const stream of this.#streams.values()) stream.stop();
    return this.#count === 0;
  }

  #streamOf(name: string): DayStream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    if (this.#streams.size >= limits.idleStreams) this.#forgetIdle();
    const { store, log, random = Math.random } = this.#options;
    const stream = new DayStream({ stream: name, store, log, random });
    this.#streams.set(name, stream);
    return stream;
  }

  // A forgotten stream costs one refused append when it is written to again.
  #forgetIdle(): void {
    for (const [name, stream] of this.#streams) if (stream.idle) this.#streams.delete(name);
  }

  #opened(record: RequestRecord, revision: number): void {
    const stream = streamOf(record);
    const starts = this.#open.get(stream) ?? new Map<string, number>();
    this.#open.set(stream, starts.set(record.requestId, revision));
  }

  #closed(stream: string, requestId: string): void {
    const starts = this.#open.get(stream);
    if (starts?.delete(requestId) === true && starts.size === 0) this.#open.delete(stream);
  }
}

const unavailable = (): Refusal =>
  new Refusal(
    'STORE_UNAVAILABLE',
    'The request was not sent: it could not be put on record in time. Try again in a few seconds.',
    { retryAfterSeconds: '2' },
  );
