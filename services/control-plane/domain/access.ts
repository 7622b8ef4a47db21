/**
 * One person's access to one cluster: at most one static role, one pending request, one grant. It holds what its own
 * stream says; what other streams ended (a deleted role, a disabled person) is added by `standing.ts`. The rule it
 * lives by: a fact that names another assignment or request than the present one changes nothing.
 */
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { Actor, Recorded } from '@clustral/schemas/events/envelope.ts';
import { plainReview, type ReviewRules } from '@clustral/schemas/events/role.ts';
import type { ClusterId, RoleId, UserId } from '@clustral/schemas/ids.ts';

export type StaticAssignment = {
  readonly assignmentId: string;
  readonly roleId: RoleId;
  readonly assignedAt: Date;
  readonly assignedBy: Actor;
};

/** A request that nobody has decided yet; from `expiresAt` on it is too late to. `position` is where it was made. */
export type PendingRequest = {
  readonly accessRequestId: string;
  readonly roleId: RoleId;
  readonly roleRevision: number;
  readonly reason: string;
  readonly durationSeconds: number;
  readonly startsAt: string | null;
  readonly extends: string | null;
  readonly suggestedReviewerEmails: readonly string[];
  /** The rules that were in force when it was made. */
  readonly review: ReviewRules;
  /** In the order in which they were given, each by somebody else. */
  readonly approvals: readonly Approved[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly position: bigint;
  readonly saidBy: SaidBy;
};

/** One person's approval, of the role as it was shown to them. */
export type Approved = {
  readonly reviewerId: UserId;
  readonly roleRevision: number;
  /** For how long at most; of the last one, how long was granted. */
  readonly durationSeconds: number;
  readonly approvedAt: Date;
  readonly shownAt: Date | null;
  /** Dead if its reviewer was disabled after it, like everything else of theirs (D32). */
  readonly position: bigint;
};

/**
 * A role for a while: from `startsAt` until just before `expiresAt`. Its position is that of its request and not of the
 * approval: one that was decided before its person was disabled may get into the log after they were enabled again, and
 * must not bring a dead request back (D32).
 */
export type Grant = {
  readonly accessRequestId: string;
  readonly request: PendingRequest;
  readonly roleId: RoleId;
  /** Revision of the role that its reviewer was shown. */
  readonly roleRevision: number;
  readonly reviewerId: UserId;
  readonly decidedAt: Date;
  readonly durationSeconds: number;
  readonly startsAt: Date;
  readonly expiresAt: Date;
  /** When the first grant began of those that this one prolongs; its own start when it prolongs none (D40). */
  readonly since: Date;
  readonly position: bigint;
  readonly saidBy: SaidBy;
};

/** The fact that something began with: the cause of its running out. */
export type SaidBy = { readonly factId: string; readonly correlationId: string };

/** A request that is over, with the grant that had come of it. */
export type EndedRequest = {
  readonly accessRequestId: string;
  readonly how: 'denied' | 'revoked' | 'expired' | 'withdrawn';
  readonly request: PendingRequest;
  readonly grant: Grant | null;
  /** Whoever approved or denied it; null when nobody did. */
  readonly reviewerId: UserId | null;
  readonly endedAt: Date;
  /** Empty for an end that has none. */
  readonly reason: string;
};

export type AccessState =
  | { readonly status: 'absent' }
  | {
      readonly status: 'known';
      readonly userId: UserId;
      readonly clusterId: ClusterId;
      readonly assignment: StaticAssignment | null;
      /** The assignment that ended last: a repeated unassign finds its stream by it. */
      readonly endedAssignmentId: string | null;
      readonly pending: PendingRequest | null;
      readonly grant: Grant | null;
      /** The request that ended last: with it a command is answered that ended it, or that comes too late or again. */
      readonly endedRequest: EndedRequest | null;
      readonly revision: number;
    };

export type KnownAccess = Extract<AccessState, { status: 'known' }>;

export const initialAccess: AccessState = { status: 'absent' };

/** Folds one fact of the stream `access-{userId}.{clusterId}`. */
export function evolveAccess(before: AccessState, fact: Recorded<AccessFact>): AccessState {
  const state = { ...known(before, fact.data), revision: fact.revision };
  switch (fact.type) {
    case 'user.role_assigned':
      return { ...state, assignment: assignmentOf(fact) };
    case 'user.role_unassigned':
      if (state.assignment?.assignmentId !== fact.data.assignmentId) return state;
      return { ...state, assignment: null, endedAssignmentId: fact.data.assignmentId };
    case 'access_request.created':
      return { ...state, pending: pendingOf(fact) };
    case 'access_request.approval_given':
      return approvalGiven(state, fact);
    case 'access_request.approved':
      return approved(state, fact);
    case 'access_request.denied':
    case 'access_request.withdrawn':
    case 'access_request.revoked':
    case 'access_request.expired':
      return requestEnded(state, fact);
    default:
      return fact satisfies never;
  }
}

type Of<Type extends AccessFact['type']> = Recorded<Extract<AccessFact, { type: Type }>>;

function known(state: AccessState, { userId, clusterId }: AccessFact['data']): KnownAccess {
  if (state.status === 'known') return state;
  return {
    status: 'known',
    userId,
    clusterId,
    assignment: null,
    endedAssignmentId: null,
    pending: null,
    grant: null,
    endedRequest: null,
    revision: -1,
  };
}

const assignmentOf = ({ data, recordedAt, metadata }: Of<'user.role_assigned'>): StaticAssignment => ({
  assignmentId: data.assignmentId,
  roleId: data.roleId,
  assignedAt: recordedAt,
  assignedBy: metadata.actor,
});

function pendingOf(fact: Of<'access_request.created'>): PendingRequest {
  const { userId: _userId, clusterId: _clusterId, expiresAt, review = plainReview, ...asked } = fact.data;
  return {
    ...asked,
    review,
    approvals: [],
    createdAt: fact.recordedAt,
    expiresAt: new Date(expiresAt),
    position: fact.position,
    saidBy: saidBy(fact),
  };
}

function approvalGiven(state: KnownAccess, fact: Of<'access_request.approval_given'>): KnownAccess {
  const { pending } = state;
  if (pending?.accessRequestId !== fact.data.accessRequestId) return state;
  return { ...state, pending: withApproval(pending, fact) };
}

/** Somebody's newest approval takes the place of an earlier one, which no longer counted. */
function withApproval(
  pending: PendingRequest,
  { data, recordedAt, position }: Of<'access_request.approval_given' | 'access_request.approved'>,
): PendingRequest {
  const { reviewerId, roleRevision, durationSeconds, shownAt } = data;
  const approval: Approved = {
    reviewerId,
    roleRevision,
    durationSeconds,
    approvedAt: recordedAt,
    shownAt: shownAt === undefined ? null : new Date(shownAt),
    position,
  };
  const others = pending.approvals.filter((one) => one.reviewerId !== reviewerId);
  return { ...pending, approvals: [...others, approval] };
}

function approved(state: KnownAccess, fact: Of<'access_request.approved'>): KnownAccess {
  const { pending } = state;
  if (pending?.accessRequestId !== fact.data.accessRequestId) return state;
  const request = withApproval(pending, fact);
  const prolonged = state.grant?.accessRequestId === request.extends ? state.grant : null;
  const startsAt = new Date(fact.data.grantStartsAt);
  const { accessRequestId, roleId, roleRevision, reviewerId, durationSeconds } = fact.data;
  const grant: Grant = {
    accessRequestId,
    request,
    roleId,
    roleRevision,
    reviewerId,
    decidedAt: fact.recordedAt,
    durationSeconds,
    startsAt,
    expiresAt: new Date(fact.data.grantExpiresAt),
    since: prolonged?.since ?? startsAt,
    position: request.position,
    saidBy: saidBy(fact),
  };
  return { ...state, pending: null, grant };
}

const saidBy = ({ id, metadata }: Recorded): SaidBy => ({ factId: id, correlationId: metadata.$correlationId });

const hows = {
  'access_request.denied': 'denied',
  'access_request.withdrawn': 'withdrawn',
  'access_request.revoked': 'revoked',
  'access_request.expired': 'expired',
} as const;

function requestEnded(state: KnownAccess, { type, data, recordedAt }: Of<keyof typeof hows>): KnownAccess {
  const { accessRequestId } = data;
  const pending = state.pending?.accessRequestId === accessRequestId ? state.pending : null;
  const grant = state.grant?.accessRequestId === accessRequestId ? state.grant : null;
  const request = pending ?? grant?.request;
  if (!request) return state;
  const endedRequest: EndedRequest = {
    accessRequestId,
    how: hows[type],
    request,
    grant,
    reviewerId: 'reviewerId' in data ? data.reviewerId : (grant?.reviewerId ?? null),
    endedAt: 'expiredAt' in data ? new Date(data.expiredAt) : recordedAt,
    reason: 'reason' in data ? data.reason : '',
  };
  return { ...state, endedRequest, pending: pending ? null : state.pending, grant: grant ? null : state.grant };
}
