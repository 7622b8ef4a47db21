/**
 * Walks the chain of hashes through the stored events and the gaps that scavenging left, a slice at a time, and says where it
 * breaks. Each row is held against three things: the hash chained to the row before, its own sum, and its entry in the index
 * by stream. A position that is missing must lie in a gap whose hashes fit on both sides.
 */
import type { DatabaseSync } from 'node:sqlite';
import { DamagedLog } from './damage.ts';
import { contentDigest, rowHash, rowSum } from './hash-chain.ts';
import { byteOfEvent } from './page-locator.ts';
import type { StoredEvent } from './records.ts';
import { damagedEvent, eventColumns, toStoredEvent, type EventRow, type Names } from './rows.ts';

/** Where a check stands: the last position that was checked (0 = none yet) and the hash there. */
export type ChainCursor = { readonly position: number; readonly hash: Uint8Array };

export type ChainSlice = {
  /** Where to go on, or undefined at the end of the log. */
  readonly next: ChainCursor | undefined;
  readonly events: readonly StoredEvent[];
};

type CheckedRow = readonly [...EventRow, hash: Uint8Array, indexed: number | null];

/** A cursor behind which at most `rows` rows are left to check. */
export function chainTail(database: DatabaseSync, origin: Uint8Array, rows: number): ChainCursor {
  const row = database.prepare('SELECT pos, hash FROM events ORDER BY pos DESC LIMIT 1 OFFSET ?').get(rows);
  return row === undefined
    ? { position: 0, hash: origin }
    : { position: row['pos'] as number, hash: row['hash'] as Uint8Array };
}

export class ChainCheck {
  readonly #database: DatabaseSync;
  readonly #names: Names;
  readonly #gap: ReturnType<DatabaseSync['prepare']>;
  readonly #rows: ReturnType<DatabaseSync['prepare']>;

  constructor(database: DatabaseSync, names: Names) {
    this.#database = database;
    this.#names = names;
    this.#gap = database.prepare(
      'SELECT first, last, before, after FROM gaps WHERE first <= ? ORDER BY first DESC LIMIT 1',
    );
    this.#rows = database.prepare(
      `SELECT ${eventColumns}, hash, (SELECT i.pos FROM events i INDEXED BY events_by_stream ` +
        'WHERE i.stream = e.stream AND i.rev = e.rev) FROM events e WHERE pos > ? ORDER BY pos LIMIT ?',
    );
    this.#rows.setReturnArrays(true);
  }

  /** Checks at most `rows` rows after the cursor. Throws `DamagedLog` naming position, file and byte. */
  slice(from: ChainCursor, rows: number): ChainSlice {
    const events: StoredEvent[] = [];
    let cursor = from;
    for (const row of this.#rows.iterate(from.position, rows) as Iterable<unknown> as Iterable<CheckedRow>) {
      cursor = this.#checkRow(this.#overGap(cursor, row[0]), row, events);
    }
    return { next: events.length < rows ? undefined : cursor, events };
  }

  #checkRow(before: ChainCursor, row: CheckedRow, events: StoredEvent[]): ChainCursor {
    const event = toStoredEvent(row as unknown as EventRow, this.#names);
    const [position, , , , , , sum] = row;
    const [, , , , , , , , , , hash, indexed] = row;
    const sound =
      rowHash(before.hash, event, contentDigest(event)).equals(hash) && rowSum(event) === sum && indexed === position;
    if (!sound) throw damagedEvent(this.#database, event);
    events.push(event);
    return { position, hash };
  }

  #overGap(cursor: ChainCursor, position: number): ChainCursor {
    if (position === cursor.position + 1) return cursor;
    const gap = this.#gap.get(cursor.position + 1);
    // A gap that begins before the cursor has swallowed the row there since it was checked.
    const joins =
      gap !== undefined &&
      ((gap['first'] as number) <= cursor.position || Buffer.compare(gap['before'] as Uint8Array, cursor.hash) === 0);
    if (joins && gap['last'] === position - 1) return { position: position - 1, hash: gap['after'] as Uint8Array };
    const path = this.#database.location() ?? 'the database';
    throw new DamagedLog(
      `between position ${cursor.position} and position ${position} at byte ${byteOfEvent(this.#database, position)} ` +
        `of ${path} events are missing that nobody scavenged.`,
    );
  }
}
