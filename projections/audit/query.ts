/** Searching the audit: filters that must all hold, newest first, by cursor or by page. */
import { auditCollection, extentCollection, extentId, type AuditDocument } from '../audit.ts';
import { pageOf, type Page } from '../page.ts';
import type { Condition, Filter, ReadStoreReader } from '../read-store.ts';
import { namesCollection } from './names.ts';
import { searchedWords, searchKey } from './words.ts';

/** Each filter that is given must hold. Instants are milliseconds; both ends are included. */
export type AuditFilters = {
  readonly category?: string;
  readonly code?: string;
  readonly severity?: string;
  /** Exactly this person: id, or any e-mail or user name they have had, in either case. */
  readonly user?: string;
  readonly clusterId?: string;
  readonly resourceId?: string;
  readonly correlationId?: string;
  /** Everything done under this access request's grant, and what became of the request. */
  readonly accessRequestId?: string;
  /** Words that all occur, the last as a prefix. A text without a word finds nothing. */
  readonly text?: string;
  readonly fromAt?: number;
  readonly toAt?: number;
};

/** Which page: after a cursor, or skipping so many rows. */
export type AuditQuery = {
  readonly filters: AuditFilters;
  readonly limit: number;
  readonly after?: string;
  readonly skip?: number;
};

/** Totals are exact up to here. */
export const mostCounted = 10_000;

export type AuditPage = Page<AuditDocument> & {
  /** How many rows match: exact, or `mostCounted` when there are more. */
  readonly total: number;
  readonly totalIsLowerBound: boolean;
  /** From when on nothing is missing, in milliseconds; undefined while the log is empty. */
  readonly completeFrom?: number;
};

/** One page of matching rows, newest first. */
export async function auditEvents(models: ReadStoreReader, query: AuditQuery): Promise<AuditPage> {
  const filter = await filterOf(models, query.filters);
  const { filters: _, ...page } = query;
  const found = await pageOf(models, auditCollection, {
    filter,
    sort: { fields: ['time', 'position'], direction: 'descending' },
    ...page,
  });
  const counted = await models.count(auditCollection, filter, mostCounted);
  return {
    ...found,
    total: Math.min(counted, mostCounted),
    totalIsLowerBound: counted > mostCounted,
    ...(await completeFrom(models)),
  };
}

/** The row with this uid. */
export async function getAuditEvent(models: ReadStoreReader, uid: string): Promise<AuditDocument | undefined> {
  const [row] = await models.find(auditCollection, {
    filter: { uid: { $eq: uid } },
    sort: { fields: ['_id'], direction: 'ascending' },
    limit: 1,
  });
  return row;
}

async function completeFrom(models: ReadStoreReader): Promise<{ readonly completeFrom?: number }> {
  const extent = await models.get(extentCollection, extentId);
  return extent ? { completeFrom: Math.max(extent.firstAt, extent.droppedBefore ?? 0) } : {};
}

async function filterOf(models: ReadStoreReader, filters: AuditFilters): Promise<Filter> {
  const { user, text, accessRequestId, fromAt, toAt } = filters;
  const plain = ['category', 'code', 'severity', 'clusterId', 'resourceId', 'correlationId'] as const;
  const equal = plain.flatMap((field): readonly [string, Condition][] => {
    const value = filters[field];
    return value === undefined ? [] : [[field, { $eq: value }]];
  });
  const during = {
    ...(fromAt === undefined ? {} : { $gte: fromAt }),
    ...(toAt === undefined ? {} : { $lte: toAt }),
  };
  return {
    ...Object.fromEntries(equal),
    ...(accessRequestId === undefined ? {} : { accessRequestId: { $eq: accessRequestId } }),
    ...(Object.keys(during).length === 0 ? {} : { time: during }),
    ...(user === undefined ? {} : { userId: { $in: await peopleCalled(models, user) } }),
    ...(text === undefined ? {} : { $and: wordsFilter(text) }),
  };
}

async function peopleCalled(models: ReadStoreReader, name: string): Promise<readonly string[]> {
  const found = await models.find(namesCollection, {
    filter: { keys: { $contains: searchKey(name) } },
    sort: { fields: ['_id'], direction: 'ascending' },
    limit: 1_000,
  });
  return found.map(({ _id }) => _id.slice('user:'.length));
}

function wordsFilter(text: string): readonly Filter[] {
  const words = searchedWords(text);
  // No row is in an empty list, so a text without a word is not as good as no text.
  if (words === undefined) return [{ uid: { $in: [] } }];
  return [...words.whole.map((word) => ({ words: { $contains: word } })), { words: { $prefix: words.prefix } }];
}
