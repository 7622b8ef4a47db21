/**
 * Just-in-time access: asking for a role for a while, deciding, giving back. Pure deciders on one person's access to one
 * cluster; what other streams have ended of it comes in as `Ends`, so that nobody is given what is gone. The rules it
 * lives by: nobody decides their own request, one request is pending at most and one grant active, and the clock of a
 * grant starts when it is approved (D39, D40).
 */
import { formatDuration } from '@clustral/schemas/duration.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { ClusterId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { hasRunOut, sayEnds, unlessOver, type Ends } from './access-ends.ts';
import type { AccessState, EndedRequest, Grant, KnownAccess, PendingRequest } from './access.ts';

export type AskForAccess = {
  readonly accessRequestId: string;
  readonly userId: UserId;
  readonly clusterId: ClusterId;
  readonly roleId: RoleId;
  readonly roleRevision: number;
  readonly reason: string;
  readonly durationSeconds: number;
  readonly suggestedReviewerEmails: readonly string[];
  readonly now: Date;
  /** For how long it may be decided. */
  readonly decidableSeconds: number;
};

/**
 * Asks. What is over and not yet said is said first. Refuses with `STATIC_ASSIGNMENT_EXISTS`, `PENDING_REQUEST_EXISTS`
 * and `GRANT_ALREADY_ACTIVE`.
 */
export function askForAccess(command: AskForAccess, state: AccessState, ends: Ends): readonly AccessFact[] {
  const { now, decidableSeconds, ...asked } = command;
  refuseWithAssignment(state, ends);
  refuseWithGrant(state, ends, now);
  const pending = state.status === 'known' ? unlessOver(state.pending, ends.pending, now) : undefined;
  if (pending)
    throw new Refusal(
      'PENDING_REQUEST_EXISTS',
      `Request ${pending.accessRequestId} for this cluster is waiting to be decided until ${pending.expiresAt.toISOString()}. Withdraw it first to ask for something else.`,
      { accessRequestId: pending.accessRequestId },
    );
  const expiresAt = new Date(now.getTime() + decidableSeconds * 1000).toISOString();
  const data = { ...asked, startsAt: null, extends: null, expiresAt };
  return [...sayEnds(state, ends, now), { type: 'access_request.created', data }];
}

/** Who decides which request, and what they were shown of its role. */
export type Decision = {
  readonly accessRequestId: string;
  readonly reviewerId: UserId;
  /** Undefined = what the requester was shown. */
  readonly shownRoleRevision: number | undefined;
  /** That of the request's role as it is now; undefined when it is gone. */
  readonly roleRevision: number | undefined;
  readonly now: Date;
};

/** An approval, and for how long. */
export type Approval = Decision & {
  /** Undefined = what was asked for. */
  readonly durationSeconds: number | undefined;
  readonly maxSeconds: number;
};

/**
 * Approves. Refuses with `SELF_APPROVAL`, `REQUEST_NOT_PENDING`, `REQUEST_EXPIRED`, `ROLE_CHANGED`,
 * `STATIC_ASSIGNMENT_EXISTS`, `GRANT_ALREADY_ACTIVE` and `INVALID_DURATION`.
 */
export function approveRequest(command: Approval, state: AccessState, ends: Ends): readonly AccessFact[] {
  const { now, maxSeconds } = command;
  const { pending, decided } = decide(command, state, ends);
  refuseWithAssignment(state, ends);
  refuseWithGrant(state, ends, now);
  const durationSeconds = command.durationSeconds ?? pending.durationSeconds;
  if (durationSeconds > maxSeconds)
    throw new Refusal(
      'INVALID_DURATION',
      `${formatDuration(durationSeconds)} is longer than the maximum of ${formatDuration(maxSeconds)}. Approve it for less.`,
      { field: 'duration', maximum: formatDuration(maxSeconds) },
    );
  const begins = Math.max(now.getTime(), pending.startsAt === null ? 0 : Date.parse(pending.startsAt));
  const times = {
    durationSeconds,
    grantStartsAt: new Date(begins).toISOString(),
    grantExpiresAt: new Date(begins + durationSeconds * 1000).toISOString(),
  };
  return [...sayEnds(state, ends, now), { type: 'access_request.approved', data: { ...decided, ...times } }];
}

/** Denies. Refuses with `SELF_APPROVAL`, `REQUEST_NOT_PENDING`, `REQUEST_EXPIRED` and `ROLE_CHANGED`. */
export function denyRequest(
  command: Decision & { readonly reason: string },
  state: AccessState,
  ends: Ends,
): readonly AccessFact[] {
  const { decided } = decide(command, state, ends);
  return [{ type: 'access_request.denied', data: { ...decided, reason: command.reason } }];
}

/** Takes a pending request back. Refuses with `REQUEST_NOT_PENDING` and `REQUEST_EXPIRED`. */
export function withdrawRequest(
  command: { readonly accessRequestId: string; readonly now: Date },
  state: AccessState,
  ends: Ends,
): readonly AccessFact[] {
  const { access, pending } = stillPending(command, state, ends);
  const { userId, clusterId } = access;
  return [{ type: 'access_request.withdrawn', data: { userId, clusterId, accessRequestId: pending.accessRequestId } }];
}

