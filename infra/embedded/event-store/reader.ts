/**
 * Reads pages of the log: of one stream by revision, or of everything by position, in either direction, optionally only what
 * a filter selects. A page is bounded by events, by bytes and by the events looked at, so no reader blocks the writer for
 * long. Each event is checked against its sum before it leaves; a page of a stream that has a hole is damage.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DamagedLog } from './damage.ts';
import type { EventFilter } from './filters/event-filter.ts';
import { byteOfRoot } from './page-locator.ts';
import type { StoredEvent } from './records.ts';
import { eventColumns, toCheckedEvent, type EventRow, type Names } from './rows.ts';

const eventsPerPage = 256;
const bytesPerPage = 256 * 1024;
/** The most that one page looks at when a filter selects little. */
const consideredPerPage = 2_048;
/** How long a page may spend on the decisions of its filter, which a client has written. */
const decideForMs = 5;

/** `next` is where the following page begins; it lies outside the asked range when this was the last one. */
export type Page = { readonly events: readonly StoredEvent[]; readonly next: number };
/** `considered` is how many events were looked at. */
export type FilteredPage = Page & { readonly considered: number };

type Looked = { readonly position: number; readonly selected: boolean };

/** A range of positions or revisions, both ends included, in the order in which it is read. */
type Range = { readonly from: number; readonly to: number };
type DirectedRange = Range & { readonly backwards?: boolean };

export class Reader {
  readonly #database: DatabaseSync;
  readonly #names: Names;
  readonly #sql: Readonly<Record<keyof typeof queries, StatementSync>>;

  constructor(database: DatabaseSync, names: Names) {
    this.#database = database;
    this.#names = names;
    this.#sql = Object.fromEntries(
      Object.entries(queries).map(([name, sql]) => {
        const statement = database.prepare(sql);
        statement.setReturnArrays(true);
        return [name, statement];
      }),
    ) as Record<keyof typeof queries, StatementSync>;
  }

  streamForwards(stream: number, { from, to }: Range): Page {
    const { events, whole } = this.#take(this.#sql.streamUp.iterate(stream, from, to));
    const run = this.#runOf(stream, events, { from, to });
    if (!run.inOrder || !run.begins || (whole && !run.ends)) throw this.#hole(stream, { from, to });
    return { events, next: (events.at(-1)?.revision ?? to) + 1 };
  }

  streamBackwards(stream: number, { from, to }: Range): Page {
    const { events, whole } = this.#take(this.#sql.streamDown.iterate(stream, to, from));
    const run = this.#runOf(stream, events.toReversed(), { from: to, to: from });
    if (!run.inOrder || !run.ends || (whole && !run.begins)) throw this.#hole(stream, { from, to });
    return { events, next: (events.at(-1)?.revision ?? to) - 1 };
  }

  /** One event, or undefined when it is not there. */
  eventOf(stream: number, revision: number): StoredEvent | undefined {
    return this.#take(this.#sql.streamUp.iterate(stream, revision, revision)).events[0];
  }

  /** The oldest revision that is stored; what comes before it was scavenged. */
  oldestOf(stream: number): number {
    const row = this.#sql.oldest.get(stream) as unknown as readonly [number] | undefined;
    return row?.[0] ?? 0;
  }

  /** Everything between two positions. */
  all({ from, to, backwards = false }: DirectedRange): Page {
    const rows = backwards ? this.#sql.allDown.iterate(to, from) : this.#sql.allUp.iterate(from, to);
    const { events, whole } = this.#take(rows);
    return { events, next: (whole ? to : (events.at(-1)?.position ?? to)) + (backwards ? -1 : 1) };
  }

  /** The same through a filter, looking at no more than `most` events. */
  filtered(filter: EventFilter, range: DirectedRange, most: number): FilteredPage {
    const { to, backwards = false } = range;
    const step = backwards ? -1 : 1;
    const { looked, atEnd } = this.#look(filter, range, Math.min(most, consideredPerPage));
    const events: StoredEvent[] = [];
    let bytes = 0;
    for (const { run, considered } of runsOf(looked)) {
      const page = this.all({ ...run, backwards });
      events.push(...page.events);
      for (const { data, metadata } of page.events) bytes += data.byteLength + metadata.byteLength;
      const left = Math.abs(run.to + step - page.next);
      if (left > 0 || events.length >= eventsPerPage || bytes >= bytesPerPage) {
        return { events, next: page.next, considered: considered - left };
      }
    }
    const end = atEnd ? to : (looked.at(-1)?.position ?? to);
    return { events, next: end + step, considered: looked.length };
  }

  /** The next events of the range and whether the filter selects them, as many as can be decided in a moment. */
  #look(
    filter: EventFilter,
    { from, to, backwards = false }: DirectedRange,
    most: number,
  ): { looked: readonly Looked[]; atEnd: boolean } {
    const query = `${filter.on}s${backwards ? 'Down' : 'Up'}` as const;
    const rows = this.#sql[query].all(Math.min(from, to), Math.max(from, to), most) as unknown as [number, number][];
    const until = performance.now() + decideForMs;
    const looked: Looked[] = [];
    for (const [position, id] of rows) {
      looked.push({ position, selected: filter.selects(id, this.#names) });
      if (performance.now() > until) break;
    }
    return { looked, atEnd: looked.length === rows.length && rows.length < most };
  }

  #take(rows: Iterable<unknown>): { readonly events: readonly StoredEvent[]; readonly whole: boolean } {
    const events: StoredEvent[] = [];
    let bytes = 0;
    for (const row of rows) {
      const event = toCheckedEvent(row as EventRow, { database: this.#database, names: this.#names });
      events.push(event);
      bytes += event.data.byteLength + event.metadata.byteLength;
      if (bytes >= bytesPerPage) return { events, whole: false };
    }
    return { events, whole: events.length < eventsPerPage };
  }

  /** A stream has no holes; it may lack its beginning, which was scavenged. `events` is oldest first. */
  #runOf(
    stream: number,
    events: readonly StoredEvent[],
    { from, to }: Range,
  ): { readonly inOrder: boolean; readonly begins: boolean; readonly ends: boolean } {
    const [first] = events;
    const last = events.at(-1);
    if (first === undefined || last === undefined) {
      const isScavenged = !this.#holdsBefore(stream, to + 1);
      return { inOrder: true, begins: isScavenged, ends: isScavenged };
    }
    return {
      inOrder: events.every(({ revision }, index) => revision === first.revision + index),
      begins: first.revision === from || !this.#holdsBefore(stream, first.revision),
      ends: last.revision === to,
    };
  }

  #hole(stream: number, { from, to }: Range): DamagedLog {
    return new DamagedLog(
      `stream ${this.#names.streamName(stream)} has a hole between revisions ${from} and ${to}; its index begins at byte ` +
        `${byteOfRoot(this.#database, 'events_by_stream')} of ${this.#database.location()}.`,
    );
  }

  #holdsBefore(stream: number, revision: number): boolean {
    return this.#sql.before.get(stream, revision) !== undefined;
  }
}

