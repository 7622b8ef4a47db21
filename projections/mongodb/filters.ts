/**
 * The filter dialect of the port in MongoDB's own. It is a subset, so most passes as it is; what MongoDB would answer
 * otherwise is put in other words: an empty alternative, a prefix of one item of an array, a cursor over several fields.
 * Values never become operators: every one stands behind an operator of ours (ES-07).
 */
import type { Filter as MongoFilter, Document as MongoDocument } from 'mongodb';
import type { Collection, Condition, Filter, Sort } from '../read-store.ts';
import type { Named } from './queries.ts';

const nothing: MongoDocument = { _id: { $in: [] } };
const comparisons = new Set(['$eq', '$ne', '$in', '$gt', '$gte', '$lt', '$lte']);

/** The query. Throws for a field that the collection does not name and for what is not in the dialect. */
export function queryOf(collection: Collection, filter: Filter): MongoFilter<Named> {
  const parts = partsOf(collection, filter);
  const [only] = parts;
  if (only === undefined) return {};
  return parts.length === 1 ? only : { $and: [...parts] };
}

/** The condition that a document comes after the sort key. */
export function afterQuery({ fields, direction }: Sort, after: readonly (string | number)[]): MongoDocument {
  const beyond = direction === 'ascending' ? '$gt' : '$lt';
  return {
    $or: fields.map((field, at) => ({
      ...Object.fromEntries(fields.slice(0, at).map((before, index) => [before, { $eq: after[index] }])),
      [field]: { [beyond]: after[at] },
    })),
  };
}

/** The order. */
export const sortOf = ({ fields, direction }: Sort): [string, 1 | -1][] =>
  fields.map((field): [string, 1 | -1] => [field, direction === 'ascending' ? 1 : -1]);

function partsOf(collection: Collection, filter: Filter): readonly MongoDocument[] {
  return Object.entries(filter).flatMap(([field, condition]): readonly MongoDocument[] => {
    if (!isList(condition)) return [partOf(known(collection, field), condition)];
    if (field === '$and') return condition.flatMap((one) => partsOf(collection, one));
    if (field !== '$or') throw new Error(`a filter has a list under ${field}`);
    return [condition.length === 0 ? nothing : { $or: condition.map((one) => queryOf(collection, one)) }];
  });
}

const isList = (condition: Condition | readonly Filter[]): condition is readonly Filter[] => Array.isArray(condition);

function known(collection: Collection, field: string): string {
  if (field === '_id' || Object.hasOwn(collection.fields, field)) return field;
  throw new Error(`collection ${collection.name} has no field ${field} to filter by`);
}

function partOf(field: string, condition: Condition): MongoDocument {
  // The empty text is no word, whatever an array holds.
  if ('$contains' in condition) return condition.$contains === '' ? nothing : { [field]: { $eq: condition.$contains } };
  if ('$prefix' in condition) return { [field]: { $regex: `^${literally(condition.$prefix)}` } };
  const operators = Object.keys(condition);
  if (operators.length === 0) throw new Error(`a filter has ${field} without a condition`);
  const strange = operators.find((operator) => !comparisons.has(operator));
  if (strange !== undefined) throw new Error(`a filter has the operator ${strange}, which is not in the dialect`);
  return { [field]: { ...condition } };
}

const literally = (text: string): string => text.replace(/[\\^$.|?*+()[\]{}/-]/g, '\\$&');
