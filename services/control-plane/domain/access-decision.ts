/**
 * Deciding on a request: approving, which grants once enough different people have, and denying, which one may do alone.
 * Pure. The rules it lives by: nobody decides their own request, an approval counts for the role as it was shown and
 * while its reviewer may act, and nobody's approval is made to last longer than they gave it for (D39, D40).
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import { activeGrant, refuseGrant, refuseWithAssignment, requireGrant, stillPending } from './access-checks.ts';
import { sayEnds, type Ends } from './access-ends.ts';
import { extensionOf, refuseEarlierEnd } from './access-request.ts';
import type { AccessState, Approved, Grant, PendingRequest } from './access.ts';
import { longestGrant, mayReview, refuseTooLong, type Reviewer } from './review.ts';

/** Who decides which request, and what they were shown of its role. */
export type Decision = {
  readonly accessRequestId: string;
  readonly reviewer: Reviewer;
  /** Undefined = what the requester was shown. */
  readonly shownRoleRevision: number | undefined;
  /** When it was shown, as the reviewer says. */
  readonly shownAt: Date | undefined;
  /** That of the request's role as it is now; undefined when it is gone. */
  readonly roleRevision: number | undefined;
  readonly now: Date;
};

/** An approval, and for how long. */
export type Approval = Decision & {
  /** Undefined = what was asked for. */
  readonly durationSeconds: number | undefined;
  /** The longest grant of the installation. */
  readonly maxSeconds: number;
};

/**
 * Approves: the grant when no other approval is missing, else one approval more. Refuses with `SELF_APPROVAL`,
 * `FORBIDDEN`, `REQUEST_NOT_PENDING`, `REQUEST_EXPIRED`, `ROLE_CHANGED`, `APPROVED_ALREADY`, `STATIC_ASSIGNMENT_EXISTS`,
 * `GRANT_ALREADY_ACTIVE`, `GRANT_NOT_ACTIVE` for what it would prolong, and `INVALID_DURATION`.
 */
export function approveRequest(command: Approval, state: AccessState, ends: Ends): readonly AccessFact[] {
  const { now, maxSeconds } = command;
  const { pending, decided } = decide(command, state, ends);
  refuseWithAssignment(state, ends);
  const prolonged = prolongedBy(pending, { state, ends, now });
  const longest = longestGrant(pending.review, maxSeconds);
  const durationSeconds = command.durationSeconds ?? pending.durationSeconds;
  refuseTooLong(durationSeconds, longest);
  const counting = countingApprovals(pending, { ends, roleRevision: decided.roleRevision });
  refuseSecond(counting, decided);
  const terms = grantTerms(pending, {
    durationSeconds: Math.min(durationSeconds, ...counting.map((approval) => approval.durationSeconds)),
    prolonged,
    longest,
    now,
  });
  if (counting.length + 1 < pending.review.approvals)
    return [{ type: 'access_request.approval_given', data: { ...decided, durationSeconds } }];
  const approverIds = [...counting.map(({ reviewerId }) => reviewerId), decided.reviewerId];
  const approved: AccessFact = { type: 'access_request.approved', data: { ...decided, approverIds, ...terms } };
  // The new grant comes first: between the two facts there must be no moment without access.
  return [...sayEnds(state, ends, now), approved, ...(prolonged ? [extended(decided, prolonged)] : [])];
}

/** Denies. Refuses with `SELF_APPROVAL`, `FORBIDDEN`, `REQUEST_NOT_PENDING`, `REQUEST_EXPIRED` and `ROLE_CHANGED`. */
export function denyRequest(
  command: Decision & { readonly reason: string },
  state: AccessState,
  ends: Ends,
): readonly AccessFact[] {
  const { decided } = decide(command, state, ends);
  return [{ type: 'access_request.denied', data: { ...decided, reason: command.reason } }];
}

