/**
 * The filter dialect as SQL, one condition at a time. Every value travels as a parameter and every field must be one of the
 * collection's, so there is nothing to inject into; what does not fit throws a plain `Error`, because filters are written by
 * us. Which condition leads to the documents is decided in `search.ts`.
 */
import type { Collection, Condition, Filter, Scalar } from '../read-store.ts';
import {
  documentsTable,
  facetedField,
  facetTokenOf,
  quoted,
  sqlValue,
  textsColumn,
  textsName,
  tokenOf,
} from './tables.ts';

export type Sql = { readonly text: string; readonly parameters: readonly (string | number | null)[] };

/** Of a list with more values than this nothing is gained by asking the full-text index. */
const mostValues = 16;

/** One of the conditions that must all hold. */
export type Conjunct =
  | { readonly kind: 'plain'; readonly field: string; readonly condition: Condition }
  /** Everything asked of one `texts` field: tokens that are there, and beginnings of tokens. */
  | {
      readonly kind: 'texts';
      readonly field: string;
      readonly whole: readonly string[];
      readonly begun: readonly string[];
    }
  | { readonly kind: 'or'; readonly alternatives: readonly Filter[] };
export type Plain = Extract<Conjunct, { kind: 'plain' }>;
export type Texts = Extract<Conjunct, { kind: 'texts' }>;

/** The conditions of a filter; those on the same `texts` field are one. */
export function conjunctsOf(filter: Filter): readonly Conjunct[] {
  const all = flattened(filter);
  const texts = Map.groupBy(
    all.filter((conjunct) => conjunct.kind === 'texts'),
    ({ field }) => field,
  );
  return [
    ...all.filter(({ kind }) => kind !== 'texts'),
    ...Array.from(texts, ([field, same]): Texts => {
      const whole = same.flatMap((one) => one.whole);
      return { kind: 'texts', field, whole, begun: same.flatMap((one) => one.begun) };
    }),
  ];
}

function flattened(filter: Filter): readonly Conjunct[] {
  return Object.entries(filter).flatMap(([field, condition]): readonly Conjunct[] => {
    if (!isList(condition)) return [onField(field, condition)];
    if (field === '$and') return condition.flatMap(flattened);
    if (field === '$or') return [{ kind: 'or', alternatives: condition }];
    throw new Error(`a filter has a list under ${field}`);
  });
}

function onField(field: string, condition: Condition): Conjunct {
  if ('$contains' in condition) return { kind: 'texts', field, whole: [tokenOf(condition.$contains)], begun: [] };
  if ('$prefix' in condition) return { kind: 'texts', field, whole: [], begun: [tokenOf(condition.$prefix)] };
  return { kind: 'plain', field, condition };
}

const isList = (condition: Condition | readonly Filter[]): condition is readonly Filter[] => Array.isArray(condition);

/** The condition on the collection's table, named `t`. A quiet one is never considered for an index: a unary plus does that. */
export function conditionSql(collection: Collection, conjunct: Conjunct, quiet: boolean): Sql {
  switch (conjunct.kind) {
    case 'plain':
      return plain(collection, conjunct, quiet);
    case 'texts':
      return probed(collection, conjunct);
    case 'or':
      return either(collection, conjunct.alternatives);
    default:
      return conjunct satisfies never;
  }
}

/** The tokens in an index that begin so; undefined when there are very many. */
export type TokensBegun = (table: string, beginning: string) => readonly string[] | undefined;

/** A question to a full-text index: its table, and the condition on it. */
export type Match = { readonly table: string; readonly where: Sql };

/** The question that a condition on a `texts` field is to its index, together with facets that the index holds as well. */
export function matchOf(
  collection: Collection,
  { field, whole, begun }: Texts,
  { tokensBegun, facets }: { readonly tokensBegun: TokensBegun; readonly facets: readonly Facet[] },
): Match {
  const name = textsName(collection, known(collection, field));
  const table = quoted(name);
  const wanted = [
    ...whole.map(word),
    ...begun.map((beginning) => begunSql(beginning, tokensBegun(name, beginning))),
    ...facets.map(({ field: facet, values }) => anyOf(values.map((value) => facetTokenOf(facet, value)))),
  ];
  return { table, where: { text: `${table} MATCH ?`, parameters: [wanted.join(' AND ')] } };
}

