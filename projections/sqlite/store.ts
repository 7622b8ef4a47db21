/**
 * The one writer of the read models in SQLite: WAL, so that readers in other processes never wait for it, and documents with
 * their checkpoint in one transaction. `synchronous` is NORMAL: losing power may cost the last commits, which the log
 * gives again, and never leaves documents without their checkpoint.
 */
import { basename } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  ReadStoreDamaged,
  ReadStoreFailed,
  type Collection,
  type Commit,
  type Document,
  type Filter,
  type Find,
  type ReadStore,
  type Scalar,
  type Write,
} from '../read-store.ts';
import { currentDatabase, makeCurrent, newDatabase, removeDatabase, unfinishedDatabase, type Files } from './files.ts';
import { SqliteQueries } from './queries.ts';
import { columnsOf, createTables, quoted, sqlValue, textsOf, textsTable } from './tables.ts';

const busyTimeoutMs = 10_000;

export type SqliteStoreOptions = Files & { readonly collections: readonly Collection[] };

/**
 * Opens the current database, else the one whose building was interrupted, else a new one. One that cannot be read is put
 * aside for a new one.
 */
export function openSqliteStore(options: SqliteStoreOptions): ReadStore {
  const path = currentDatabase(options) ?? unfinishedDatabase(options);
  if (path !== undefined) {
    try {
      return new SqliteStore(options, path);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return new SqliteStore(options, newDatabase(options));
}

class SqliteStore implements ReadStore {
  readonly #options: SqliteStoreOptions;
  #path: string;
  #database: DatabaseSync;
  #queries: SqliteQueries;

  constructor(options: SqliteStoreOptions, path: string) {
    this.#options = options;
    this.#path = path;
    this.#database = openForWriting(path, options.collections);
    this.#queries = new SqliteQueries(this.#database);
  }

  async get<D extends Document>(collection: Collection<D>, id: string): Promise<D | undefined> {
    return orFailed(() => this.#queries.get(collection, id));
  }

  async find<D extends Document>(collection: Collection<D>, find: Find): Promise<readonly D[]> {
    return orFailed(() => this.#queries.find(collection, find));
  }

  async count(collection: Collection, filter: Filter, cap: number): Promise<number> {
    return orFailed(() => this.#queries.count(collection, filter, cap));
  }

  async position(projection: string): Promise<bigint | undefined> {
    return orFailed(() => this.#queries.position(projection));
  }

  async commit(commit: Commit): Promise<void> {
    orFailed(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        this.#advance(commit);
        for (const write of commit.writes) this.#write(write);
        this.#database.exec('COMMIT');
      } catch (error) {
        // SQLite may have rolled back by itself already.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  async publish(): Promise<void> {
    if (currentDatabase(this.#options) === this.#path) return;
    makeCurrent(this.#options, basename(this.#path));
  }

  async startOver(): Promise<void> {
    this.#database.close();
    const isCurrent = currentDatabase(this.#options) === this.#path;
    const next = newDatabase(this.#options);
    if (!isCurrent) removeDatabase(this.#path);
    this.#path = next;
    this.#database = openForWriting(next, this.#options.collections);
    this.#queries = new SqliteQueries(this.#database);
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #advance({ projection, position }: Commit): void {
    const stored = this.#queries.position(projection);
    if (stored !== undefined && stored > position) {
      throw new Error(
        `${projection} is at ${stored} and cannot go back to ${position}: another process writes ${basename(this.#path)} too`,
      );
    }
    this.#queries
      .statement('INSERT INTO checkpoints VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position')
      .run(projection, position);
  }

  #write(write: Write): void {
    const { collection } = write;
    const id = write.kind === 'put' ? write.document._id : write.id;
    const texts = textsOf(collection);
    // Only where values stand in tables of their own must the row be known beforehand.
    const row = texts.length === 0 ? undefined : this.#rowOf(collection, id);
    if (write.kind === 'delete') {
      for (const field of texts) if (row !== undefined) this.#setTexts(collection, field, { row, values: [] });
      this.#queries.statement(`DELETE FROM ${quoted(collection.name)} WHERE _id = ?`).run(id);
      return;
    }
    const inserted = this.#put(collection, write.document);
    for (const field of texts) {
      this.#setTexts(collection, field, {
        row: row ?? inserted,
        values: valuesOf(write.document, field),
        isNew: row === undefined,
      });
    }
  }

  #put(collection: Collection, document: Document): number | bigint {
    const columns = columnsOf(collection);
    const names = ['_id', ...columns.map(({ name }) => name), 'doc'].map(quoted);
    const changes = names.slice(1).map((name) => `${name} = excluded.${name}`);
    const fields = document as unknown as Readonly<Record<string, Scalar | undefined>>;
    const { lastInsertRowid } = this.#queries
      .statement(
        `INSERT INTO ${quoted(collection.name)} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
         ON CONFLICT (_id) DO UPDATE SET ${changes.join(', ')}`,
      )
      .run(document._id, ...columns.map(({ name }) => sqlValue(fields[name] ?? null)), JSON.stringify(document));
    return lastInsertRowid;
  }

  #rowOf(collection: Collection, id: string): number | undefined {
    const row = this.#queries.statement(`SELECT rowid AS row FROM ${quoted(collection.name)} WHERE _id = ?`).get(id);
    return row && Number(row['row']);
  }

  #setTexts(
    collection: Collection,
    field: string,
    { row, values, isNew = false }: { row: number | bigint; values: readonly string[]; isNew?: boolean },
  ): void {
    const table = textsTable(collection, field);
    if (!isNew) this.#queries.statement(`DELETE FROM ${table} WHERE document = ?`).run(row);
    const insert = this.#queries.statement(`INSERT OR IGNORE INTO ${table} VALUES (?, ?)`);
    for (const value of values) insert.run(row, value);
  }
}

function openForWriting(path: string, collections: readonly Collection[]): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 2000');
    createTables(database, collections);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const valuesOf = (document: Document, field: string): readonly string[] =>
  ((document as unknown as Readonly<Record<string, unknown>>)[field] ?? []) as readonly string[];

function orFailed<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isDamage(error)) throw new ReadStoreDamaged(error);
    if ((error as { code?: unknown }).code !== 'ERR_SQLITE_ERROR') throw error;
    throw new ReadStoreFailed(`the read models cannot be stored: ${(error as Error).message}`, error);
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, whatever their extended code. */
function isDamage(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === 'number' && ((code & 0xff) === 11 || (code & 0xff) === 26);
}
