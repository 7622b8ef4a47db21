/**
 * The filter dialect as SQL. Every value travels as a parameter and every field must be one of the collection's, so there
 * is nothing to inject into; what does not fit throws a plain `Error`, because filters are written by us.
 *
 * Which index is walked is decided here and not left to SQLite, whose readers in other processes have no statistics: the
 * fields of the chosen index stay as they are, a unary plus keeps all other equalities from being considered.
 */
import type { Collection, Condition, Filter, Scalar, Sort } from '../read-store.ts';
import { quoted, sqlValue, textsTable, tokenOf } from './tables.ts';

export type Sql = { readonly text: string; readonly parameters: readonly (string | number | null)[] };

/** How many rows FROM and WHERE give, counted as far as the caller cares. */
export type Weigh = (source: Sql) => number;

/** Where the documents of a filter come from, and what else they must fulfil. */
export type Search = {
  /** FROM, with the collection's table named `t`. */
  readonly from: Sql;
  readonly where: Sql;
  /** True when a word leads to the documents, so that no index gives their order. */
  readonly ledByWord: boolean;
};

type OnField = { readonly field: string; readonly condition: Condition };
type Conjunct =
  | ({ readonly kind: 'plain' } & OnField)
  /** All conditions on one `texts` field, as one full-text query. */
  | { readonly kind: 'texts'; readonly field: string; readonly match: string }
  | { readonly kind: 'or'; readonly alternatives: readonly Filter[] };
type Texts = Extract<Conjunct, { kind: 'texts' }>;

/**
 * The filter as SQL. Its words lead to the documents if at most `mostLed` have them all; otherwise the order is walked and
 * each document probed for them.
 */
export function searchSql(
  collection: Collection,
  filter: Filter,
  limits: { readonly weigh: Weigh; readonly mostLed: number },
): Search {
  const conjuncts = merged(conjunctsOf(filter));
  const lead = rarest(collection, conjuncts, limits);
  const leading = lead ? new Set<string>() : bestIndex(collection, conjuncts);
  const parts = conjuncts
    .filter((conjunct) => conjunct !== lead)
    .map((conjunct) => conjunctSql(collection, conjunct, leading));
  const table = `${quoted(collection.name)} AS t`;
  if (!lead) return { from: { text: table, parameters: [] }, where: allOf(parts), ledByWord: false };
  const words = matching(collection, lead);
  // CROSS JOIN: SQLite keeps the order in which the two are written, and a limit ends both.
  const from = `(SELECT rowid AS document ${words.text}) AS w CROSS JOIN ${table} ON t.rowid = w.document`;
  return { from: { text: from, parameters: words.parameters }, where: allOf(parts), ledByWord: true };
}

/** ORDER BY of a sort; with `plus`, one that no index serves. */
export function orderSql(sort: Sort, plus: boolean): string {
  const direction = sort.direction === 'ascending' ? 'ASC' : 'DESC';
  return sort.fields.map((field) => `${plus ? '+' : ''}t.${quoted(field)} ${direction}`).join(', ');
}

/** The condition that a document comes after the sort key. */
export function afterSql(sort: Sort, after: readonly (string | number)[]): Sql {
  const fields = sort.fields.map((field) => `t.${quoted(field)}`).join(', ');
  const places = sort.fields.map(() => '?').join(', ');
  return { text: `(${fields}) ${sort.direction === 'ascending' ? '>' : '<'} (${places})`, parameters: after };
}

function rarest(
  collection: Collection,
  conjuncts: readonly Conjunct[],
  { weigh, mostLed }: { readonly weigh: Weigh; readonly mostLed: number },
): Texts | undefined {
  const weighed = conjuncts.flatMap((conjunct) =>
    conjunct.kind === 'texts' ? [{ conjunct, weight: weigh(matching(collection, conjunct)) }] : [],
  );
  const [first] = weighed.toSorted((one, other) => one.weight - other.weight);
  return first && first.weight <= mostLed ? first.conjunct : undefined;
}

function conjunctSql(collection: Collection, conjunct: Conjunct, leading: ReadonlySet<string> | undefined): Sql {
  switch (conjunct.kind) {
    case 'plain':
      return plain(collection, conjunct, leading === undefined || leading.has(conjunct.field));
    case 'texts':
      return probed(collection, conjunct);
    case 'or':
      return either(collection, conjunct.alternatives);
    default:
      return conjunct satisfies never;
  }
}

