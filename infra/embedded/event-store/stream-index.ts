/**
 * Names to numbers: streams and event types, with a bounded cache in front of the two tables. A stream's entry also
 * holds its last revision and its metadata, so an append that continues a known stream reads nothing.
 *
 * Rule: the cache may run ahead of the disk inside a transaction, so whoever rolls back calls `forget`.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parseStoredMetadata, type StreamMetadata } from './stream-metadata.ts';

const entriesPerGeneration = 10_000;

/** `last` is -1 while the stream has metadata only. */
export type StreamEntry = { readonly id: number; last: number; metadata: StreamMetadata };

export class StreamIndex {
  readonly #streams = new GenerationCache<StreamEntry>();
  readonly #types = new GenerationCache<number>();
  readonly #sql: Record<'find' | 'insert' | 'advance' | 'describe' | 'findType' | 'insertType', StatementSync>;

  constructor(database: DatabaseSync) {
    this.#sql = {
      find: database.prepare('SELECT id, last, metadata FROM streams WHERE name = ?'),
      insert: database.prepare('INSERT INTO streams (name, last) VALUES (?, -1)'),
      advance: database.prepare('UPDATE streams SET last = ? WHERE id = ?'),
      describe: database.prepare('UPDATE streams SET metadata = ? WHERE id = ?'),
      findType: database.prepare('SELECT id FROM types WHERE name = ?'),
      insertType: database.prepare('INSERT INTO types (name) VALUES (?)'),
    };
  }

  find(name: string): StreamEntry | undefined {
    const cached = this.#streams.get(name);
    if (cached !== undefined) return cached;
    const row = this.#sql.find.get(name);
    if (row === undefined) return undefined;
    const metadata = parseStoredMetadata(row['metadata'] as string | null);
    const entry: StreamEntry = { id: row['id'] as number, last: row['last'] as number, metadata };
    this.#streams.set(name, entry);
    return entry;
  }

  findOrCreate(name: string): StreamEntry {
    const found = this.find(name);
    if (found !== undefined) return found;
    const { lastInsertRowid } = this.#sql.insert.run(name);
    const entry: StreamEntry = { id: Number(lastInsertRowid), last: -1, metadata: {} };
    this.#streams.set(name, entry);
    return entry;
  }

  advance(entry: StreamEntry, last: number): void {
    this.#sql.advance.run(last, entry.id);
    entry.last = last;
  }

  describe(name: string, metadata: StreamMetadata): void {
    const entry = this.findOrCreate(name);
    this.#sql.describe.run(JSON.stringify(metadata), entry.id);
    entry.metadata = metadata;
  }

  typeId(name: string): number {
    const cached = this.#types.get(name);
    if (cached !== undefined) return cached;
    const row = this.#sql.findType.get(name);
    const id = row === undefined ? Number(this.#sql.insertType.run(name).lastInsertRowid) : (row['id'] as number);
    this.#types.set(name, id);
    return id;
  }

  /** Drops what the cache knows; the next look-up asks the database. */
  forget(): void {
    this.#streams.clear();
    this.#types.clear();
  }
}

/**
 * Keeps the entries used last, roughly: when the young generation is full the old one is dropped whole. A Map that evicts
 * its oldest key one by one takes longer for each eviction as the holes at its front grow.
 */
class GenerationCache<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    if (this.#young.size >= entriesPerGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
