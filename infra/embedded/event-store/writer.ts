/**
 * The one writer. Appends queue until the end of the event loop's turn and are committed together, so one fsync serves all
 * that wait; each is checked before it writes, so a refused one leaves nothing behind. Nobody hears of an append before
 * its commit is on disk.
 *
 * After an error that leaves the disk in doubt it answers nobody and reports the error once; the process must end.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { checkExpected } from './expected-revision.ts';
import { rowHash } from './hash-chain.ts';
import type { AppendOutcome, Expected, ProposedEvent, StoredEvent } from './records.ts';
import { isDiskFull } from './sqlite-errors.ts';
import type { StreamIndex } from './stream-index.ts';
import { describedStream, parseMetadata } from './stream-metadata.ts';

const maxQueuedAppends = 4_096;
const maxQueuedBytes = 64 * 1024 * 1024;
const maxAppendsPerCommit = 512;
const maxBytesPerCommit = 8 * 1024 * 1024;
/** About 16 MB of WAL: what a start has to walk at most, and what one checkpoint has to copy. */
const maxWalPages = 4_000;
const pageBytes = 4_096;
/** Pages a commit touches beside the events' own bytes: leaf and index of events, streams. An upper estimate. */
const pagesPerCommit = 6;

export type Append = {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly ProposedEvent[];
  /** Size of all data, metadata and types. */
  readonly bytes: number;
  /** True when nobody waits for the answer any more; it is then not written. */
  abandoned(): boolean;
  /** Called at most once; never after a fatal error. */
  settle(outcome: AppendOutcome): void;
};

export type WriterOptions = {
  readonly database: DatabaseSync;
  readonly streams: StreamIndex;
  /** Where the log ends: the last position (0 when empty) and the hash there. */
  readonly end: { readonly position: number; readonly hash: Uint8Array };
  readonly now: () => number;
  readonly committed: () => void;
  readonly fatal: (error: Error) => void;
};

