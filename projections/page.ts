/**
 * Pages and their tokens. A token is the sort key of the last document of a page, opaque to whoever carries it and
 * checked when it comes back; it names no store and stays good when documents come and go.
 */
import { Buffer } from 'node:buffer';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Collection, Document, Filter, ReadStoreReader, Sort } from './read-store.ts';

/** A page; `next` is the token of the following one, absent on the last. */
export type Page<T> = { readonly items: readonly T[]; readonly next?: string };

/** Which page: at most `limit` items after the given token. */
export type PageRequest = { readonly limit: number; readonly after?: string };

type Key = readonly (string | number)[];
const longestToken = 1_024;

/** One page of a collection. Asks for one document more than wanted, which tells whether there is another page. */
export async function pageOf<D extends Document>(
  store: ReadStoreReader,
  collection: Collection<D>,
  query: PageRequest & { readonly filter: Filter; readonly sort: Sort; readonly skip?: number },
): Promise<Page<D>> {
  const found = await store.find(collection, {
    filter: query.filter,
    sort: query.sort,
    limit: query.limit + 1,
    ...(query.after === undefined ? {} : { after: decodePageToken(query.after, kindsOf(collection, query.sort)) }),
    ...(query.skip === undefined ? {} : { skip: query.skip }),
  });
  const items = found.slice(0, query.limit);
  const last = items.at(-1);
  if (found.length <= query.limit || last === undefined) return { items };
  return { items, next: encodePageToken(query.sort.fields.map((field) => keyPart(last, field))) };
}

/** The opaque text of a sort key. */
export function encodePageToken(key: Key): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** The sort key of a token. Throws `VALIDATION_ERROR` on `pageToken` for anything that `encodePageToken` did not make. */
export function decodePageToken(token: string, kinds: readonly ('string' | 'number')[]): Key {
  const key = token.length > longestToken ? undefined : parsed(token);
  const fits =
    Array.isArray(key) &&
    key.length === kinds.length &&
    key.every(
      (part, index) => typeof part === kinds[index] && (typeof part !== 'number' || Number.isSafeInteger(part)),
    );
  if (!fits) {
    throw new Refusal('VALIDATION_ERROR', 'This page token was not made here. Begin again without one.', {
      field: 'pageToken',
    });
  }
  return key as Key;
}

function parsed(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    // Whatever it is, it is not a token of ours.
    return undefined;
  }
}

function kindsOf(collection: Collection, sort: Sort): readonly ('string' | 'number')[] {
  return sort.fields.map((field) => (collection.fields[field] === 'integer' ? 'number' : 'string'));
}

function keyPart(document: Document, field: string): string | number {
  const value = (document as unknown as Readonly<Record<string, unknown>>)[field];
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw new Error(`document ${document._id} has no ${field} to sort by`);
}
