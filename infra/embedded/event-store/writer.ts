/**
 * The one writer. Changes queue until the end of the event loop's turn and are committed together, so one fsync serves all
 * that wait; each is checked before it writes, so a refused one leaves nothing behind. Nobody hears of a change before its
 * commit is on disk and the head file says so.
 *
 * After an error that leaves the disk in doubt it answers nobody and reports the error once; the process must end.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { HeadFile } from './head-file.ts';
import type { Change, Ledger } from './ledger.ts';
import type { Metrics } from './metrics.ts';
import type { Outcome } from './records.ts';
import { isDiskFull } from './sqlite-errors.ts';

const maxQueuedChanges = 4_096;
const maxQueuedBytes = 64 * 1024 * 1024;
const maxChangesPerCommit = 512;
const maxBytesPerCommit = 8 * 1024 * 1024;
/** About 8 MB of WAL: what a start has to walk at most, and what one checkpoint has to copy while everybody waits. */
const maxWalPages = 2_000;
const pageBytes = 4_096;
/** Pages a commit touches beside the events' own bytes: leaf and index of events, new names. An upper estimate. */
const pagesPerCommit = 6;

const diskFull: Outcome = { kind: 'unavailable', reason: 'the disk of the event store is full' };

export type QueuedChange = {
  readonly change: Change;
  /** Size of all data, metadata and types. */
  readonly bytes: number;
  /** True when nobody waits for the answer any more; it is then not written. */
  abandoned(): boolean;
  /** Called at most once; never after a fatal error. */
  settle(outcome: Outcome): void;
};

export type WriterOptions = {
  readonly database: DatabaseSync;
  readonly ledger: Ledger;
  readonly head: HeadFile;
  readonly metrics: Metrics;
  readonly committed: () => void;
  readonly fatal: (error: Error) => void;
};

export class Writer {
  readonly #options: WriterOptions;
  readonly #begin: StatementSync;
  readonly #commitAll: StatementSync;
  #queue: QueuedChange[] = [];
  #queuedBytes = 0;
  #scheduled = false;
  #stopped = false;
  #walPages = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#begin = options.database.prepare('BEGIN IMMEDIATE');
    this.#commitAll = options.database.prepare('COMMIT');
  }

  get queued(): { readonly changes: number; readonly bytes: number } {
    return { changes: this.#queue.length, bytes: this.#queuedBytes };
  }

  get walPages(): number {
    return this.#walPages;
  }

  enqueue(queued: QueuedChange): void {
    if (this.#stopped) return;
    if (this.#queue.length >= maxQueuedChanges || this.#queuedBytes + queued.bytes > maxQueuedBytes) {
      this.#options.metrics.counts.refusedChanges += 1;
      queued.settle({ kind: 'busy', reason: `${this.#queue.length} appends are waiting already` });
      return;
    }
    this.#queue.push(queued);
    this.#queuedBytes += queued.bytes;
    this.#schedule();
  }

  /** Resolves once everything queued before has been answered. */
  async idle(): Promise<void> {
    while (this.#queue.length > 0 && !this.#stopped) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Writes nothing more: the files are about to be closed. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Runs `work` in a transaction of its own and commits it, or undoes it when the disk is full: then the answer is undefined.
   * `work` says how many bytes it has written, roughly. Throws what ends the process.
   */
  transaction<T extends { readonly bytes: number }>(work: () => T): T | undefined {
    const { database, ledger, head } = this.#options;
    try {
      this.#begin.run();
      const result = work();
      const before = ledger.end.position;
      this.#commitAll.run();
      ledger.committed();
      if (ledger.end.position !== before) head.write(ledger.end);
      this.#walPages += pagesPerCommit + Math.ceil((2 * result.bytes) / pageBytes);
      return result;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      // SQLite has rolled back already in most cases, and says so by having no transaction.
      if (database.isTransaction) database.exec('ROLLBACK');
      ledger.rolledBack();
      return undefined;
    }
  }

  /** Runs work of others that writes; its failure ends the process as one of the writer's own would. */
  guarded(work: () => void): void {
    if (this.#stopped) return;
    try {
      work();
      this.#checkpointIfDue();
    } catch (error) {
      this.#die(error);
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#stopped) return;
      this.#drain();
    });
  }

  #drain(): void {
    const batch = this.#take();
    let outcomes: readonly Outcome[];
    let events: number;
    try {
      ({ outcomes, events } = this.#commit(batch));
    } catch (error) {
      this.#die(error);
      return;
    }
    batch.forEach((queued, index) => queued.settle(outcomes[index] as Outcome));
    if (events > 0) this.#options.committed();
    this.#checkpointIfDue();
    if (this.#queue.length > 0) this.#schedule();
  }

  #take(): readonly QueuedChange[] {
    let bytes = 0;
    let count = 0;
    for (const queued of this.#queue) {
      bytes += queued.bytes;
      if (count > 0 && (count >= maxChangesPerCommit || bytes > maxBytesPerCommit)) break;
      count += 1;
    }
    const taken = this.#queue.splice(0, count);
    for (const queued of taken) this.#queuedBytes -= queued.bytes;
    return taken.filter((queued) => !queued.abandoned());
  }

  /** One transaction for all. Throws only what ends the process. */
  #commit(batch: readonly QueuedChange[]): { outcomes: readonly Outcome[]; events: number } {
    const { ledger, metrics } = this.#options;
    if (batch.length === 0) return { outcomes: [], events: 0 };
    const begunAt = performance.now();
    const result = this.transaction(() => {
      const outcomes = batch.map(({ change }) => ledger.apply(change));
      return { outcomes, events: ledger.written, bytes: batch.reduce((sum, { bytes }) => sum + bytes, 0) };
    }) ?? { outcomes: batch.map(() => diskFull), events: 0 };
    metrics.commits.observe((performance.now() - begunAt) / 1_000);
    metrics.counts.events += result.events;
    for (const { kind } of result.outcomes) metrics.counts.outcomes[kind] += 1;
    return result;
  }

  /** Later, so that those who were just answered hear of it first. */
  #checkpointIfDue(): void {
    if (this.#walPages >= maxWalPages) setImmediate(() => this.#checkpoint());
  }

  /** By hand, because SQLite swallows the errors of its automatic checkpoints, and a failed fsync must end us (F-14). */
  #checkpoint(): void {
    if (this.#stopped || this.#walPages < maxWalPages) return;
    try {
      const begunAt = performance.now();
      // What leaves the write-ahead log loses its checksums: from here on the head file must be as durable as the database.
      this.#options.head.sync();
      this.#options.database.exec('PRAGMA wal_checkpoint(PASSIVE)');
      this.#options.metrics.checkpoints.observe((performance.now() - begunAt) / 1_000);
      this.#walPages = 0;
    } catch (error) {
      // No space to grow the database: the WAL keeps every commit, and the next checkpoint tries again.
      if (isDiskFull(error)) return;
      this.#die(error);
    }
  }

  #die(cause: unknown): void {
    this.#stopped = true;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const sentence = `The event store stopped because a write failed (${reason}). What was acknowledged is kept; check the disk.`;
    this.#options.fatal(new Error(sentence, { cause }));
  }
}
