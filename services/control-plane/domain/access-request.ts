/**
 * Just-in-time access as the requester and an administrator steer it: asking for a role for a while, now or later,
 * prolonging it, withdrawing, giving back. Pure deciders on one person's access to one cluster; what other streams have
 * ended of it comes in as `Ends`, so that nobody is given what is gone. Deciding on a request is in
 * `access-decision.ts`. The rule it lives by: one request is pending at most and one grant active (D39, D40).
 */
import { formatDuration } from '@clustral/schemas/duration.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { ReviewRules } from '@clustral/schemas/events/role.ts';
import type { ClusterId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { activeGrant, refuseGrant, refuseWithAssignment, requireGrant, stillPending } from './access-checks.ts';
import { sayEnds, unlessOver, type Ends } from './access-ends.ts';
import type { AccessState, Grant } from './access.ts';
import { longestGrant, refuseReason, refuseTooLong } from './review.ts';

/** How far ahead a grant may begin (D40). */
const farthestStartMs = 30 * 86_400_000;

export type AskForAccess = {
  readonly accessRequestId: string;
  readonly userId: UserId;
  readonly clusterId: ClusterId;
  readonly roleId: RoleId;
  readonly roleRevision: number;
  /** The role's rules: this request is decided by them whatever they become. */
  readonly review: ReviewRules;
  readonly reason: string;
  readonly durationSeconds: number;
  /** Null = once it is approved. */
  readonly startsAt: Date | null;
  /** The request whose grant it is to prolong. */
  readonly extends: string | null;
  readonly suggestedReviewerEmails: readonly string[];
  readonly now: Date;
  /** For how long it may be decided. */
  readonly decidableSeconds: number;
  /** The longest grant of the installation. */
  readonly maxSeconds: number;
};

/**
 * Asks. What is over and not yet said is said first. Refuses with `STATIC_ASSIGNMENT_EXISTS`, `PENDING_REQUEST_EXISTS`,
 * `GRANT_ALREADY_ACTIVE`, `GRANT_NOT_ACTIVE` for what it would prolong, `INVALID_DURATION` and `VALIDATION_ERROR`.
 */
export function askForAccess(command: AskForAccess, state: AccessState, ends: Ends): readonly AccessFact[] {
  const { now, decidableSeconds, maxSeconds: _maxSeconds, startsAt, ...asked } = command;
  refuseWithAssignment(state, ends);
  if (command.extends === null) refuseGrant(activeGrant(state, ends, now));
  const pending = state.status === 'known' ? unlessOver(state.pending, ends.pending, now) : undefined;
  if (pending)
    throw new Refusal(
      'PENDING_REQUEST_EXISTS',
      `Request ${pending.accessRequestId} for this cluster is waiting to be decided until ${pending.expiresAt.toISOString()}. Withdraw it first to ask for something else.`,
      { accessRequestId: pending.accessRequestId },
    );
  refuseTerms(command, state, ends);
  const data = {
    ...asked,
    startsAt: startsAt === null ? null : startsAt.toISOString(),
    expiresAt: new Date(now.getTime() + decidableSeconds * 1000).toISOString(),
  };
  return [...sayEnds(state, ends, now), { type: 'access_request.created', data }];
}

function refuseTerms(command: AskForAccess, state: AccessState, ends: Ends): void {
  const { reason, review, durationSeconds, startsAt, now, maxSeconds } = command;
  const longest = longestGrant(review, maxSeconds);
  refuseReason(reason, review);
  refuseTooLong(durationSeconds, longest);
  if (startsAt !== null) refuseStart(startsAt, now);
  if (command.extends === null) return;
  const otherwise = "Only active access is extended: ask anew, without 'extends'.";
  const { grant } = requireGrant({ accessRequestId: command.extends, now, otherwise }, state, ends);
  refuseExtension(command, grant);
  const { latest, begins } = extensionOf(grant, { now, longest });
  const end = begins + durationSeconds * 1000;
  if (end > latest)
    throw new Refusal(
      'INVALID_DURATION',
      `The access can last until ${new Date(latest).toISOString()} at most, because it began at ${grant.since.toISOString()}. Ask for less, or anew when it has ended.`,
      {
        field: 'duration',
        maximum: formatDuration((latest - begins) / 1000),
      },
    );
  refuseEarlierEnd(end, grant);
}

function refuseStart(startsAt: Date, now: Date): void {
  const ahead = startsAt.getTime() - now.getTime();
  if (ahead > 0 && ahead <= farthestStartMs) return;
  throw new Refusal(
    'VALIDATION_ERROR',
    `${startsAt.toISOString()} is ${ahead > 0 ? 'more than 30 days ahead' : 'in the past'}. Name an instant of the next 30 days, or none to begin once it is approved.`,
    { field: 'startsAt' },
  );
}

function refuseExtension({ startsAt, roleId }: AskForAccess, grant: Grant): void {
  if (startsAt !== null)
    throw new Refusal('VALIDATION_ERROR', 'An extension begins once it is approved. Leave its start out.', {
      field: 'startsAt',
    });
  if (roleId === grant.roleId) return;
  throw new Refusal(
    'VALIDATION_ERROR',
    'An extension is for the role that is held. Give the access back first to have another role.',
    { field: 'roleId' },
  );
}

/** When a grant that prolongs this one begins, and the latest that it may end (D40), in milliseconds. */
export function extensionOf(
  grant: Grant,
  { now, longest }: { readonly now: Date; readonly longest: number },
): { readonly begins: number; readonly latest: number } {
  return {
    begins: Math.max(now.getTime(), grant.startsAt.getTime()),
    latest: grant.since.getTime() + longest * 1000,
  };
}

/** Throws `INVALID_DURATION` for an end (milliseconds) that would take time away instead of giving some. */
export function refuseEarlierEnd(end: number, { expiresAt }: Grant): void {
  if (end > expiresAt.getTime()) return;
  throw new Refusal(
    'INVALID_DURATION',
    `The access lasts until ${expiresAt.toISOString()} already. An extension counts from when it is approved and must end later.`,
    { field: 'duration' },
  );
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
  const { accessRequestId, reason } = command;
  const { access } = requireGrant({ ...command, otherwise: 'There is nothing to end.' }, state, ends);
  const { userId, clusterId } = access;
  return [{ type: 'access_request.revoked', data: { userId, clusterId, accessRequestId, reason } }];
}
