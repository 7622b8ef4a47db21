/**
 * The log as the protocol handlers see it: change, look up a stream, read pages, wait for the next commit. It wires the
 * database, the writer and the reader, has the rest of the files checked behind its back, and scavenges now and then.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { asDamage } from './damage.ts';
import { BackgroundCheck } from './background-check.ts';
import { CommitSignal } from './commit-signal.ts';
import { logFile, openDatabase, type OpenedDatabase } from './database.ts';
import { Ledger } from './ledger.ts';
import { Metrics, type LogGauges } from './metrics.ts';
import { Reader } from './reader.ts';
import { tombstoneRevision, type Note, type StoredEvent } from './records.ts';
import { Scavenger } from './scavenger.ts';
import { StreamIndex } from './stream-index.ts';
import { firstReadable, oldestReadable } from './stream-metadata.ts';
import { Writer, type QueuedChange } from './writer.ts';

/** A slice of scavenging and its commit keep everybody waiting, at most 50 ms. It grows and shrinks to stay far below that. */
const sliceMs = 5;
const sliceWithCommitMs = 15;
const fewestPerSlice = 32;
const mostPerSlice = 512;
const betweenSlicesMs = 20;
const scavengeEveryMs = 60 * 60 * 1_000;

export type EventLogOptions = {
  readonly folder: string;
  readonly note: (note: Note) => void;
  /** The process must end now: the disk is in doubt, or the log is not what was written. */
  readonly fatal: (error: Error) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** How often the log is scavenged; hourly by default. */
  readonly scavengeEveryMs?: number;
};

/** What is readable of a stream: revisions `first` to `last` of events created at `since` or later. */
export type ReadableStream =
  | { readonly kind: 'absent' }
  | { readonly kind: 'tombstoned' }
  | {
      readonly kind: 'readable';
      readonly id: number;
      readonly first: number;
      readonly last: number;
      readonly since: number;
    };

/** Opens the folder; see `openDatabase` for what it throws. */
export function openEventLog(options: EventLogOptions): EventLog {
  return new EventLog(openDatabase(options.folder, options.note), options);
}

export class EventLog {
  readonly reader: Reader;
  readonly signal = new CommitSignal();
  readonly metrics = new Metrics();
  readonly #opened: OpenedDatabase;
  readonly #options: EventLogOptions;
  readonly #streams: StreamIndex;
  readonly #ledger: Ledger;
  readonly #writer: Writer;
  readonly #check: BackgroundCheck;
  readonly #scavenger: Scavenger;
  #closing = false;
  #perSlice = 128;
  #timer: NodeJS.Timeout | undefined;

  constructor(opened: OpenedDatabase, options: EventLogOptions) {
    const { database, end, newest, origin, head } = opened;
    this.#opened = opened;
    this.#options = options;
    this.#streams = new StreamIndex(database);
    this.reader = new Reader(database, this.#streams);
    this.#ledger = new Ledger({ database, streams: this.#streams, end, newest, now: options.now });
    this.#writer = new Writer({
      database,
      ledger: this.#ledger,
      head,
      metrics: this.metrics,
      committed: () => this.signal.committed(),
      fatal: options.fatal,
    });
    this.#scavenger = new Scavenger(database, { streams: this.#streams, origin });
    this.#check = new BackgroundCheck(opened, { folder: options.folder, fatal: options.fatal });
    this.#scavengeIn(options.scavengeEveryMs ?? scavengeEveryMs);
  }

  /** The last position; 0 for an empty log. */
  get head(): number {
    return this.#ledger.end.position;
  }

  /** True from the call of `close` on: read nothing more. */
  get closing(): boolean {
    return this.#closing;
  }

  change(queued: QueuedChange): void {
    if (this.#closing) queued.settle({ kind: 'unavailable', reason: 'the event store is stopping' });
    else this.#writer.enqueue(queued);
  }

  stream(name: string): ReadableStream {
    const { id, last, tombstoned, metadata } = this.#streams.state(name);
    if (tombstoned) return { kind: 'tombstoned' };
    if (id === undefined || last === -1 || metadata.softDeleted === true) return { kind: 'absent' };
    const since = oldestReadable(metadata, this.#options.now());
    return { kind: 'readable', id, first: firstReadable(last, metadata), last, since };
  }

  /** One event of a stream, or undefined when it is not there to be read. The tombstone of a stream is. */
  event(name: string, revision: number): StoredEvent | undefined {
    const { id, tombstoned } = this.#streams.state(name);
    const stream = this.stream(name);
    if (id === undefined) return undefined;
    if (tombstoned) return revision === tombstoneRevision ? this.reader.eventOf(id, revision) : undefined;
    if (stream.kind !== 'readable' || revision < stream.first || revision > stream.last) return undefined;
    const event = this.reader.eventOf(id, revision);
    return event !== undefined && event.createdAt >= stream.since ? event : undefined;
  }

  /** What an error means that came up while reading: the process must end over damage, and over bugs too. */
  failed(error: unknown): void {
    const meaning = asDamage(error, join(this.#options.folder, logFile));
    this.#options.fatal(meaning instanceof Error ? meaning : new Error(String(meaning)));
  }

  gauges(): LogGauges {
    const { changes, bytes } = this.#writer.queued;
    const path = join(this.#options.folder, logFile);
    return {
      head: this.head,
      queuedChanges: changes,
      queuedBytes: bytes,
      databaseBytes: sizeOf(path),
      walBytes: sizeOf(`${path}-wal`),
      checkedPosition: this.#check.position,
    };
  }

  /** Scavenges the whole log now, slice by slice. Resolves with how many events were taken out; at once when it is closing. */
  async scavenge(): Promise<number> {
    let removed = 0;
    this.#scavenger.restart();
    while (!this.#scavenger.done && !this.#closing) {
      const slice = this.#scavengeSlice();
      if (slice === undefined) break;
      removed += slice;
      await new Promise((resolve) => setTimeout(resolve, betweenSlicesMs));
    }
    return removed;
  }

  /** Answers what is queued and closes the files. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#writer.idle();
    this.#writer.stop();
    await this.#check.stop();
    this.#opened.close();
  }

  /** Undefined when the disk is full or the writer is at its end: then it is for another time. */
  #scavengeSlice(): number | undefined {
    let removed: number | undefined;
    const begunAt = performance.now();
    this.#writer.guarded(() => {
      const slice = this.#writer.transaction(() => {
        const now = this.#options.now();
        const count = this.#scavenger.slice({ until: begunAt + sliceMs, most: this.#perSlice, now });
        // Each row takes a page of the events and one of their index with it.
        return { count, bytes: count * 4_096 };
      });
      removed = slice?.count;
    });
    const tookMs = performance.now() - begunAt;
    if (tookMs > sliceWithCommitMs) this.#perSlice = Math.max(fewestPerSlice, this.#perSlice / 2);
    else if (tookMs < sliceWithCommitMs / 3) this.#perSlice = Math.min(mostPerSlice, this.#perSlice * 2);
    this.metrics.scavenges.observe(tookMs / 1_000);
    this.metrics.counts.eventsScavenged += removed ?? 0;
    return removed;
  }

  #scavengeIn(delayMs: number): void {
    this.#timer = setTimeout(() => {
      void this.scavenge().then(() => {
        if (!this.#closing) this.#scavengeIn(delayMs);
      });
    }, delayMs);
    this.#timer.unref();
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
