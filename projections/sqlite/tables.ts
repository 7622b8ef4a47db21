/**
 * How a collection lies in SQLite: one rowid table with the document as JSON and a real column for every field that
 * is filtered or sorted by, filled from code; beside it one full-text index per `texts` field, which holds the values as
 * tokens and nothing else; the column holds the same tokens as one text. Names come from the collections, never from a request, and are quoted all the same.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Collection, FieldKind, Scalar } from '../read-store.ts';

/** A field that is a column of the collection's own table. */
export type Column = { readonly name: string; readonly kind: Exclude<FieldKind, 'texts'> };

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The columns besides `_id` and `doc`. */
export function columnsOf(collection: Collection): readonly Column[] {
  return fieldsOf(collection).flatMap(([name, kind]) => (kind === 'texts' || name === '_id' ? [] : [{ name, kind }]));
}

export const textsOf = (collection: Collection): readonly string[] =>
  fieldsOf(collection).flatMap(([name, kind]) => (kind === 'texts' ? [name] : []));

/** Name of the full-text index of one `texts` field; its row ids are those of the documents. */
export const textsName = (collection: Collection, field: string): string => `${collection.name}_${field}`;
export const textsTable = (collection: Collection, field: string): string => quoted(textsName(collection, field));

/** Name of the table that lists the tokens of a full-text index. */
export const vocabularyName = (index: string): string => `${index}_vocabulary`;

/** The column with the tokens of a `texts` field, a blank before, between and behind them. */
export const textsColumn = (field: string): string => quoted(`${field}_tokens`);

const fieldsOf = (collection: Collection): readonly [string, FieldKind][] => Object.entries(collection.fields);

const sqlTypes = { text: 'TEXT', integer: 'INTEGER', boolean: 'INTEGER' } as const;

/** Creates the tables of the collections and of the checkpoints where they are missing. */
export function createTables(database: DatabaseSync, collections: readonly Collection[]): void {
  const statements = collections.flatMap(tableStatements);
  database.exec(
    [
      'BEGIN IMMEDIATE',
      'CREATE TABLE IF NOT EXISTS checkpoints (projection TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID',
      ...statements,
      'COMMIT',
    ].join(';\n'),
  );
}

function tableStatements(collection: Collection): readonly string[] {
  const table = quoted(collection.name);
  const columns = [
    ...columnsOf(collection).map(({ name, kind }) => `${quoted(name)} ${sqlTypes[kind]}`),
    ...textsOf(collection).map((field) => `${textsColumn(field)} TEXT`),
  ];
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (${['_id TEXT NOT NULL UNIQUE', ...columns, 'doc TEXT NOT NULL'].join(', ')})`,
    ...collection.indexes.map(
      (fields) =>
        `CREATE INDEX IF NOT EXISTS ${quoted(`${collection.name}_by_${fields.join('_')}`)} ON ${table} (${fields.map(quoted).join(', ')})`,
    ),
    ...textsOf(collection).flatMap((field) => [
      `CREATE VIRTUAL TABLE IF NOT EXISTS ${textsTable(collection, field)} USING fts5(tokens, content = '', contentless_delete = 1, detail = none, tokenize = ascii)`,
      `CREATE VIRTUAL TABLE IF NOT EXISTS ${quoted(vocabularyName(textsName(collection, field)))} USING fts5vocab(${textsTable(collection, field)}, row)`,
    ]),
  ];
}

/** A value as SQLite takes it. */
export function sqlValue(value: Scalar): string | number | null {
  return typeof value === 'boolean' ? Number(value) : value;
}

/**
 * A value of a `texts` field as one token: lower-case ASCII letters and digits stay, every other character becomes `z` and six
 * hexadecimal digits, so that nothing is cut, folded or left out, and a prefix of the value is a prefix of the token.
 */
export function tokenOf(value: string): string {
  return value.replace(/[^a-y0-9]/gu, (char) => `z${(char.codePointAt(0) ?? 0).toString(16).padStart(6, '0')}`);
}