export class Writer {
  readonly #options: WriterOptions;
  readonly #insert: StatementSync;
  readonly #idsOfStream: StatementSync;
  #queue: Append[] = [];
  #queuedBytes = 0;
  #scheduled = false;
  #dead = false;
  #walPages = 0;
  #committedEnd: { readonly position: number; readonly hash: Uint8Array };
  /** Runs ahead of `#committedEnd` inside a transaction only. */
  #end: { readonly position: number; readonly hash: Uint8Array };

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#end = options.end;
    this.#committedEnd = options.end;
    this.#insert = options.database.prepare(
      'INSERT INTO events (pos, stream, rev, id, type, json, created, data, meta, hash) VALUES (?,?,?,?,?,?,?,?,?,?)',
    );
    this.#idsOfStream = options.database.prepare(
      'SELECT id, pos FROM events WHERE stream = ? AND rev > ? ORDER BY rev LIMIT ?',
    );
  }

  /** The last position that is on disk; 0 for an empty log. */
  get head(): number {
    return this.#committedEnd.position;
  }

  enqueue(append: Append): void {
    if (this.#dead) return;
    if (this.#queue.length >= maxQueuedAppends || this.#queuedBytes + append.bytes > maxQueuedBytes) {
      append.settle({ kind: 'busy', reason: `${this.#queue.length} appends are waiting already` });
      return;
    }
    this.#queue.push(append);
    this.#queuedBytes += append.bytes;
    this.#schedule();
  }

  /** Resolves once everything queued before has been answered. */
  async idle(): Promise<void> {
    while (this.#queue.length > 0 && !this.#dead) await new Promise((resolve) => setImmediate(resolve));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  #drain(): void {
    const batch = this.#take();
    let outcomes: readonly AppendOutcome[];
    try {
      outcomes = this.#commit(batch);
    } catch (error) {
      this.#die(error);
      return;
    }
    batch.forEach((append, index) => append.settle(outcomes[index] as AppendOutcome));
    if (outcomes.some(({ kind }) => kind === 'appended')) this.#options.committed();
    if (this.#walPages >= maxWalPages) setImmediate(() => this.#checkpoint());
    if (this.#queue.length > 0) this.#schedule();
  }

  #take(): readonly Append[] {
    let bytes = 0;
    let count = 0;
    for (const append of this.#queue) {
      bytes += append.bytes;
      if (count > 0 && (count >= maxAppendsPerCommit || bytes > maxBytesPerCommit)) break;
      count += 1;
    }
    const taken = this.#queue.splice(0, count);
    for (const append of taken) this.#queuedBytes -= append.bytes;
    return taken.filter((append) => !append.abandoned());
  }

  /** One transaction for all. Throws only what ends the process. */
  #commit(batch: readonly Append[]): readonly AppendOutcome[] {
    const { database, streams } = this.#options;
    try {
      database.exec('BEGIN IMMEDIATE');
      const outcomes = batch.map((append) => this.#apply(append));
      database.exec('COMMIT');
      const written = batch.reduce((sum, { bytes }) => sum + bytes, 0);
      this.#walPages += pagesPerCommit + Math.ceil((2 * written) / pageBytes);
      this.#committedEnd = this.#end;
      return outcomes;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      // SQLite has rolled back already in most cases, and says so by having no transaction.
      if (database.isTransaction) database.exec('ROLLBACK');
      streams.forget();
      this.#end = this.#committedEnd;
      return batch.map(() => ({ kind: 'unavailable', reason: 'the disk of the event store is full' }));
    }
  }

  #apply(append: Append): AppendOutcome {
    const { streams } = this.#options;
    const entry = streams.find(append.stream);
    const verdict = checkExpected(append, entry, (after, count) => this.#storedIds(entry?.id ?? 0, { after, count }));
    if (verdict.kind !== 'write') return verdict;
    const described = describedStream(append.stream);
    const newest = append.events.at(-1);
    if (described !== undefined && newest !== undefined) {
      const metadata = parseMetadata(newest.data);
      if ('refused' in metadata) return { kind: 'invalid', reason: metadata.refused };
      streams.describe(described, metadata);
    }
    return this.#write(append);
  }

  #write(append: Append): AppendOutcome {
    const { streams, now } = this.#options;
    const entry = streams.findOrCreate(append.stream);
    const createdAt = now();
    let revision = entry.last;
    for (const proposed of append.events) {
      revision += 1;
      const position = this.#end.position + 1;
      const event: StoredEvent = { ...proposed, position, revision, stream: append.stream, createdAt };
      const hash = rowHash(this.#end.hash, event);
      const type = streams.typeId(event.type);
      const { id, json, data, metadata } = event;
      this.#insert.run(position, entry.id, revision, id, type, json ? 1 : 0, createdAt, data, metadata, hash);
      this.#end = { position, hash };
    }
    streams.advance(entry, revision);
    return { kind: 'appended', revision, position: this.#end.position };
  }

  #storedIds(
    stream: number,
    { after, count }: { after: number; count: number },
  ): { id: Uint8Array; position: number }[] {
    return this.#idsOfStream
      .all(stream, after, count)
      .map((row) => ({ id: row['id'] as Uint8Array, position: row['pos'] as number }));
  }

  /** By hand, because SQLite swallows the errors of its automatic checkpoints, and a failed fsync must end us (F-14). */
  #checkpoint(): void {
    if (this.#dead || this.#walPages < maxWalPages) return;
    try {
      this.#options.database.exec('PRAGMA wal_checkpoint(PASSIVE)');
      this.#walPages = 0;
    } catch (error) {
      // No space to grow the database: the WAL keeps every commit, and the next checkpoint tries again.
      if (isDiskFull(error)) return;
      this.#die(error);
    }
  }

  #die(cause: unknown): void {
    this.#dead = true;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const sentence = `The event store stopped because a write failed (${reason}). What was acknowledged is kept; check the disk.`;
    this.#options.fatal(new Error(sentence, { cause }));
  }
}
