/**
 * Requests for access and the grants that came of them, part of the access read model. A request whose time has run out
 * shows as it was until the log says that it expired: no clock decides here.
 */
import { clusterCollection } from './clusters.ts';
import { instant, patch, positionOf, put, recordedAt, type Lookup, type Op, type RecordedFact } from './model.ts';
import { pageOf, type Page, type PageRequest } from './page.ts';
import { collectionOf, type Collection, type Document, type Filter, type ReadStoreReader } from './read-store.ts';
import { roleCollection } from './roles.ts';
import { userCollection } from './users.ts';

/** How a request stands. `approved` is a grant, begun or not; every other word but `pending` is an end. */
export type AccessRequestStatus = 'pending' | 'approved' | 'denied' | 'revoked' | 'expired' | 'withdrawn';

/** A request with its grant. Instants are milliseconds since the epoch. */
export type AccessRequestDocument = {
  readonly _id: string;
  readonly userId: string;
  readonly clusterId: string;
  readonly roleId: string;
  readonly roleRevision: number;
  readonly status: AccessRequestStatus;
  readonly reason: string;
  readonly durationSeconds: number;
  readonly startsAt: number | null;
  readonly extendsRequestId: string | null;
  readonly suggestedReviewerEmails: readonly string[];
  readonly createdAt: number;
  /** Until when it may be decided. */
  readonly expiresAt: number;
  readonly reviewerId: string | null;
  readonly decidedAt: number | null;
  readonly grantStartsAt: number | null;
  readonly grantExpiresAt: number | null;
  readonly endedAt: number | null;
  /** Reason of a denial or a revocation, or what ended it. */
  readonly endReason: string | null;
  /** Log position of the last fact applied. */
  readonly position: number;
};

/** A request with the names it is shown with, and its role as it is now; a name is empty when it was never known. */
export type AccessRequest = AccessRequestDocument & {
  readonly requesterName: string;
  readonly clusterName: string;
  readonly roleName: string;
  readonly reviewerName: string;
  /** Undefined when it was deleted. */
  readonly role: { readonly k8sGroups: readonly string[]; readonly revision: number } | undefined;
};

export const accessRequestCollection = collectionOf<AccessRequestDocument>({
  name: 'access_requests',
  fields: { userId: 'text', clusterId: 'text', roleId: 'text', status: 'text', createdAt: 'integer' },
  indexes: [
    ['createdAt', '_id'],
    ['status', 'createdAt', '_id'],
    ['userId', 'createdAt', '_id'],
    ['clusterId', 'status'],
    ['roleId', 'status'],
  ],
});

const open = ['pending', 'approved'] as const;

/** The same words as in the explicit fact that follows, which changes nothing here any more. */
const endReasons = {
  'role.deleted': 'role deleted',
  'cluster.deleted': 'cluster deleted',
  'user.disabled': 'person disabled',
} as const;

/** Changes of requests that follow from a fact. */
export async function applyAccessRequest(fact: RecordedFact, lookup: Lookup): Promise<readonly Op[]> {
  switch (fact.type) {
    case 'access_request.created':
      return created(fact, lookup);
    case 'access_request.approved':
    case 'access_request.denied':
    case 'access_request.revoked':
    case 'access_request.expired':
    case 'access_request.withdrawn':
      return decided(fact, lookup);
    case 'role.deleted':
      return endedBy(fact, lookup, { roleId: fact.data.roleId });
    case 'cluster.deleted':
      return endedBy(fact, lookup, { clusterId: fact.data.clusterId });
    case 'user.disabled':
      return endedBy(fact, lookup, { userId: fact.data.userId });
    default:
      return [];
  }
}

async function created(
  fact: Extract<RecordedFact, { type: 'access_request.created' }>,
  lookup: Lookup,
): Promise<readonly Op[]> {
  const { accessRequestId, userId, clusterId, roleId } = fact.data;
  const known = await lookup.get(accessRequestCollection, accessRequestId);
  if (known) return [];
  const document: AccessRequestDocument = {
    _id: accessRequestId,
    userId,
    clusterId,
    roleId,
    roleRevision: fact.data.roleRevision,
    status: 'pending',
    reason: fact.data.reason,
    durationSeconds: fact.data.durationSeconds,
    startsAt: fact.data.startsAt === null ? null : instant(fact.data.startsAt),
    extendsRequestId: fact.data.extends,
    suggestedReviewerEmails: fact.data.suggestedReviewerEmails,
    createdAt: recordedAt(fact),
    expiresAt: instant(fact.data.expiresAt),
    reviewerId: null,
    decidedAt: null,
    grantStartsAt: null,
    grantExpiresAt: null,
    endedAt: null,
    endReason: null,
    position: positionOf(fact),
  };
  return [put(accessRequestCollection, { ...document, ...(await alreadyEnded(fact, lookup)) })];
}

// The role or the cluster may have gone a moment before: then the request was dead when it was written. One made while
// its person is disabled only sleeps, as in the policy fold.
async function alreadyEnded(
  fact: Extract<RecordedFact, { type: 'access_request.created' }>,
  lookup: Lookup,
): Promise<Partial<AccessRequestDocument>> {
  const { clusterId, roleId } = fact.data;
  const endReason =
    ((await lookup.get(clusterCollection, clusterId))?.deleted && endReasons['cluster.deleted']) ||
    ((await lookup.get(roleCollection, roleId))?.deleted && endReasons['role.deleted']);
  return endReason ? { status: 'revoked', endReason, endedAt: recordedAt(fact) } : {};
}