/** The request that the reviewer may decide, and what every decision on it says. */
function decide(decision: Decision, state: AccessState, ends: Ends) {
  const { accessRequestId, reviewer, shownRoleRevision, roleRevision } = decision;
  // First, so that it is the answer whatever became of the request.
  if (state.status === 'known' && state.userId === reviewer.userId)
    throw new Refusal(
      'SELF_APPROVAL',
      'Nobody decides their own request, administrators included. Ask somebody else, or withdraw it.',
      { accessRequestId },
    );
  const { access, pending } = stillPending(decision, state, ends);
  if (!mayReview(pending.review, reviewer)) throw notReviewer();
  const shown = shownRoleRevision ?? pending.roleRevision;
  if (roleRevision !== shown)
    throw new Refusal(
      'ROLE_CHANGED',
      'The role was changed since it was shown with this request. Look at what it gives now, and decide again.',
      { accessRequestId, shownRevision: String(shown), roleRevision: String(roleRevision ?? '') },
    );
  const { userId, clusterId } = access;
  const { roleId } = pending;
  const by = { reviewerId: reviewer.userId, ...shownWithin(decision, pending) };
  return { pending, decided: { userId, clusterId, accessRequestId, roleId, roleRevision, ...by } };
}

/** The refusal for whoever the request's rules do not name; the same for a request that does not exist. */
export const notReviewer = (): Refusal =>
  new Refusal('FORBIDDEN', 'Only administrators and the reviewers that its role names decide an access request.');

/** A reviewer's clock is their own: what they say is kept within what is possible. */
function shownWithin({ shownAt, now }: Decision, { createdAt }: PendingRequest): { readonly shownAt?: string } {
  if (shownAt === undefined) return {};
  const possible = Math.min(Math.max(shownAt.getTime(), createdAt.getTime()), now.getTime());
  return { shownAt: new Date(possible).toISOString() };
}

/** The approvals that count: of the role as it is now, by people who were not disabled since. */
const countingApprovals = (
  { approvals }: PendingRequest,
  { ends, roleRevision }: { readonly ends: Ends; readonly roleRevision: number },
): readonly Approved[] =>
  approvals.filter((one) => one.roleRevision === roleRevision && !ends.approvals.includes(one.reviewerId));

function refuseSecond(
  counting: readonly Approved[],
  { reviewerId, accessRequestId }: { readonly reviewerId: string; readonly accessRequestId: string },
): void {
  const earlier = counting.find((approval) => approval.reviewerId === reviewerId);
  if (!earlier) return;
  throw new Refusal(
    'APPROVED_ALREADY',
    `You approved request ${accessRequestId} at ${earlier.approvedAt.toISOString()}. Somebody else must approve it too.`,
    { accessRequestId },
  );
}

/** The grant that the request is to prolong, if any; another one is in its way. */
function prolongedBy(
  { extends: accessRequestId }: PendingRequest,
  { state, ends, now }: { readonly state: AccessState; readonly ends: Ends; readonly now: Date },
): Grant | undefined {
  if (accessRequestId === null) {
    refuseGrant(activeGrant(state, ends, now));
    return undefined;
  }
  const otherwise = 'What it would extend is over. Deny the request, and have a new one made.';
  return requireGrant({ accessRequestId, now, otherwise }, state, ends).grant;
}

/** From when until when (D40). An extension that was asked for in good time is cut to what is left when it is approved. */
function grantTerms(
  { startsAt }: PendingRequest,
  {
    durationSeconds,
    prolonged,
    longest,
    now,
  }: {
    readonly durationSeconds: number;
    readonly prolonged: Grant | undefined;
    readonly longest: number;
    readonly now: Date;
  },
) {
  if (!prolonged) {
    const begins = Math.max(now.getTime(), startsAt === null ? 0 : Date.parse(startsAt));
    return timesOf(begins, durationSeconds);
  }
  const { begins, latest } = extensionOf(prolonged, { now, longest });
  const left = Math.floor((latest - begins) / 1000);
  const seconds = Math.min(durationSeconds, left);
  refuseEarlierEnd(begins + seconds * 1000, prolonged);
  return timesOf(begins, seconds);
}

const timesOf = (begins: number, durationSeconds: number) => ({
  durationSeconds,
  grantStartsAt: new Date(begins).toISOString(),
  grantExpiresAt: new Date(begins + durationSeconds * 1000).toISOString(),
});

const extended = ({ userId, clusterId }: Pair, { accessRequestId }: Grant): AccessFact => ({
  type: 'access_request.revoked',
  data: { userId, clusterId, accessRequestId, reason: 'extended' },
});

type Pair = Pick<Extract<AccessFact, { type: 'access_request.withdrawn' }>['data'], 'userId' | 'clusterId'>;
