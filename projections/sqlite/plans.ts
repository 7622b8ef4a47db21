/**
 * What writing to one collection in SQLite takes: its statements, prepared once, and the values of a document for each. A document
 * lies in three places (columns, JSON, full-text index) under one row id, and all change together in the caller's transaction.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Collection, Document, Scalar, Write } from '../read-store.ts';
import {
  columnsOf,
  documentsTable,
  facetedField,
  facetTokenOf,
  quoted,
  sqlValue,
  textsName,
  textsOf,
  textsTable,
  tokenOf,
  tokensTable,
} from './tables.ts';

/** Tokens known to be listed, per full-text index. */
const mostRemembered = 50_000;

/** What writing to one collection takes. `insert` changes nothing when the document is there. */
export type Plan = {
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

/** The plan of a collection. It remembers what it listed: of no use any more after a transaction that was rolled back. */
export function planOf(collection: Collection, database: DatabaseSync): Plan {
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

/** Makes one change. */
export function apply(plan: Plan, write: Write): void {
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
