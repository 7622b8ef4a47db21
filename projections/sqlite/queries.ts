/**
 * Queries on an open database; the writer and the readers share them. `node:sqlite` answers on the caller's thread, so every
 * query here is bounded: by a limit, by a cap, or by a key.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Collection, Document, Filter, Find } from '../read-store.ts';
import { afterSql, mostWeighed, orderSql, searchSql, type Beforehand } from './search.ts';
import { quoted, vocabularyName } from './tables.ts';

const mostStatements = 300;
/** Of a prefix with more words than this, the index looks for the prefix itself. */
const mostTokens = 64;

export class SqliteQueries {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get<D extends Document>(collection: Collection<D>, id: string): D | undefined {
    const row = this.statement(`SELECT doc FROM ${quoted(collection.name)} WHERE _id = ?`).get(id);
    return row && (JSON.parse(String(row['doc'])) as D);
  }

  find<D extends Document>(collection: Collection<D>, find: Find): readonly D[] {
    const search = searchSql(collection, find.filter, { ...this.#beforehand, ordered: true });
    const after = find.after && afterSql(find.sort, find.after);
    const rows = this.statement(
      `SELECT t.doc FROM ${search.from.text} WHERE ${search.where.text}${after ? ` AND ${after.text}` : ''}
       ORDER BY ${orderSql(find.sort, search.ledByWords)} LIMIT ? OFFSET ?`,
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

  readonly #beforehand: Beforehand = {
    weigh: (table, where) => {
      const row = this.statement(`SELECT count(*) AS n FROM (SELECT 1 FROM ${table} WHERE ${where.text} LIMIT ?)`).get(
        ...where.parameters,
        mostWeighed,
      );
      return Number(row?.['n']);
    },
    tokensBegun: (index, beginning) => {
      const rows = this.statement(
        `SELECT term FROM ${quoted(vocabularyName(index))} WHERE term >= ? AND term < ? LIMIT ?`,
      ).all(beginning, `${beginning}~`, mostTokens + 1);
      return rows.length > mostTokens ? undefined : rows.map(({ term }) => String(term));
    },
  };
}
