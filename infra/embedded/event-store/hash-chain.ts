/**
 * The chain of hashes over the stored events: `hash = sha256(hash of the row before ‖ row)`. SQLite has no page checksums,
 * so this is what notices a changed byte, a missing row or an edited event. It proves that rows are the ones that were
 * written, not who wrote them: someone who can write the file can compute a new chain.
 */
import { createHash, hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { DamagedLog } from './damage.ts';
import type { StoredEvent } from './records.ts';
import { eventColumns, eventSource, toStoredEvent, type EventRow } from './rows.ts';

/** What the first row is chained to. */
export function genesis(storeId: string): Buffer {
  return createHash('sha256').update(storeId).digest();
}

/** The hash of one row, given the hash of the row before it. Every variable part is preceded by its length. */
export function rowHash(previous: Uint8Array, event: StoredEvent): Buffer {
  const stream = Buffer.from(event.stream);
  const type = Buffer.from(event.type);
  const head = Buffer.alloc(41);
  head.writeBigUInt64BE(BigInt(event.position), 0);
  head.writeBigUInt64BE(BigInt(event.revision), 8);
  head.writeBigUInt64BE(BigInt(event.createdAt), 16);
  head.writeUInt8(event.json ? 1 : 0, 24);
  [stream, type, event.data, event.metadata].forEach((part, index) =>
    head.writeUInt32BE(part.byteLength, 25 + index * 4),
  );
  const row = Buffer.concat([previous, head, event.id, stream, type, event.data, event.metadata]);
  return hash('sha256', row, 'buffer');
}

/** Where a check stands: the last position that was checked (0 = none yet) and the hash stored there. */
export type ChainCursor = { readonly position: number; readonly hash: Uint8Array };

/** A cursor behind which at most `rows` rows are left to check. */
export function chainTail(database: DatabaseSync, origin: Uint8Array, rows: number): ChainCursor {
  const row = database.prepare('SELECT pos, hash FROM events ORDER BY pos DESC LIMIT 1 OFFSET ?').get(rows);
  return row === undefined
    ? { position: 0, hash: origin }
    : { position: row['pos'] as number, hash: row['hash'] as Uint8Array };
}

/**
 * Checks at most `rows` rows after the cursor and returns where to go on, or undefined at the end of the log.
 * Throws `DamagedLog` naming the position.
 */
export function checkChain(database: DatabaseSync, from: ChainCursor, rows: number): ChainCursor | undefined {
  const statement = database.prepare(
    `SELECT ${eventColumns}, e.hash ${eventSource} WHERE e.pos > ? ORDER BY e.pos LIMIT ?`,
  );
  statement.setReturnArrays(true);
  let cursor = from;
  let seen = 0;
  for (const row of statement.iterate(from.position, rows) as Iterable<unknown> as Iterable<
    [...EventRow, Uint8Array]
  >) {
    const event = toStoredEvent(row as unknown as EventRow);
    const stored = row[9];
    if (!rowHash(cursor.hash, event).equals(stored)) {
      throw new DamagedLog(
        `The log is damaged: the event at position ${event.position} (stream ${event.stream}, revision ` +
          `${event.revision}) or the one before it in ${database.location() ?? 'the database'} is not what was written.`,
      );
    }
    cursor = { position: event.position, hash: stored };
    seen += 1;
  }
  return seen < rows ? undefined : cursor;
}
