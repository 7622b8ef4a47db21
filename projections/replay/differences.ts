/**
 * Read models laid beside what the log makes of them, document by document and field by field. Documents that are due to be
 * dropped by age are no difference: when they go is a matter of the hour.
 */
import { isDeepStrictEqual } from 'node:util';

import { auditCollection, extentAt, extentCollection, type AuditDocument, type AuditExtent } from '../audit.ts';
import type { Collection, Document, ReadStoreReader } from '../read-store.ts';

const pageSize = 500;

/** One document that is not what it should be. `fields` names what differs; none when the document is there only once. */
export type Difference = {
  readonly collection: Collection;
  readonly id: string;
  readonly kind: 'missing' | 'unexpected' | 'changed';
  readonly fields: readonly string[];
};

/** The read models, and what the log makes of them. */
export type Pair = { readonly live: ReadStoreReader; readonly built: ReadStoreReader };

/** Rows of proxied requests from before this UTC day are due to be dropped. */
export type Horizon = { readonly day: string; readonly at: number };

/** All differences of one collection. Both sides are walked in the order of their ids, a page at a time. */
export async function* differencesOf(
  { live, built }: Pair,
  collection: Collection,
  horizon: Horizon,
): AsyncGenerator<Difference, number> {
  const [mine, theirs] = [documentsOf(live, collection, horizon), documentsOf(built, collection, horizon)];
  let [found, wanted] = [await mine.next(), await theirs.next()];
  let count = 0;
  while (found.done !== true || wanted.done !== true) {
    const [one, other] = [valueOf(found), valueOf(wanted)];
    const order = one === undefined ? 1 : other === undefined ? -1 : compareIds(one._id, other._id);
    const difference = differenceOf(collection, order <= 0 ? one : undefined, order >= 0 ? other : undefined);
    if (difference !== undefined) yield difference;
    if (order >= 0) count += 1;
    if (order <= 0) found = await mine.next();
    if (order >= 0) wanted = await theirs.next();
  }
  return count;
}

/** The difference of one document now; undefined when there is none. */
export async function differenceNow(
  { live, built }: Pair,
  { collection, id }: Pick<Difference, 'collection' | 'id'>,
  horizon: Horizon,
): Promise<Difference | undefined> {
  const [one, other] = await Promise.all([live.get(collection, id), built.get(collection, id)]);
  const kept = (document: Document | undefined) => document && asKept(collection, document, horizon);
  return differenceOf(collection, kept(one), kept(other));
}

async function* documentsOf(
  store: ReadStoreReader,
  collection: Collection,
  horizon: Horizon,
): AsyncGenerator<Document, undefined> {
  for (let last: string | undefined; ;) {
    const page: readonly Document[] = await store.find(collection, {
      filter: {},
      sort: { fields: ['_id'], direction: 'ascending' },
      limit: pageSize,
      ...(last === undefined ? {} : { after: [last] }),
    });
    for (const document of page) {
      const kept = asKept(collection, document, horizon);
      if (kept !== undefined) yield kept;
    }
    last = page.at(-1)?._id;
    if (page.length < pageSize) return undefined;
  }
}

/** The document as it is once what is due has been dropped. */
function asKept(collection: Collection, document: Document, { day, at }: Horizon): Document | undefined {
  if (collection.name === auditCollection.name) {
    const row = document as AuditDocument;
    return row.day !== null && row.day < day ? undefined : row;
  }
  return collection.name === extentCollection.name ? extentAt(document as AuditExtent, at) : document;
}

function differenceOf(
  collection: Collection,
  found: Document | undefined,
  wanted: Document | undefined,
): Difference | undefined {
  if (found === undefined) return wanted && { collection, id: wanted._id, kind: 'missing', fields: [] };
  if (wanted === undefined) return { collection, id: found._id, kind: 'unexpected', fields: [] };
  const [one, other] = [found, wanted] as unknown as [Record<string, unknown>, Record<string, unknown>];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  const fields = [...names].filter((name) => !isDeepStrictEqual(one[name], other[name]));
  return fields.length === 0 ? undefined : { collection, id: found._id, kind: 'changed', fields };
}

const valueOf = <T>(result: IteratorResult<T, unknown>): T | undefined =>
  result.done === true ? undefined : result.value;

/** As both stores order texts: by their bytes in UTF-8. */
const compareIds = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));