/** A condition that a full-text index can answer: the field is one of a few values. */
export type Facet = { readonly field: string; readonly values: readonly (string | number)[] };

/** The condition as a facet of the index of `field`; undefined when it is none. */
export function facetOf(collection: Collection, field: string, conjunct: Conjunct): Facet | undefined {
  if (conjunct.kind !== 'plain' || facetedField(collection) !== field) return undefined;
  if (!collection.facets?.includes(conjunct.field)) return undefined;
  const values = equalTo(conjunct.condition);
  return values && { field: conjunct.field, values };
}

function equalTo(condition: Condition): readonly (string | number)[] | undefined {
  if ('$eq' in condition) return typeof condition.$eq === 'string' ? [condition.$eq] : undefined;
  return '$in' in condition && condition.$in.length > 0 && condition.$in.length <= mostValues
    ? condition.$in
    : undefined;
}

// The index gathers all documents of a prefix before it gives the first; those of a list of words it gives as they come.
function begunSql(beginning: string, tokens: readonly string[] | undefined): string {
  return tokens === undefined || tokens.length === 0 ? `"${beginning}"*` : anyOf(tokens);
}

const anyOf = (tokens: readonly string[]): string => `(${tokens.map(word).join(' OR ')})`;

// A token holds letters and digits only, so there is nothing to escape.
const word = (token: string): string => `"${token}"`;

/** All conditions together; `TRUE` for none. */
export function allOf(parts: readonly Sql[]): Sql {
  if (parts.length === 0) return { text: 'TRUE', parameters: [] };
  return {
    text: parts.map(({ text }) => text).join(' AND '),
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}

function plain(collection: Collection, { field, condition }: Plain, quiet: boolean): Sql {
  const column = `t.${quoted(known(collection, field))}`;
  const equal = quiet ? `+${column}` : column;
  if ('$eq' in condition) {
    if (condition.$eq === null) return { text: `${equal} IS NULL`, parameters: [] };
    return { text: `${equal} = ?`, parameters: [sqlValue(condition.$eq)] };
  }
  if ('$ne' in condition) return { text: `${column} IS NOT ?`, parameters: [sqlValue(condition.$ne)] };
  if ('$in' in condition) {
    const [only] = condition.$in;
    if (condition.$in.length === 1 && only !== undefined) return { text: `${equal} = ?`, parameters: [only] };
    return { text: `${equal} IN (SELECT value FROM json_each(?))`, parameters: [JSON.stringify(condition.$in)] };
  }
  return ranges(column, condition as Readonly<Record<string, Scalar>>);
}

const comparisons: Readonly<Record<string, string>> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' };

function ranges(column: string, condition: Readonly<Record<string, Scalar>>): Sql {
  const parts = Object.entries(condition).map(([operator, value]): Sql => {
    const comparison = Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
    if (comparison === undefined) throw new Error(`a filter has the operator ${operator}, which is not in the dialect`);
    return { text: `${column} ${comparison} ?`, parameters: [sqlValue(value)] };
  });
  if (parts.length === 0) throw new Error('a filter has a field without a condition');
  return allOf(parts);
}

function either(collection: Collection, alternatives: readonly Filter[]): Sql {
  const parts = alternatives.map((filter) =>
    allOf(conjunctsOf(filter).map((conjunct) => conditionSql(collection, conjunct, false))),
  );
  if (parts.length === 0) return { text: 'FALSE', parameters: [] };
  return {
    text: `(${parts.map(({ text }) => `(${text})`).join(' OR ')})`,
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}

// The full-text index is quick at leading to documents and slow at telling whether it has a given one.
function probed(collection: Collection, { field, whole, begun }: Texts): Sql {
  const column = textsColumn(known(collection, field));
  const held = `(SELECT ${column} FROM ${documentsTable(collection)} WHERE row = t.rowid)`;
  const wanted = [...whole.map((token) => ` ${token} `), ...begun.map((token) => ` ${token}`)];
  return allOf(wanted.map((text): Sql => ({ text: `instr(${held}, ?) > 0`, parameters: [text] })));
}

function known(collection: Collection, field: string): string {
  if (field === '_id' || Object.hasOwn(collection.fields, field)) return field;
  throw new Error(`collection ${collection.name} has no field ${field} to filter by`);
}
