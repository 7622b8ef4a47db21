/**
 * How a collection lies in SQLite. A narrow rowid table with a real column for every field that is filtered or sorted by,
 * filled from code, so that looking at many rows reads few pages. Under the same row ids the documents as JSON, each with the tokens
 * of its `texts` fields. And for each of those a full-text index, which holds tokens and nothing else, with a list of all
 * tokens that it ever held. Names come from the collections, never from a request, and are quoted all the same.
 *
 * The first full-text index of a collection holds its facets too, so that words and facets are intersected in one place.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Collection, FieldKind, Scalar } from '../read-store.ts';

/** A field that is a column of the collection's own table. */
export type Column = { readonly name: string; readonly kind: Exclude<FieldKind, 'texts'> };

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The columns besides `_id`. */
export function columnsOf(collection: Collection): readonly Column[] {
  return fieldsOf(collection).flatMap(([name, kind]) => (kind === 'texts' || name === '_id' ? [] : [{ name, kind }]));
}

export const textsOf = (collection: Collection): readonly string[] =>
  fieldsOf(collection).flatMap(([name, kind]) => (kind === 'texts' ? [name] : []));

/** Name of the full-text index of one `texts` field; its row ids are those of the documents. */
export const textsName = (collection: Collection, field: string): string => `${collection.name}_${field}`;
export const textsTable = (collection: Collection, field: string): string => quoted(textsName(collection, field));

/** The table that lists the tokens of a full-text index; one may be there that no document has any more. */
export const tokensTable = (index: string): string => quoted(`${index}_tokens`);

/** The table with the documents; `row` is the row id in the collection's own. */
export const documentsTable = (collection: Collection): string => quoted(`${collection.name}_documents`);

/** The column with the tokens of a `texts` field, a blank before, between and behind them; it stands beside the document. */
export const textsColumn = (field: string): string => quoted(`${field}_tokens`);

/** The field whose full-text index holds the facets, when there are any. */
export function facetedField(collection: Collection): string | undefined {
  return collection.facets === undefined ? undefined : textsOf(collection)[0];
}

const fieldsOf = (collection: Collection): readonly [string, FieldKind][] => Object.entries(collection.fields);

const sqlTypes = { text: 'TEXT', integer: 'INTEGER', boolean: 'INTEGER' } as const;

/** Creates the tables of the collections and of the checkpoints where they are missing, without the indexes that may wait. */
export function createTables(database: DatabaseSync, collections: readonly Collection[]): void {
  const statements = collections.flatMap((collection) => [
    ...tableStatements(collection),
    ...(collection.indexedLast === true ? [] : indexStatements(collection)),
  ]);
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
  const columns = columnsOf(collection).map(({ name, kind }) => `${quoted(name)} ${sqlTypes[kind]}`);
  const tokens = textsOf(collection).map((field) => `${textsColumn(field)} TEXT NOT NULL`);
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (${['_id TEXT NOT NULL UNIQUE', ...columns].join(', ')})`,
    `CREATE TABLE IF NOT EXISTS ${documentsTable(collection)} (${['row INTEGER PRIMARY KEY', 'doc TEXT NOT NULL', ...tokens].join(', ')})`,
    ...textsOf(collection).flatMap((field) => [
      `CREATE VIRTUAL TABLE IF NOT EXISTS ${textsTable(collection, field)} USING fts5(tokens, content = '', contentless_delete = 1, detail = none, tokenize = ascii)`,
      `CREATE TABLE IF NOT EXISTS ${tokensTable(textsName(collection, field))} (token TEXT PRIMARY KEY) WITHOUT ROWID`,
    ]),
  ];
}

/** What creates the indexes of a collection where they are missing, one at a time. */
export function indexStatements(collection: Collection): readonly string[] {
  const table = quoted(collection.name);
  return collection.indexes.map(
    (fields) =>
      `CREATE INDEX IF NOT EXISTS ${quoted(`${collection.name}_by_${fields.join('_')}`)} ON ${table} (${fields.map(quoted).join(', ')})`,
  );
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

/** A facet as a token. None of a text is the same: there `z` is followed by a digit or a letter up to `f`. */
export const facetTokenOf = (field: string, value: Scalar): string => `zz${tokenOf(field)}zz${tokenOf(String(value))}`;
