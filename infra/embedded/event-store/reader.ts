/**
 * Reads pages of the log: of one stream by revision, or of everything by position, in either direction, optionally only
 * streams whose name begins with one of some prefixes. A page is bounded by events, by bytes and, for a filter that
 * matches little, by the positions looked at, so no reader blocks the writer for long.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredEvent } from './records.ts';
import { eventColumns, eventSource, toStoredEvent, type EventRow } from './rows.ts';

const eventsPerPage = 256;
const bytesPerPage = 1024 * 1024;
const positionsPerPage = 2_048;

/** `next` is where the following page begins; it lies outside the asked range when this was the last one. */
export type Page = { readonly events: readonly StoredEvent[]; readonly next: number };

/** A range of positions or revisions, both ends included. `from` > `to` reads backwards. */
type Range = { readonly from: number; readonly to: number };

export class Reader {
  readonly #database: DatabaseSync;
  readonly #forwards: StatementSync;
  readonly #backwards: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const ofStream = `SELECT ${eventColumns} ${eventSource} WHERE e.stream = ? AND e.rev BETWEEN ? AND ?`;
    this.#forwards = this.#prepare(`${ofStream} ORDER BY e.rev LIMIT ${eventsPerPage}`);
    this.#backwards = this.#prepare(`${ofStream} ORDER BY e.rev DESC LIMIT ${eventsPerPage}`);
  }

  streamForwards(stream: number, { from, to }: Range): Page {
    const events = takePage(this.#forwards.iterate(stream, from, to));
    return { events, next: (events.at(-1)?.revision ?? to) + 1 };
  }

  streamBackwards(stream: number, { from, to }: Range): Page {
    const events = takePage(this.#backwards.iterate(stream, to, from));
    return { events, next: (events.at(-1)?.revision ?? to) - 1 };
  }

  /** A reader of everything for one call, with its prefixes compiled in. No prefixes = no filter. */
  all(prefixes: readonly string[]): AllReader {
    // Compared as bytes from the start of the name; LIKE and GLOB would give meaning to characters in it.
    const matches = prefixes.map(() => 'substr(CAST(s.name AS BLOB), 1, length(?)) = ?').join(' OR ');
    const where = `WHERE e.pos BETWEEN ? AND ? ${matches === '' ? '' : `AND (${matches})`}`;
    const values = prefixes.map((prefix) => Buffer.from(prefix)).flatMap((prefix) => [prefix, prefix]);
    const page = (statement: StatementSync, range: Range) =>
      takePage(statement.iterate(range.from, range.to, ...values));
    const up = this.#prepare(`SELECT ${eventColumns} ${eventSource} ${where} ORDER BY e.pos LIMIT ${eventsPerPage}`);
    const down = this.#prepare(
      `SELECT ${eventColumns} ${eventSource} ${where} ORDER BY e.pos DESC LIMIT ${eventsPerPage}`,
    );
    return {
      forwards: ({ from, to }) => {
        const end = Math.min(to, from + positionsPerPage - 1);
        const events = page(up, { from, to: end });
        return { events, next: (cutShort(events) ? lastPosition(events) : end) + 1 };
      },
      backwards: ({ from, to }) => {
        const end = Math.max(to, from - positionsPerPage + 1);
        const events = page(down, { from: end, to: from });
        return { events, next: (cutShort(events) ? lastPosition(events) : end) - 1 };
      },
    };
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  }
}

export type AllReader = { forwards(range: Range): Page; backwards(range: Range): Page };

function takePage(rows: Iterable<unknown>): readonly StoredEvent[] {
  const events: StoredEvent[] = [];
  let bytes = 0;
  for (const row of rows) {
    const event = toStoredEvent(row as EventRow);
    events.push(event);
    bytes += event.data.byteLength + event.metadata.byteLength;
    if (bytes >= bytesPerPage) break;
  }
  return events;
}

/** True when the page may have stopped before the end of its range. */
function cutShort(events: readonly StoredEvent[]): boolean {
  if (events.length >= eventsPerPage) return true;
  return events.reduce((sum, { data, metadata }) => sum + data.byteLength + metadata.byteLength, 0) >= bytesPerPage;
}

function lastPosition(events: readonly StoredEvent[]): number {
  return events.at(-1)?.position ?? 0;
}