type DecidedFact = Extract<
  RecordedFact,
  {
    type:
      | 'access_request.approved'
      | 'access_request.denied'
      | 'access_request.revoked'
      | 'access_request.expired'
      | 'access_request.withdrawn';
  }
>;

async function decided(fact: DecidedFact, lookup: Lookup): Promise<readonly Op[]> {
  const known = await lookup.get(accessRequestCollection, fact.data.accessRequestId);
  if (!known || known.position >= positionOf(fact) || !isOpen(known)) return [];
  return [patch(accessRequestCollection, known._id, { ...changeOf(fact), position: positionOf(fact) })];
}

function changeOf(fact: DecidedFact): Partial<AccessRequestDocument> {
  const endedAt = recordedAt(fact);
  switch (fact.type) {
    case 'access_request.approved':
      return {
        status: 'approved',
        roleRevision: fact.data.roleRevision,
        reviewerId: fact.data.reviewerId,
        decidedAt: recordedAt(fact),
        durationSeconds: fact.data.durationSeconds,
        grantStartsAt: instant(fact.data.grantStartsAt),
        grantExpiresAt: instant(fact.data.grantExpiresAt),
      };
    case 'access_request.denied':
      return {
        status: 'denied',
        reviewerId: fact.data.reviewerId,
        decidedAt: endedAt,
        endedAt,
        endReason: fact.data.reason,
      };
    case 'access_request.revoked':
      return { status: 'revoked', endedAt, endReason: fact.data.reason };
    case 'access_request.expired':
      return { status: 'expired', endedAt: instant(fact.data.expiredAt) };
    case 'access_request.withdrawn':
      return { status: 'withdrawn', endedAt };
    default:
      return fact satisfies never;
  }
}

async function endedBy(
  fact: Extract<RecordedFact, { type: keyof typeof endReasons }>,
  lookup: Lookup,
  equals: Readonly<Record<string, string>>,
): Promise<readonly Op[]> {
  const found = await Promise.all(open.map((status) => lookup.where(accessRequestCollection, { ...equals, status })));
  const set = {
    status: 'revoked',
    endedAt: recordedAt(fact),
    endReason: endReasons[fact.type],
    position: positionOf(fact),
  } as const;
  return found
    .flat()
    .filter(({ position }) => position < positionOf(fact))
    .map(({ _id }) => patch(accessRequestCollection, _id, set));
}

const isOpen = ({ status }: AccessRequestDocument): boolean => status === 'pending' || status === 'approved';

/** Requests, newest first. */
export async function listAccessRequests(
  models: ReadStoreReader,
  query: PageRequest & { readonly userId?: string; readonly clusterId?: string; readonly status?: AccessRequestStatus },
): Promise<Page<AccessRequest>> {
  const { userId, clusterId, status, ...page } = query;
  const filter: Filter = {
    ...(userId === undefined ? {} : { userId: { $eq: userId } }),
    ...(clusterId === undefined ? {} : { clusterId: { $eq: clusterId } }),
    ...(status === undefined ? {} : { status: { $eq: status } }),
  };
  const { items, ...rest } = await pageOf(models, accessRequestCollection, {
    filter,
    sort: { fields: ['createdAt', '_id'], direction: 'descending' },
    ...page,
  });
  return { ...rest, items: await withNames(models, items) };
}

/** One request; undefined when there never was one of that id. */
export async function getAccessRequest(models: ReadStoreReader, id: string): Promise<AccessRequest | undefined> {
  const found = await models.get(accessRequestCollection, id);
  return found && (await withNames(models, [found]))[0];
}

async function withNames(
  models: ReadStoreReader,
  requests: readonly AccessRequestDocument[],
): Promise<readonly AccessRequest[]> {
  const users = await byId(models, userCollection, [
    ...requests.map(({ userId }) => userId),
    ...requests.flatMap(({ reviewerId }) => reviewerId ?? []),
  ]);
  const clusters = await byId(
    models,
    clusterCollection,
    requests.map(({ clusterId }) => clusterId),
  );
  const roles = await byId(
    models,
    roleCollection,
    requests.map(({ roleId }) => roleId),
  );
  return requests.map((request) => {
    const role = roles.get(request.roleId);
    return {
      ...request,
      requesterName: users.get(request.userId)?.displayName ?? '',
      clusterName: clusters.get(request.clusterId)?.name ?? '',
      roleName: role?.name ?? '',
      reviewerName: users.get(request.reviewerId ?? '')?.displayName ?? '',
      role: role === undefined || role.deleted ? undefined : { k8sGroups: role.k8sGroups, revision: role.revision },
    };
  });
}

async function byId<D extends Document>(
  models: ReadStoreReader,
  collection: Collection<D>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, D>> {
  const found = await Promise.all([...new Set(ids)].map((id) => models.get(collection, id)));
  return new Map(found.flatMap((document) => (document ? [[document._id, document]] : [])));
}
