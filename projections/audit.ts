/**
 * The audit log as a read model: one row per fact, and one row per proxied request whatever number of facts it left. A row's
 * `uid` is the id of the (first) fact it shows, so applying the log again never makes a second one. A fact that is void is
 * shown and marked, never hidden (D18). It interprets nothing that the fact does not say.
 */
import { eventCatalogue, type AuditSeverity } from '@clustral/schemas/events/catalogue.ts';
import { endOfDay } from '@clustral/schemas/events/proxy.ts';
import { displayName } from '@clustral/schemas/events/person.ts';
import { applyNames, askedCollection, namesCollection, namesFor, type Names } from './audit/names.ts';
import type { Telling } from './audit/telling.ts';
import { tellingOf } from './audit/tellings.ts';
import { wordsOf } from './audit/words.ts';
import {
  instant,
  positionOf,
  put,
  recordedAt,
  type Lookup,
  type Op,
  type ReadModel,
  type RecordedFact,
  type Seen,
} from './model.ts';
import { collectionOf } from './read-store.ts';

/** A row. Instants are milliseconds since the epoch. */
export type AuditDocument = {
  /** The request id of a proxied request, else the fact's id. */
  readonly _id: string;
  readonly uid: string;
  readonly event: string;
  readonly code: string;
  readonly category: string;
  readonly severity: AuditSeverity;
  readonly success: boolean;
  readonly user: string;
  /** Null when no person did it. */
  readonly userId: string | null;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly resourceName: string;
  readonly clusterName: string;
  readonly clusterId: string | null;
  readonly time: number;
  readonly receivedAt: number;
  readonly message: string;
  readonly error: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly correlationId: string;
  readonly causationId: string;
  /** Log position of the (first) fact. */
  readonly position: number;
  /** The access request that it is about, or whose grant allowed it. */
  readonly accessRequestId: string | null;
  readonly staleEpoch: boolean;
  /** UTC day of the stream for records that are kept for a time only; null for those kept for ever (D26). */
  readonly day: string | null;
  /** How far a proxied request is known; null for everything else. */
  readonly phase: 'started' | 'ended' | 'outcome_unknown' | null;
  readonly words: readonly string[];
};

/** From when on the audit is complete (D26): the log's first fact, or where older days were dropped. */
export type AuditExtent = { readonly _id: string; readonly firstAt: number; readonly droppedBefore: number | null };

const newestFirst = ['time', 'position'] as const;

export const auditCollection = collectionOf<AuditDocument>({
  name: 'audit',
  fields: {
    uid: 'text',
    code: 'text',
    category: 'text',
    severity: 'text',
    userId: 'text',
    resourceId: 'text',
    clusterId: 'text',
    correlationId: 'text',
    accessRequestId: 'text',
    time: 'integer',
    position: 'integer',
    day: 'text',
    words: 'texts',
  },
  // The most telling first: of filters that are met equally often, the first leads.
  indexes: [
    ['uid'],
    ['correlationId', ...newestFirst],
    ['resourceId', ...newestFirst],
    ['accessRequestId', ...newestFirst],
    ['userId', ...newestFirst],
    ['code', ...newestFirst],
    ['clusterId', ...newestFirst],
    ['severity', ...newestFirst],
    ['category', ...newestFirst],
    [...newestFirst],
    ['day', '_id'],
  ],
  facets: ['category', 'code', 'severity', 'userId', 'clusterId'],
  indexedLast: true,
});

export const extentCollection = collectionOf<AuditExtent>({ name: 'audit_extent', fields: {}, indexes: [] });
export const extentId = 'audit';

export const audit: ReadModel = {
  name: 'audit',
  version: 3,
  collections: [auditCollection, namesCollection, askedCollection, extentCollection],
  apply: applyAudit,
};

/** The row that a fact makes or completes, and the names it teaches. */
export async function applyAudit({ fact, isVoid }: Seen, lookup: Lookup): Promise<readonly Op[]> {
  const id = fact.type === 'proxy.request' ? fact.data.requestId : fact.id;
  const known = await lookup.get(auditCollection, id);
  if (known && !completes(fact, known)) return [];
  const names = await namesFor(fact, lookup);
  const row = rowOf({ fact, isVoid }, names, id);
  // The row of a request stays where its first fact put it.
  const kept = known && {
    uid: known.uid,
    receivedAt: known.receivedAt,
    position: known.position,
    staleEpoch: known.staleEpoch,
  };
  return [
    put(auditCollection, { ...row, ...kept }),
    ...(isVoid ? [] : await applyNames(fact, lookup)),
    ...(await extentChanges(fact, lookup)),
  ];
}