/** Ends a grant, begun or not. Refuses with `GRANT_NOT_ACTIVE`. */
export function revokeGrant(
  command: { readonly accessRequestId: string; readonly reason: string; readonly now: Date },
  state: AccessState,
  ends: Ends,
): readonly AccessFact[] {
  const { accessRequestId, reason, now } = command;
  const grant = activeGrant(state, ends, now);
  if (state.status !== 'known' || grant?.accessRequestId !== accessRequestId)
    throw new Refusal(
      'GRANT_NOT_ACTIVE',
      `Request ${accessRequestId} gives no access now: it ${standingNow(accessRequestId, state)}. There is nothing to end.`,
      { accessRequestId },
    );
  const { userId, clusterId } = state;
  return [{ type: 'access_request.revoked', data: { userId, clusterId, accessRequestId, reason } }];
}

type StillPending = { readonly access: KnownAccess; readonly pending: PendingRequest };

/** The request that the reviewer may decide, and what every decision on it says. */
function decide(decision: Decision, state: AccessState, ends: Ends) {
  const { accessRequestId, reviewerId, shownRoleRevision, roleRevision } = decision;
  // First, so that it is the answer whatever became of the request.
  if (state.status === 'known' && state.userId === reviewerId)
    throw new Refusal(
      'SELF_APPROVAL',
      'Nobody decides their own request, administrators included. Ask somebody else, or withdraw it.',
      { accessRequestId },
    );
  const { access, pending } = stillPending(decision, state, ends);
  const shown = shownRoleRevision ?? pending.roleRevision;
  if (roleRevision !== shown)
    throw new Refusal(
      'ROLE_CHANGED',
      'The role was changed since it was shown with this request. Look at what it gives now, and decide again.',
      { accessRequestId, shownRevision: String(shown), roleRevision: String(roleRevision ?? '') },
    );
  const { userId, clusterId } = access;
  return { pending, decided: { userId, clusterId, accessRequestId, roleId: pending.roleId, roleRevision, reviewerId } };
}

function stillPending(
  { accessRequestId, now }: { readonly accessRequestId: string; readonly now: Date },
  state: AccessState,
  ends: Ends,
): StillPending {
  const pending = state.status === 'known' ? state.pending : null;
  if (state.status !== 'known' || pending?.accessRequestId !== accessRequestId) {
    const ended = endedRequest(accessRequestId, state);
    if (ended?.how === 'expired' && ended.grant === null) throw requestExpired(ended.request);
    throw notPending(accessRequestId, standingNow(accessRequestId, state));
  }
  if (hasRunOut(pending, now)) throw requestExpired(pending);
  if (ends.pending) throw notPending(accessRequestId, `has ended: ${ends.pending.reason}`);
  return { access: state, pending };
}

const notPending = (accessRequestId: string, why: string): Refusal =>
  new Refusal('REQUEST_NOT_PENDING', `Request ${accessRequestId} waits for no decision: it ${why}.`, {
    accessRequestId,
  });

const requestExpired = ({ accessRequestId, expiresAt }: PendingRequest): Refusal =>
  new Refusal(
    'REQUEST_EXPIRED',
    `Request ${accessRequestId} could be decided until ${expiresAt.toISOString()}. It has to be made again.`,
    { accessRequestId, expiresAt: expiresAt.toISOString() },
  );

/** How the request stands, to go on from "it". One that the state no longer knows has ended before the last one. */
function standingNow(accessRequestId: string, state: AccessState): string {
  if (state.status === 'known') {
    if (state.pending?.accessRequestId === accessRequestId) return 'is pending';
    if (state.grant?.accessRequestId === accessRequestId)
      return `was approved, until ${state.grant.expiresAt.toISOString()}`;
    const ended = endedRequest(accessRequestId, state);
    if (ended) return `${ended.how === 'expired' ? 'expired' : `was ${ended.how}`} at ${ended.endedAt.toISOString()}`;
  }
  return 'ended long ago';
}

const endedRequest = (accessRequestId: string, state: AccessState): EndedRequest | undefined =>
  state.status === 'known' && state.endedRequest?.accessRequestId === accessRequestId ? state.endedRequest : undefined;

const activeGrant = (state: AccessState, ends: Ends, now: Date): Grant | undefined =>
  state.status === 'known' ? unlessOver(state.grant, ends.grant, now) : undefined;

function refuseWithGrant(state: AccessState, ends: Ends, now: Date): void {
  const grant = activeGrant(state, ends, now);
  if (!grant) return;
  throw new Refusal(
    'GRANT_ALREADY_ACTIVE',
    `Request ${grant.accessRequestId} gives access to this cluster until ${grant.expiresAt.toISOString()}. Give it back first to have something else.`,
    { accessRequestId: grant.accessRequestId },
  );
}

function refuseWithAssignment(state: AccessState, ends: Ends): void {
  if (state.status !== 'known' || state.assignment === null || ends.assignment) return;
  throw new Refusal(
    'STATIC_ASSIGNMENT_EXISTS',
    'There is a standing role on this cluster, which holds without a request and before any grant. An administrator can change it.',
    { assignmentId: state.assignment.assignmentId },
  );
}