/** Runs of neighbours that were selected, each with how many events were looked at up to its end. */
function* runsOf(looked: readonly Looked[]): Generator<{ readonly run: Range; readonly considered: number }> {
  let run: { from: number; to: number } | undefined;
  for (const [considered, { position, selected }] of looked.entries()) {
    if (selected && run !== undefined && Math.abs(position - run.to) === 1) {
      run.to = position;
      continue;
    }
    if (run !== undefined) yield { run, considered };
    run = selected ? { from: position, to: position } : undefined;
  }
  if (run !== undefined) yield { run, considered: looked.length };
}

const ofStream = `SELECT ${eventColumns} FROM events WHERE stream = ? AND rev BETWEEN ? AND ? ORDER BY rev`;
const ofAll = `SELECT ${eventColumns} FROM events WHERE pos BETWEEN ? AND ? ORDER BY pos`;
const looksAt = (column: string, order: string): string =>
  `SELECT pos, ${column} FROM events WHERE pos BETWEEN ? AND ? ORDER BY pos ${order} LIMIT ?`;

const queries = {
  streamUp: `${ofStream} LIMIT ${eventsPerPage}`,
  streamDown: `${ofStream} DESC LIMIT ${eventsPerPage}`,
  allUp: `${ofAll} LIMIT ${eventsPerPage}`,
  allDown: `${ofAll} DESC LIMIT ${eventsPerPage}`,
  streamsUp: looksAt('stream', 'ASC'),
  streamsDown: looksAt('stream', 'DESC'),
  typesUp: looksAt('type', 'ASC'),
  typesDown: looksAt('type', 'DESC'),
  oldest: 'SELECT rev FROM events WHERE stream = ? ORDER BY rev LIMIT 1',
  before: 'SELECT 1 FROM events WHERE stream = ? AND rev < ? LIMIT 1',
};