const completes = (fact: RecordedFact, known: AuditDocument): boolean =>
  fact.type === 'proxy.request' && known.phase === 'started' && fact.data.phase !== 'started';

async function extentChanges(fact: RecordedFact, lookup: Lookup): Promise<readonly Op[]> {
  const known = await lookup.get(extentCollection, extentId);
  const before = known ?? { _id: extentId, firstAt: recordedAt(fact), droppedBefore: null };
  // Deleted by whoever keeps the log, perhaps by another rule than ours: then there is nothing to show it from.
  const extent = fact.type === 'proxy.day_deleted' ? extentAt(before, endOfDay(fact.data.day)) : before;
  return extent === known ? [] : [put(extentCollection, extent)];
}

/** What the extent says once everything from before the horizon was dropped. */
export function extentAt(extent: AuditExtent, horizon: number): AuditExtent {
  if (extent.firstAt >= horizon || (extent.droppedBefore ?? 0) >= horizon) return extent;
  return { ...extent, droppedBefore: horizon };
}

function rowOf({ fact, isVoid }: Seen, names: Names, id: string): AuditDocument {
  const { code, category, severity, success } = eventCatalogue[fact.type];
  const { metadata } = fact;
  const telling = tellingOf(fact, names);
  const failed = telling.failed === true;
  const who = whoOf(fact, names);
  // What a fact calls a cluster is newer than the table.
  const clusterName = telling.resourceType === 'cluster' ? telling.resourceName : names.cluster(telling.clusterId);
  return {
    _id: id,
    uid: fact.id,
    event: fact.type,
    code,
    category,
    severity: failed && severity === 'Info' ? 'Warning' : severity,
    success: success && !failed,
    ...who,
    resourceType: telling.resourceType,
    resourceId: telling.resourceId,
    resourceName: telling.resourceName,
    clusterName,
    clusterId: telling.clusterId,
    time: fact.type === 'proxy.request' ? instant(fact.data.startedAt) : recordedAt(fact),
    receivedAt: recordedAt(fact),
    message: telling.message,
    error: telling.error ?? '',
    metadata: detailsOf(fact, telling),
    correlationId: metadata.$correlationId,
    causationId: metadata.$causationId ?? '',
    position: positionOf(fact),
    accessRequestId: telling.accessRequestId ?? null,
    staleEpoch: isVoid,
    day: dayOf(fact),
    phase: fact.type === 'proxy.request' ? fact.data.phase : null,
    words: wordsOf([
      telling.message,
      who.user,
      code,
      fact.type,
      telling.resourceName,
      clusterName,
      telling.error ?? '',
    ]),
  };
}

function whoOf(fact: RecordedFact, names: Names): { readonly user: string; readonly userId: string | null } {
  if (fact.type === 'proxy.request') {
    return { user: names.user(fact.data.userId, fact.data.userRevision), userId: fact.data.userId };
  }
  if (fact.type === 'proxy.access_denied' && fact.data.userId !== null) {
    return { user: names.user(fact.data.userId), userId: fact.data.userId };
  }
  const { actor } = fact.metadata;
  // At a first sign-in the table does not know the person yet.
  if (fact.type === 'user.synced' && actor.id === fact.data.userId) {
    return { user: displayName(fact.data.claims), userId: actor.id };
  }
  return { user: names.actor, userId: actor.kind === 'user' ? actor.id : null };
}

function detailsOf({ metadata }: RecordedFact, telling: Telling): Readonly<Record<string, unknown>> {
  const { requestId, sourceAddress, userAgent, traceparent, epoch } = metadata;
  const all = { requestId, sourceAddress, userAgent, traceparent, epoch, ...telling.details };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== null));
}

const dayStream = /^proxy-.*-(\d{8})$/;

function dayOf(fact: RecordedFact): string | null {
  // As early logs have it, on the stream that it closes.
  return fact.type === 'proxy.day_closed' ? null : (dayStream.exec(fact.stream)?.[1] ?? null);
}