function conjunctsOf(filter: Filter): readonly Conjunct[] {
  return Object.entries(filter).flatMap(([field, condition]): readonly Conjunct[] => {
    if (!isList(condition)) {
      const match = matchOf(condition);
      return [match === undefined ? { kind: 'plain', field, condition } : { kind: 'texts', field, match }];
    }
    if (field === '$and') return condition.flatMap(conjunctsOf);
    if (field === '$or') return [{ kind: 'or', alternatives: condition }];
    throw new Error(`a filter has a list under ${field}`);
  });
}

/** Conditions on the same `texts` field become one query, which the index then intersects by itself. */
function merged(conjuncts: readonly Conjunct[]): readonly Conjunct[] {
  const texts = Map.groupBy(
    conjuncts.filter((conjunct) => conjunct.kind === 'texts'),
    ({ field }) => field,
  );
  return [
    ...conjuncts.filter(({ kind }) => kind !== 'texts'),
    ...Array.from(texts, ([field, all]): Texts => {
      return { kind: 'texts', field, match: all.map(({ match }) => match).join(' AND ') };
    }),
  ];
}

/** The condition in the language of full-text queries; undefined when it is not one on a `texts` field. */
function matchOf(condition: Condition): string | undefined {
  // A token holds letters and digits only, so there is nothing to escape.
  if ('$contains' in condition) return `"${tokenOf(condition.$contains)}"`;
  return '$prefix' in condition ? `"${tokenOf(condition.$prefix)}"*` : undefined;
}

const isList = (condition: Condition | readonly Filter[]): condition is readonly Filter[] => Array.isArray(condition);

const isEquality = (conjunct: Conjunct): conjunct is Extract<Conjunct, { kind: 'plain' }> =>
  conjunct.kind === 'plain' && ('$eq' in conjunct.condition || '$in' in conjunct.condition);

/** The fields of the index that serves the most equalities; the first declared among equals. Undefined when none does. */
function bestIndex(collection: Collection, conjuncts: readonly Conjunct[]): ReadonlySet<string> | undefined {
  const equal = new Set(conjuncts.filter(isEquality).map(({ field }) => field));
  if (equal.has('_id')) return new Set(['_id']);
  let best: readonly string[] = [];
  for (const fields of collection.indexes) {
    const end = fields.findIndex((field) => !equal.has(field));
    const led = end === -1 ? fields : fields.slice(0, end);
    if (led.length > best.length) best = led;
  }
  return best.length === 0 ? undefined : new Set(best);
}

function plain(collection: Collection, { field, condition }: OnField, leads: boolean): Sql {
  const column = `t.${quoted(known(collection, field))}`;
  const quiet = leads ? column : `+${column}`;
  if ('$eq' in condition) {
    if (condition.$eq === null) return { text: `${quiet} IS NULL`, parameters: [] };
    return { text: `${quiet} = ?`, parameters: [sqlValue(condition.$eq)] };
  }
  if ('$ne' in condition) return { text: `${column} IS NOT ?`, parameters: [sqlValue(condition.$ne)] };
  if ('$in' in condition) {
    const [only] = condition.$in;
    if (condition.$in.length === 1 && only !== undefined) return { text: `${quiet} = ?`, parameters: [only] };
    return { text: `${quiet} IN (SELECT value FROM json_each(?))`, parameters: [JSON.stringify(condition.$in)] };
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
    allOf(merged(conjunctsOf(filter)).map((conjunct) => conjunctSql(collection, conjunct, undefined))),
  );
  if (parts.length === 0) return { text: 'FALSE', parameters: [] };
  return {
    text: `(${parts.map(({ text }) => `(${text})`).join(' OR ')})`,
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}

/** FROM and WHERE of a select over the full-text index. */
function matching(collection: Collection, { field, match }: Texts): Sql {
  const table = textsTable(collection, known(collection, field));
  return { text: `FROM ${table} WHERE ${table} MATCH ?`, parameters: [match] };
}

function probed(collection: Collection, conjunct: Texts): Sql {
  const words = matching(collection, conjunct);
  return { text: `EXISTS (SELECT 1 ${words.text} AND rowid = t.rowid)`, parameters: words.parameters };
}

function known(collection: Collection, field: string): string {
  if (field === '_id' || Object.hasOwn(collection.fields, field)) return field;
  throw new Error(`collection ${collection.name} has no field ${field} to filter by`);
}

function allOf(parts: readonly Sql[]): Sql {
  if (parts.length === 0) return { text: 'TRUE', parameters: [] };
  return {
    text: parts.map(({ text }) => text).join(' AND '),
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}
