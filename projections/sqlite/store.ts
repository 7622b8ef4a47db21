/**
 * The one writer of the read models in SQLite: WAL, so that readers in other processes never wait for it, and documents with
 * their checkpoint in one transaction. `synchronous` is NORMAL: losing power may cost the last commits, which the log
 * gives again, and never leaves documents without their checkpoint.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
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
import {
  columnsOf,
  createTables,
  documentsTable,
  facetedField,
  facetTokenOf,
  indexStatements,
  quoted,
  sqlValue,
  textsName,
  textsOf,
  textsTable,
  tokenOf,
  tokensTable,
} from './tables.ts';

const busyTimeoutMs = 10_000;
/** Tokens known to be listed, per full-text index. */
const mostRemembered = 50_000;

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
        for (const write of commit.writes) this.#write(write);
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

  #write(write: Write): void {
    const plan = this.#planOf(write.collection);
    if (write.kind === 'delete') {
      const row = rowOf(plan, write.id);
      if (row === undefined) return;
      plan.remove.run(row);
      plan.removeDocument.run(row);
      for (const { unindex } of plan.texts) unindex.run(row);
      return;
    }
    const { document } = write;
    const values = plan.values(document);
    // Most documents are new, and then nothing has to be looked up.
    const { changes, lastInsertRowid } = plan.insert.run(document._id, ...values);
    const known = changes === 0 ? rowOf(plan, document._id) : undefined;
    if (known !== undefined) {
      plan.update.run(...values, known);
      plan.removeDocument.run(known);
      for (const { unindex } of plan.texts) unindex.run(known);
    }
    const row = known ?? lastInsertRowid;
    const tokens = plan.texts.map(({ field }) => tokensOf(document, field));
    plan.putDocument.run(row, JSON.stringify(document), ...tokens.map((own) => ` ${own.join(' ')} `));
    plan.texts.forEach(({ index, facets, list }, nth) => {
      const own = tokens[nth] ?? [];
      index.run(row, [...own, ...facets(document)].join(' '));
      for (const token of own) list(token);
    });
  }

  #planOf(collection: Collection): Plan {
    const known = this.#plans.get(collection.name);
    if (known) return known;
    const made = planOf(collection, this.#database);
    this.#plans.set(collection.name, made);
    return made;
  }
}

/** What writing to one collection takes. `insert` changes nothing when the document is there. */
type Plan = {
  readonly rowOf: StatementSync;
  readonly insert: StatementSync;
  readonly update: StatementSync;
  readonly putDocument: StatementSync;
  readonly remove: StatementSync;
  readonly removeDocument: StatementSync;
  readonly values: (document: Document) => readonly (string | number | null)[];
  readonly texts: readonly TextsPlan[];
};

type TextsPlan = {
  readonly field: string;
  readonly index: StatementSync;
  readonly unindex: StatementSync;
  readonly facets: (document: Document) => readonly string[];
  readonly list: (token: string) => void;
};

function planOf(collection: Collection, database: DatabaseSync): Plan {
  const table = quoted(collection.name);
  const documents = documentsTable(collection);
  const columns = columnsOf(collection).map(({ name }) => name);
  const names = ['_id', ...columns].map(quoted);
  const changes = names.slice(1).map((name) => `${name} = ?`);
  // Without a column there is nothing to change, and the statement must be one all the same.
  const set = changes.length === 0 ? '_id = _id' : changes.join(', ');
  const places = (count: number): string => Array.from({ length: count }, () => '?').join(', ');
  return {
    rowOf: database.prepare(`SELECT rowid AS row FROM ${table} WHERE _id = ?`),
    insert: database.prepare(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${places(names.length)}) ON CONFLICT DO NOTHING`,
    ),
    update: database.prepare(`UPDATE ${table} SET ${set} WHERE rowid = ?`),
    putDocument: database.prepare(`INSERT INTO ${documents} VALUES (${places(2 + textsOf(collection).length)})`),
    remove: database.prepare(`DELETE FROM ${table} WHERE rowid = ?`),
    removeDocument: database.prepare(`DELETE FROM ${documents} WHERE row = ?`),
    values: (document) => columns.map((name) => sqlValue(fieldOf<Scalar>(document, name) ?? null)),
    texts: textsOf(collection).map((field) => textsPlanOf(collection, field, database)),
  };
}

function rowOf({ rowOf: statement }: Plan, id: string): number | undefined {
  const row = statement.get(id)?.['row'];
  return typeof row === 'number' ? row : undefined;
}

function textsPlanOf(collection: Collection, field: string, database: DatabaseSync): TextsPlan {
  const table = textsTable(collection, field);
  const facets = facetedField(collection) === field ? (collection.facets ?? []) : [];
  return {
    field,
    index: database.prepare(`INSERT INTO ${table} (rowid, tokens) VALUES (?, ?)`),
    unindex: database.prepare(`DELETE FROM ${table} WHERE rowid = ?`),
    facets: (document) =>
      facets.flatMap((name) => {
        const value = fieldOf<Scalar>(document, name) ?? null;
        return value === null ? [] : [facetTokenOf(name, value)];
      }),
    list: listing(database.prepare(`INSERT OR IGNORE INTO ${tokensTable(textsName(collection, field))} VALUES (?)`)),
  };
}

/** Lists a token once, as far as it remembers: most are met again and again. */
function listing(insert: StatementSync): (token: string) => void {
  const listed = new Set<string>();
  return (token) => {
    if (listed.has(token)) return;
    if (listed.size >= mostRemembered) listed.clear();
    insert.run(token);
    listed.add(token);
  };
}

const fieldOf = <T>(document: Document, name: string): T | undefined =>
  (document as unknown as Readonly<Record<string, T>>)[name];

const tokensOf = (document: Document, field: string): readonly string[] =>
  (fieldOf<readonly string[]>(document, field) ?? []).map(tokenOf);

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
