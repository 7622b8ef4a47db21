/**
 * Names to numbers and back: streams and event types, with bounded caches in front of the two tables. What is known of a
 * stream is kept with it (last revision, metadata), so an append that continues a known stream reads nothing.
 *
 * Rule: the caches may run ahead of the disk inside a transaction, so whoever rolls back calls `forget`.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DamagedLog } from './damage.ts';
import { GenerationCache } from './generation-cache.ts';
import { byteOfRoot } from './page-locator.ts';
import { tombstoneRevision } from './records.ts';
import { eventColumns, toCheckedEvent, type EventRow, type Names } from './rows.ts';
import {
  describedStream,
  metadataOfMetastream,
  metastreamOf,
  parseMetadata,
  type StreamMetadata,
} from './stream-metadata.ts';

const entriesPerGeneration = 10_000;

const queries = {
  stream: 'SELECT id FROM streams WHERE name = ?',
  revisions: 'SELECT rev FROM events WHERE stream = ? ORDER BY rev DESC LIMIT 2',
  newest: `SELECT ${eventColumns} FROM events WHERE stream = ? ORDER BY rev DESC LIMIT 1`,
  newStream: 'INSERT INTO streams (name) VALUES (?)',
  streamName: 'SELECT name FROM streams WHERE id = ?',
  type: 'SELECT id FROM types WHERE name = ?',
  newType: 'INSERT INTO types (name) VALUES (?)',
  typeName: 'SELECT name FROM types WHERE id = ?',
};

/** `last` is -1 without events; a tombstoned stream keeps the revision before its tombstone. */
export type StreamState = {
  readonly name: string;
  /** Undefined until its first event is stored. */
  id: number | undefined;
  last: number;
  tombstoned: boolean;
  metadata: StreamMetadata;
  /** The data of its newest `$metadata` event, when there is one. */
  rawMetadata: Buffer | undefined;
};

export class StreamIndex implements Names {
  readonly #database: DatabaseSync;
  readonly #states = new GenerationCache<string, StreamState>(entriesPerGeneration);
  readonly #streamNames = new GenerationCache<number, string>(entriesPerGeneration);
  readonly #typeIds = new GenerationCache<string, number>(entriesPerGeneration);
  readonly #typeNames = new GenerationCache<number, string>(entriesPerGeneration);
  readonly #sql: Readonly<Record<keyof typeof queries, StatementSync>>;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = Object.fromEntries(
      Object.entries(queries).map(([name, sql]) => [name, database.prepare(sql)]),
    ) as Record<keyof typeof queries, StatementSync>;
    this.#sql.newest.setReturnArrays(true);
  }

  /** What is known of a stream; of one that nobody has written to, that there is nothing. */
  state(name: string): StreamState {
    const cached = this.#states.get(name);
    if (cached !== undefined) return cached;
    const state = this.#load(name);
    // Names that exist nowhere are not kept: anybody can make up any number of them.
    if (state.id !== undefined || state.rawMetadata !== undefined) this.#states.set(name, state);
    return state;
  }

  /** The number of the stream, given to it now if it has none. */
  idOf(state: StreamState): number {
    if (state.id !== undefined) return state.id;
    state.id = Number(this.#sql.newStream.run(state.name).lastInsertRowid);
    this.#states.set(state.name, state);
    return state.id;
  }

  /** The stream's newest `$metadata` event holds this. */
  describe(state: StreamState, data: Buffer, json: boolean): void {
    state.rawMetadata = data;
    state.metadata = json ? parseMetadata(data) : {};
    this.#states.set(state.name, state);
  }

  /** A metadata stream ends with the stream that it describes. */
  tombstone(state: StreamState): void {
    state.tombstoned = true;
    const metastream = this.#states.get(metastreamOf(state.name));
    if (metastream !== undefined) metastream.tombstoned = true;
  }

  typeId(name: string): number {
    const cached = this.#typeIds.get(name);
    if (cached !== undefined) return cached;
    const row = this.#sql.type.get(name);
    const id = row === undefined ? Number(this.#sql.newType.run(name).lastInsertRowid) : (row['id'] as number);
    this.#typeIds.set(name, id);
    return id;
  }

  streamName(id: number): string {
    return this.#nameOf(id, this.#streamNames, 'streams');
  }

  typeName(id: number): string {
    return this.#nameOf(id, this.#typeNames, 'types');
  }

  /** Drops what the caches know; the next look-up asks the database. */
  forget(): void {
    this.#states.clear();
    this.#streamNames.clear();
    this.#typeIds.clear();
    this.#typeNames.clear();
  }

  #load(name: string): StreamState {
    const id = this.#idOfName(name);
    const [newest = -1, second = -1] = id === undefined ? [] : this.#revisions(id);
    const described = describedStream(name);
    if (described !== undefined) {
      const tombstoned = described !== '' && this.state(described).tombstoned;
      return { name, id, last: newest, tombstoned, metadata: metadataOfMetastream, rawMetadata: undefined };
    }
    const tombstoned = newest === tombstoneRevision;
    const state: StreamState = {
      name,
      id,
      last: tombstoned ? second : newest,
      tombstoned,
      metadata: {},
      rawMetadata: undefined,
    };
    const metastreamId = this.#idOfName(metastreamOf(name));
    const row = metastreamId === undefined ? undefined : (this.#sql.newest.get(metastreamId) as unknown as EventRow);
    if (row === undefined) return state;
    const { data, json } = toCheckedEvent(row, { database: this.#database, names: this });
    return { ...state, rawMetadata: data, metadata: json ? parseMetadata(data) : {} };
  }

  #idOfName(name: string): number | undefined {
    return this.#sql.stream.get(name)?.['id'] as number | undefined;
  }

  #revisions(id: number): readonly number[] {
    return this.#sql.revisions.all(id).map((row) => row['rev'] as number);
  }

  #nameOf(id: number, cache: GenerationCache<number, string>, table: 'streams' | 'types'): string {
    const cached = cache.get(id);
    if (cached !== undefined) return cached;
    const name = (table === 'streams' ? this.#sql.streamName : this.#sql.typeName).get(id)?.['name'];
    if (typeof name !== 'string') {
      const path = this.#database.location() ?? 'the database';
      const byte = byteOfRoot(this.#database, table);
      throw new DamagedLog(`number ${id} is missing from the ${table} at byte ${byte} of ${path}.`);
    }
    cache.set(id, name);
    return name;
  }
}
