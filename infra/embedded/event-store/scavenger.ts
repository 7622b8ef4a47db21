/**
 * Takes out of the log what its streams no longer show: beyond `$maxCount`, older than `$maxAge`, before `$tb`, and what was
 * deleted. It works in slices of a few milliseconds, because while a slice runs nobody can append. It never takes the newest
 * event of a stream, by which the stream knows where it is, and so never the newest of the log.
 *
 * Rule: of each stream it takes a beginning, so what is left of a stream has no holes.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { tombstoneRevision } from './records.ts';
import type { StreamIndex } from './stream-index.ts';
import { describedStream, firstReadable, oldestReadable } from './stream-metadata.ts';

const streamsPerPage = 256;
const rowsPerLook = 32;

type StreamRow = { readonly id: number; readonly name: string; readonly tombstoned: 0 | 1 };
type Candidate = { readonly id: number; readonly keepFrom: number; readonly keepSince: number };
type Removable = { readonly pos: number; readonly created: number; readonly hash: Uint8Array };

export class Scavenger {
  readonly #streams: StreamIndex;
  readonly #origin: Uint8Array;
  readonly #sql: Readonly<Record<keyof typeof queries, StatementSync>>;
  #after = 0;
  #candidates: Candidate[] = [];
  /** True once every stream has been looked at. */
  #passed = false;

  constructor(database: DatabaseSync, { streams, origin }: { streams: StreamIndex; origin: Uint8Array }) {
    this.#streams = streams;
    this.#origin = origin;
    this.#sql = Object.fromEntries(
      Object.entries(queries).map(([name, sql]) => [name, database.prepare(sql)]),
    ) as Record<keyof typeof queries, StatementSync>;
  }

  get done(): boolean {
    return this.#passed && this.#candidates.length === 0;
  }

  /** Takes out up to about `most` events, within `until` (`performance.now()`), and answers how many. Inside a transaction. */
  slice({ until, most, now }: { readonly until: number; readonly most: number; readonly now: number }): number {
    let removed = 0;
    while (!this.done && removed < most && performance.now() < until) {
      const [candidate] = this.#candidates;
      if (candidate === undefined) {
        this.#look(now);
        continue;
      }
      const rows = this.#removable(candidate);
      for (const row of rows) this.#remove(row);
      removed += rows.length;
      if (rows.length < rowsPerLook) this.#candidates.shift();
    }
    return removed;
  }

  /** Begins from the first stream again. */
  restart(): void {
    this.#after = 0;
    this.#candidates = [];
    this.#passed = false;
  }

  /** Finds what can be scavenged at all: metadata streams, what they describe, and streams that were ended for good. */
  #look(now: number): void {
    const page = this.#sql.streams.all(tombstoneRevision, this.#after, streamsPerPage);
    for (const { id, name, tombstoned } of page as unknown as StreamRow[]) {
      this.#after = id;
      if (tombstoned === 1) {
        this.#candidates.push({ id, keepFrom: tombstoneRevision, keepSince: -Infinity });
        continue;
      }
      const described = describedStream(name);
      if (described === undefined) continue;
      this.#candidates.push({ id, keepFrom: this.#streams.state(name).last, keepSince: -Infinity });
      this.#consider(described, now);
    }
    this.#passed = page.length < streamsPerPage;
  }

  #consider(name: string, now: number): void {
    const { id, last, tombstoned, metadata } = this.#streams.state(name);
    if (id === undefined || tombstoned) return;
    const keepFrom = Math.min(firstReadable(last, metadata), last);
    this.#candidates.push({ id, keepFrom, keepSince: oldestReadable(metadata, now) });
  }

  /** The next rows of the stream's beginning that go. */
  #removable({ id, keepFrom, keepSince }: Candidate): readonly Removable[] {
    const byRevision = this.#sql.before.all(id, keepFrom, rowsPerLook) as unknown as Removable[];
    if (byRevision.length > 0 || keepSince === -Infinity) return byRevision;
    const oldest = this.#sql.oldest.all(id, id, rowsPerLook) as unknown as Removable[];
    const young = oldest.findIndex(({ created }) => created >= keepSince);
    return young === -1 ? oldest : oldest.slice(0, young);
  }

  /** Puts a gap where the event was, in one piece with the gaps beside it. */
  #remove({ pos, hash }: Removable): void {
    const nearest = this.#sql.gapUpTo.get(pos - 1);
    const left = nearest?.['last'] === pos - 1 ? nearest : undefined;
    const right = this.#sql.gapFrom.get(pos + 1);
    const before = left?.['before'] ?? this.#sql.hashAt.get(pos - 1)?.['hash'] ?? this.#origin;
    if (right !== undefined) this.#sql.dropGap.run(pos + 1);
    const first = (left?.['first'] as number | undefined) ?? pos;
    const last = (right?.['last'] as number | undefined) ?? pos;
    this.#sql.putGap.run(first, last, before as Uint8Array, (right?.['after'] as Uint8Array | undefined) ?? hash);
    this.#sql.remove.run(pos);
  }
}

const queries = {
  streams:
    'SELECT id, name, EXISTS (SELECT 1 FROM events WHERE stream = s.id AND rev = ?) AS tombstoned FROM streams s ' +
    'WHERE id > ? ORDER BY id LIMIT ?',
  before: 'SELECT pos, created, hash FROM events WHERE stream = ? AND rev < ? ORDER BY rev LIMIT ?',
  oldest:
    'SELECT pos, created, hash FROM events WHERE stream = ? AND rev < (SELECT max(rev) FROM events WHERE stream = ?) ' +
    'ORDER BY rev LIMIT ?',
  hashAt: 'SELECT hash FROM events WHERE pos = ?',
  gapUpTo: 'SELECT first, last, before FROM gaps WHERE first <= ? ORDER BY first DESC LIMIT 1',
  gapFrom: 'SELECT last, after FROM gaps WHERE first = ?',
  dropGap: 'DELETE FROM gaps WHERE first = ?',
  putGap: 'INSERT OR REPLACE INTO gaps (first, last, before, after) VALUES (?,?,?,?)',
  remove: 'DELETE FROM events WHERE pos = ?',
};
