/**
 * How an event lies in the database, in one place: the columns every query selects, in the order in which they are read, and
 * the check that a row is what was written. Rows come as arrays, which node:sqlite makes in half the time of objects; names
 * come from the caches of `StreamIndex`, which are quicker than a join.
 */
import type { DatabaseSync } from 'node:sqlite';
import { DamagedLog } from './damage.ts';
import { rowSum } from './hash-chain.ts';
import { byteOfEvent } from './page-locator.ts';
import type { StoredEvent } from './records.ts';

export const eventColumns = 'pos, stream, rev, type, json, created, sum, id, meta, data';

export type EventRow = readonly [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

/** Numbers to names. Throws `DamagedLog` for a number that was never given. */
export type Names = { streamName(id: number): string; typeName(id: number): string };

export function toStoredEvent(row: EventRow, names: Names): StoredEvent {
  const [position, stream, revision, type, json, createdAt, , id, metadata, data] = row;
  return {
    position,
    stream: names.streamName(stream),
    revision,
    type: names.typeName(type),
    json: json === 1,
    createdAt,
    id: asBuffer(id),
    metadata: asBuffer(metadata),
    data: asBuffer(data),
  };
}

/** The event of a row that was checked against its sum. Throws `DamagedLog` naming position and byte. */
export function toCheckedEvent(
  row: EventRow,
  { database, names }: { database: DatabaseSync; names: Names },
): StoredEvent {
  const event = toStoredEvent(row, names);
  if (rowSum(event) !== row[6]) throw damagedEvent(database, event);
  return event;
}

export function damagedEvent(database: DatabaseSync, event: StoredEvent): DamagedLog {
  const path = database.location() ?? 'the database';
  return new DamagedLog(
    `the event at position ${event.position} (stream ${event.stream}, revision ${event.revision}) at byte ` +
      `${byteOfEvent(database, event.position)} of ${path}, or the one before it, is not what was written.`,
  );
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
