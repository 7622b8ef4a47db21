/**
 * What the commands on a request ask first, and how they say no: is it still pending, is there a grant, is there a
 * standing role. It decides nothing else. The rule it lives by: what other streams ended (`Ends`) and what has run out
 * is over here, whether or not a fact says so yet.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { hasRunOut, unlessOver, type Ends } from './access-ends.ts';
import type { AccessState, EndedRequest, Grant, KnownAccess, PendingRequest } from './access.ts';

/** The request, while it may be decided or withdrawn. Throws `REQUEST_NOT_PENDING` and `REQUEST_EXPIRED`. */
export function stillPending(
  { accessRequestId, now }: { readonly accessRequestId: string; readonly now: Date },
  state: AccessState,
  ends: Ends,
): { readonly access: KnownAccess; readonly pending: PendingRequest } {
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

/** The grant that gives something now or later, if there is one. */
export const activeGrant = (state: AccessState, ends: Ends, now: Date): Grant | undefined =>
  state.status === 'known' ? unlessOver(state.grant, ends.grant, now) : undefined;

/**
 * That grant, which must be of that request. Throws `GRANT_NOT_ACTIVE`, with what follows from it as the last sentence.
 */
export function requireGrant(
  { accessRequestId, now, otherwise }: { readonly accessRequestId: string; readonly now: Date; otherwise: string },
  state: AccessState,
  ends: Ends,
): { readonly access: KnownAccess; readonly grant: Grant } {
  const grant = activeGrant(state, ends, now);
  if (state.status === 'known' && grant?.accessRequestId === accessRequestId) return { access: state, grant };
  throw new Refusal(
    'GRANT_NOT_ACTIVE',
    `Request ${accessRequestId} gives no access now: it ${standingNow(accessRequestId, state)}. ${otherwise}`,
    { accessRequestId },
  );
}

/** Throws `GRANT_ALREADY_ACTIVE` for a grant that is in the way. */
export function refuseGrant(grant: Grant | undefined): void {
  if (!grant) return;
  throw new Refusal(
    'GRANT_ALREADY_ACTIVE',
    `Request ${grant.accessRequestId} gives access to this cluster until ${grant.expiresAt.toISOString()}. Extend it, or give it back first to have something else.`,
    { accessRequestId: grant.accessRequestId },
  );
}

/** Throws `STATIC_ASSIGNMENT_EXISTS` while a standing role holds. */
export function refuseWithAssignment(state: AccessState, ends: Ends): void {
  if (state.status !== 'known' || state.assignment === null || ends.assignment) return;
  throw new Refusal(
    'STATIC_ASSIGNMENT_EXISTS',
    'There is a standing role on this cluster, which holds without a request and before any grant. An administrator can change it.',
    { assignmentId: state.assignment.assignmentId },
  );
}

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
