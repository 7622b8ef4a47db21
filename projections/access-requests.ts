/**
 * Requests for access and the grants that came of them, part of the access read model. A request whose time has run out
 * shows as it was until the log says that it expired: no clock decides here.
 */
import { plainReview, type ReviewRules } from '@clustral/schemas/events/role.ts';
import { clusterCollection } from './clusters.ts';
import { instant, patch, positionOf, put, recordedAt, type Lookup, type Op, type RecordedFact } from './model.ts';
import { collectionOf } from './read-store.ts';
import { roleCollection } from './roles.ts';

/** How a request stands. `approved` is a grant, begun or not; every other word but `pending` is an end. */
export type AccessRequestStatus = 'pending' | 'approved' | 'denied' | 'revoked' | 'expired' | 'withdrawn';

/** Somebody's approval of a request. Instants are milliseconds since the epoch. */
export type Approval = {
  readonly reviewerId: string;
  readonly approvedAt: number;
  readonly durationSeconds: number;
  readonly roleRevision: number;
  /** When they were shown what they approved, when they said so. */
  readonly shownAt: number | null;
};

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
  /** The rules by which it is decided. */
  readonly review: ReviewRules;
  /** Whom the rules name, as `reviewerKeys` writes it. */
  readonly reviewers: readonly string[];
  /** First to last. */
  readonly approvals: readonly Approval[];
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

/** How people and groups are written where requests are found by who may decide them. */
export const reviewerKeys = ({
  ids,
  groups,
}: {
  readonly ids: readonly string[];
  readonly groups: readonly string[];
}): readonly string[] => [...ids.map((id) => `user:${id}`), ...groups.map((group) => `group:${group}`)];

export const accessRequestCollection = collectionOf<AccessRequestDocument>({
  name: 'access_requests',
  fields: {
    userId: 'text',
    clusterId: 'text',
    roleId: 'text',
    status: 'text',
    createdAt: 'integer',
    reviewers: 'texts',
  },
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
    case 'access_request.approval_given':
      return approvalGiven(fact, lookup);
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
  const { accessRequestId, userId, clusterId, roleId, review = plainReview } = fact.data;
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
    review,
    reviewers: reviewerKeys({ ids: review.reviewerIds, groups: review.reviewerGroups }),
    approvals: [],
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
  return [patch(accessRequestCollection, known._id, { ...changeOf(fact, known), position: positionOf(fact) })];
}

type ApprovedFact = Extract<RecordedFact, { type: 'access_request.approval_given' | 'access_request.approved' }>;

async function approvalGiven(fact: ApprovedFact, lookup: Lookup): Promise<readonly Op[]> {
  const known = await lookup.get(accessRequestCollection, fact.data.accessRequestId);
  if (!known || known.position >= positionOf(fact) || known.status !== 'pending') return [];
  const change = { approvals: approvalsWith(fact, known), position: positionOf(fact) };
  return [patch(accessRequestCollection, known._id, change)];
}

/** Somebody's newest approval takes the place of an earlier one, as in the policy fold. */
function approvalsWith(fact: ApprovedFact, { approvals }: AccessRequestDocument): readonly Approval[] {
  const { reviewerId, durationSeconds, roleRevision, shownAt } = fact.data;
  const approval = {
    reviewerId,
    approvedAt: recordedAt(fact),
    durationSeconds,
    roleRevision,
    shownAt: shownAt === undefined ? null : instant(shownAt),
  };
  return [...approvals.filter((one) => one.reviewerId !== reviewerId), approval];
}

function changeOf(fact: DecidedFact, known: AccessRequestDocument): Partial<AccessRequestDocument> {
  const endedAt = recordedAt(fact);
  switch (fact.type) {
    case 'access_request.approved':
      return {
        status: 'approved',
        approvals: approvalsWith(fact, known),
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
