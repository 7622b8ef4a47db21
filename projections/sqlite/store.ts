/**
 * The one writer of the read models in SQLite: WAL, so that readers in other processes never wait for it, and documents with
 * their checkpoint in one transaction. `synchronous` is NORMAL: losing power may cost the last commits, which the log
 * gives again, and never leaves documents without their checkpoint.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
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
} from '../read-store.ts';
import { currentDatabase, makeCurrent, newDatabase, removeDatabase, unfinishedDatabase, type Files } from './files.ts';
import { SqliteQueries } from './queries.ts';
import { apply, planOf, type Plan } from './plans.ts';
import { createTables, indexStatements } from './tables.ts';

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

/** A new database beside the current one, for building anew what another process goes on writing. */
export function buildSqliteStore(options: SqliteStoreOptions): ReadStore {
  return new SqliteStore(options, newDatabase(options));
}

class SqliteStore implements ReadStore {
  readonly #options: SqliteStoreOptions;
  #path: string;
  #database: DatabaseSync;
  #queries: SqliteQueries;
  readonly #plans = new Map<string, Plan>();
  /** True while it builds what readers do not see yet. */
  #isBeside: boolean;

  constructor(options: SqliteStoreOptions, path: string) {
    this.#options = options;
    this.#isBeside = currentDatabase(options) !== path;
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
      this.#queries.forget();
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        this.#advance(commit);
        for (const write of commit.writes) apply(this.#planOf(write.collection), write);
        this.#database.exec('COMMIT');
      } catch (error) {
        // SQLite may have rolled back by itself already.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        // What they remember of this transaction is not there.
        this.#plans.clear();
        throw error;
      }
    });
  }

  async publish(): Promise<void> {
    if (currentDatabase(this.#options) === this.#path) return;
    if (!existsSync(this.#path)) throw new ReadStoreFailed('what was built was replaced by something newer', undefined);
    await this.#indexRest();
    makeCurrent(this.#options, basename(this.#path));
    this.#isBeside = false;
  }

  async startOver(): Promise<void> {
    const before = this.#path;
    const isCurrent = currentDatabase(this.#options) === before;
    this.#move(newDatabase(this.#options));
    if (!isCurrent) removeDatabase(before);
  }

  async isReplaced(): Promise<boolean> {
    const current = currentDatabase(this.#options);
    return current !== undefined && current !== this.#path && !this.#isBeside;
  }

  async reopen(): Promise<void> {
    const current = currentDatabase(this.#options);
    if (current !== undefined) this.#move(current);
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  /** Sorting all at once writes each page of an index once, instead of some pages with each commit: twice as fast in all. */
  async #indexRest(): Promise<void> {
    for (const collection of this.#options.collections) {
      if (collection.indexedLast !== true) continue;
      for (const statement of indexStatements(collection)) {
        orFailed(() => this.#database.exec(statement));
        // Each takes a second per million documents: whatever else this process has to do comes in between.
        await nextTurn();
      }
    }
  }

  #move(path: string): void {
    this.#database.close();
    this.#path = path;
    this.#database = openForWriting(path, this.#options.collections);
    this.#queries = new SqliteQueries(this.#database);
    this.#plans.clear();
    this.#isBeside = currentDatabase(this.#options) !== path;
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

  #planOf(collection: Collection): Plan {
    const known = this.#plans.get(collection.name);
    if (known) return known;
    const made = planOf(collection, this.#database);
    this.#plans.set(collection.name, made);
    return made;
  }
}

function openForWriting(path: string, collections: readonly Collection[]): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 10000');
    // A batch touches many pages of the audit's indexes; in the default of 2 MB they would be written more than once.
    database.exec('PRAGMA cache_size = -65536');
    createTables(database, collections);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

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
