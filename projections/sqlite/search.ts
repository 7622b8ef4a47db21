/**
 * How documents are found: which of a filter's conditions leads to them, while the others are only checked. SQLite is not left
 * to guess, because the readers in other processes have no statistics: the conditions are weighed by counting, up to a
 * limit, how many documents each would lead to.
 */
import type { Collection, Filter, Sort } from '../read-store.ts';
import {
  allOf,
  conditionSql,
  conjunctsOf,
  facetOf,
  matchOf,
  type Conjunct,
  type Match,
  type Plain,
  type Sql,
  type Texts,
  type TokensBegun,
} from './conditions.ts';
import { facetedField, quoted } from './tables.ts';

/** What a search asks the database beforehand. */
export type Beforehand = {
  /** How many rows of the table fulfil the condition, counted up to `mostWeighed`. */
  readonly weigh: (table: string, where: Sql) => number;
  readonly tokensBegun: TokensBegun;
};

/** Beyond so many documents one lead is as good as another: the filter is met often, or nothing helps. */
export const mostWeighed = 10_001;
/** What leads to fewer is good enough, and nothing else is weighed. */
const light = 500;

/** FROM and WHERE of a search, with the collection's table named `t`. */
export type Search = {
  readonly from: Sql;
  readonly where: Sql;
  /** True when words lead to the documents, so that no index gives their order. */
  readonly ledByWords: boolean;
  /** How many documents there are, when weighing the words has said so. */
  readonly count?: number;
};

/** The search for a filter. `ordered` when the documents are wanted in an order, and not only counted. */
export function searchSql(
  collection: Collection,
  filter: Filter,
  { weigh, tokensBegun, ordered }: Beforehand & { readonly ordered: boolean },
): Search {
  const conjuncts = conjunctsOf(filter);
  const index = lightestIndex(collection, conjuncts, weigh);
  const indexWeight = index?.weight ?? Number.POSITIVE_INFINITY;
  const questions = indexWeight < light ? [] : questionsOf(collection, conjuncts, tokensBegun);
  const words = lightest(questions, ({ match: { table, where } }) => weigh(table, where));
  if (words !== undefined && wordsLead(words.weight, indexWeight, ordered)) {
    const { match, answers } = words.item;
    const others = conjuncts.filter((one) => !answers.has(one));
    const search = ledByWords(collection, match, { others, ordered });
    return others.length === 0 && words.weight < mostWeighed ? { ...search, count: words.weight } : search;
  }
  const leading = index && new Set(index.item);
  const isQuiet = (conjunct: Conjunct): boolean =>
    leading !== undefined && 'field' in conjunct && !leading.has(conjunct.field);
  const parts = conjuncts.map((conjunct) => conditionSql(collection, conjunct, isQuiet(conjunct)));
  return { from: { text: tableOf(collection), parameters: [] }, where: allOf(parts), ledByWords: false };
}

// Of what very many documents have, an order soon meets enough; a count has no order to walk.
const wordsLead = (words: number, index: number, ordered: boolean): boolean =>
  ordered ? words < index && words < mostWeighed : words <= index;

/** A question to a full-text index, and the conditions that it answers. */
type Question = { readonly match: Match; readonly answers: ReadonlySet<Conjunct> };

/** One question for each `texts` field that is asked for; without any, one for facets, when there are several. */
function questionsOf(
  collection: Collection,
  conjuncts: readonly Conjunct[],
  tokensBegun: TokensBegun,
): readonly Question[] {
  const texts = conjuncts.filter(isTexts);
  const faceted = facetedField(collection);
  const asked = texts.length > 0 || faceted === undefined ? texts : [facetsOnly(faceted)];
  return asked.flatMap((conjunct): readonly Question[] => {
    const found = conjuncts.flatMap((one) => {
      const facet = facetOf(collection, conjunct.field, one);
      return facet === undefined ? [] : [{ one, facet }];
    });
    // One facet alone is what an index is better at.
    if (conjunct.whole.length + conjunct.begun.length === 0 && found.length < 2) return [];
    const match = matchOf(collection, conjunct, { tokensBegun, facets: found.map(({ facet }) => facet) });
    return [{ match, answers: new Set([conjunct, ...found.map(({ one }) => one)]) }];
  });
}

const facetsOnly = (field: string): Texts => ({ kind: 'texts', field, whole: [], begun: [] });

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

const isTexts = (conjunct: Conjunct): conjunct is Texts => conjunct.kind === 'texts';
const tableOf = (collection: Collection): string => `${quoted(collection.name)} AS t`;

function ledByWords(
  collection: Collection,
  { table, where }: Match,
  { others, ordered }: { readonly others: readonly Conjunct[]; readonly ordered: boolean },
): Search {
  // Whoever only counts needs no document of which nothing else is asked.
  if (!ordered && others.length === 0) return { from: { text: table, parameters: [] }, where, ledByWords: true };
  const words = `(SELECT rowid AS document FROM ${table} WHERE ${where.text})`;
  return {
    // CROSS JOIN: SQLite keeps the order in which the two are written, and a limit ends both.
    from: {
      text: `${words} AS w CROSS JOIN ${tableOf(collection)} ON t.rowid = w.document`,
      parameters: where.parameters,
    },
    where: allOf(others.map((conjunct) => conditionSql(collection, conjunct, true))),
    ledByWords: true,
  };
}

type Weighed<T> = { readonly item: T; readonly weight: number };

/** Of what weighs the same, the first; what comes after something light is not weighed any more. */
function lightest<T>(items: readonly T[], weightOf: (item: T) => number): Weighed<T> | undefined {
  let best: Weighed<T> | undefined;
  for (const item of items) {
    if (best !== undefined && best.weight < light) break;
    const weight = weightOf(item);
    if (best === undefined || weight < best.weight) best = { item, weight };
  }
  return best;
}

/** The fields by which the best index leads: the first ones of an index, all of which are asked to equal something. */
function lightestIndex(
  collection: Collection,
  conjuncts: readonly Conjunct[],
  weigh: Beforehand['weigh'],
): Weighed<readonly string[]> | undefined {
  const equal = new Map(conjuncts.filter(isEquality).map((conjunct) => [conjunct.field, conjunct]));
  const candidates = [['_id'], ...collection.indexes].flatMap((fields) => {
    const end = fields.findIndex((field) => !equal.has(field));
    const led = end === -1 ? fields : fields.slice(0, end);
    return led.length === 0 ? [] : [led];
  });
  // With one index to choose from there is nothing to weigh it against.
  if (candidates.length === 1 && !conjuncts.some(isTexts)) return { item: candidates[0] ?? [], weight: 0 };
  return lightest(candidates, (led) => {
    const conditions = led.map((field) => conditionSql(collection, equal.get(field) as Plain, false));
    return weigh(tableOf(collection), allOf(conditions));
  });
}

const isEquality = (conjunct: Conjunct): conjunct is Plain =>
  conjunct.kind === 'plain' && ('$eq' in conjunct.condition || '$in' in conjunct.condition);
