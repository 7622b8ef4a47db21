/**
 * Queries on an open database; the writer and the readers share them. `node:sqlite` answers on the caller's thread, so every
 * query here is bounded: by a limit, by a cap, or by a key.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Collection, Document, Filter, Find } from '../read-store.ts';
import type { Sql } from './conditions.ts';
import { afterSql, mostWeighed, orderSql, searchSql, type Beforehand } from './search.ts';
import { documentsTable, quoted, tokensTable } from './tables.ts';

const mostStatements = 300;
const mostWeights = 300;
/** Of a prefix with more words than this, the index looks for the prefix itself. */
const mostTokens = 64;

export class SqliteQueries {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #weights = new Map<string, number>();
  /** Of the database as others wrote it, when that was weighed. */
  #version: number | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get<D extends Document>(collection: Collection<D>, id: string): D | undefined {
    const row = this.statement(
      `SELECT d.doc FROM ${quoted(collection.name)} AS t JOIN ${documentsTable(collection)} AS d ON d.row = t.rowid WHERE t._id = ?`,
    ).get(id);
    return row && (JSON.parse(String(row['doc'])) as D);
  }

  find<D extends Document>(collection: Collection<D>, find: Find): readonly D[] {
    const search = searchSql(collection, find.filter, { ...this.#beforehand, ordered: true });
    const after = find.after && afterSql(find.sort, find.after);
    // Rows first, their documents then: only those that are shown are read.
    const found =
      `SELECT ${['t.rowid AS row', ...find.sort.fields.map((field, nth) => `t.${quoted(field)} AS s${nth}`)].join(', ')} ` +
      `FROM ${search.from.text} WHERE ${search.where.text}${after ? ` AND ${after.text}` : ''} ` +
      `ORDER BY ${orderSql(find.sort, search.ledByWords)} LIMIT ? OFFSET ?`;
    const direction = find.sort.direction === 'ascending' ? 'ASC' : 'DESC';
    const rows = this.statement(
      `SELECT d.doc FROM (${found}) AS f CROSS JOIN ${documentsTable(collection)} AS d ON d.row = f.row ` +
        `ORDER BY ${find.sort.fields.map((_field, nth) => `f.s${nth} ${direction}`).join(', ')}`,
    ).all(
      ...search.from.parameters,
      ...search.where.parameters,
      ...(after?.parameters ?? []),
      find.limit,
      find.skip ?? 0,
    );
    return rows.map((row) => JSON.parse(String(row['doc'])) as D);
  }

  count(collection: Collection, filter: Filter, cap: number): number {
    const search = searchSql(collection, filter, { ...this.#beforehand, ordered: false });
    if (search.count !== undefined) return Math.min(search.count, cap + 1);
    const row = this.statement(
      `SELECT count(*) AS n FROM (SELECT 1 FROM ${search.from.text} WHERE ${search.where.text} LIMIT ?)`,
    ).get(...search.from.parameters, ...search.where.parameters, cap + 1);
    return Number(row?.['n']);
  }

  position(projection: string): bigint | undefined {
    const statement = this.statement('SELECT position FROM checkpoints WHERE projection = ?');
    statement.setReadBigInts(true);
    const position = statement.get(projection)?.['position'];
    return typeof position === 'bigint' ? position : undefined;
  }

  /** A prepared statement, remembered by its text. */
  statement(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known) return known;
    if (this.#statements.size >= mostStatements) this.#statements.clear();
    const made = this.#database.prepare(text);
    this.#statements.set(text, made);
    return made;
  }

  /** What was weighed is no longer so: to be called by whoever writes on this connection. */
  forget(): void {
    this.#weights.clear();
  }

  // A page and its total are found by the same weights.
  #weigh(table: string, where: Sql): number {
    const version = Number(this.statement('PRAGMA data_version').get()?.['data_version']);
    if (version !== this.#version || this.#weights.size >= mostWeights) this.#weights.clear();
    this.#version = version;
    const text = `SELECT count(*) AS n FROM (SELECT 1 FROM ${table} WHERE ${where.text} LIMIT ?)`;
    const key = JSON.stringify([text, where.parameters]);
    const known = this.#weights.get(key);
    if (known !== undefined) return known;
    const weight = Number(this.statement(text).get(...where.parameters, mostWeighed)?.['n']);
    this.#weights.set(key, weight);
    return weight;
  }

  readonly #beforehand: Beforehand = {
    weigh: (table, where) => this.#weigh(table, where),
    tokensBegun: (index, beginning) => {
      const rows = this.statement(`SELECT token FROM ${tokensTable(index)} WHERE token >= ? AND token < ? LIMIT ?`).all(
        beginning,
        `${beginning}~`,
        mostTokens + 1,
      );
      return rows.length > mostTokens ? undefined : rows.map(({ token }) => String(token));
    },
  };
}
