/**
 * The commands of `AccessService`, each decided on the stream of one person and one cluster and answered from it. Who may
 * do what to whose request is decided here; what may become of a request, in `domain/access-request.ts`. The rule it
 * lives by: whoever may not decide learns nothing, and auditors change nothing.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import {
  AccessService,
  type AccessRequest,
  type ApproveAccessRequestRequest,
  type DenyAccessRequestRequest,
  type RequestAccessRequest,
  type RevokeAccessRequestRequest,
  type WithdrawAccessRequestRequest,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { parseClusterId, parseRoleId, type UserId } from '@clustral/schemas/ids.ts';
import type { Call } from '@clustral/kernel/api.ts';
import { disabled } from '../authorize.ts';
import { approveRequest, denyRequest, notReviewer, type Decision } from '../domain/access-decision.ts';
import { askForAccess, revokeGrant, withdrawRequest } from '../domain/access-request.ts';
import type { AccessState } from '../domain/access.ts';
import { requireCluster } from '../domain/cluster.ts';
import { longestGrant, mayReview } from '../domain/review.ts';
import { roleNotFound } from '../domain/role.ts';
import { liveRole } from '../domain/standing.ts';
import type { PolicyQueries } from '../policy.ts';
import type { RequestPlace } from '../request-index.ts';
import {
  actingCaller,
  placeOf,
  refuseOthers,
  requestNotFound,
  reviewerOf,
  reviewOf,
  run,
  type AccessDeps,
  type Found,
} from './access-request-running.ts';
import { parseAskedDuration, parseExtends, parseInstant } from './access-request-input.ts';
import { commandCause, newId } from './cause.ts';
import { parseAccessRequestId, parseReason, parseReviewerEmails } from './input.ts';

const { method } = AccessService;

/** Asks for a role on a cluster. */
export async function requestAccess(
  deps: AccessDeps,
  request: RequestAccessRequest,
  call: Call,
): Promise<AccessRequest> {
  const { userId } = actingCaller(call);
  const clusterId = parseClusterId(request.clusterId);
  const roleId = parseRoleId(request.roleId);
  const { defaultSeconds, ...limits } = deps.accessLimits;
  const duration = parseAskedDuration(request.duration, limits.maxSeconds);
  const asked = {
    reason: parseReason(request.reason),
    startsAt: parseInstant('startsAt', request.startsAt) ?? null,
    extends: parseExtends(request.extends),
    suggestedReviewerEmails: parseReviewerEmails(request.suggestedReviewerEmails),
  };
  const cause = commandCause(call, method.requestAccess, request);
  const accessRequestId = newId('access request', cause);
  const place = { userId, clusterId };
  const before = cause.idempotency && (await placeOf(deps, accessRequestId));
  const { policy } = deps;
  return run(deps, call, {
    accessRequestId,
    place,
    cause,
    // Only a repeated key names an id twice, and it may name another cluster, which is another stream.
    exclusive: `access request ${accessRequestId}`,
    decide: (state, ends, now) => {
      refuseUsedKey(policy.requestPlace(accessRequestId) ?? before, place);
      if (policy.user(userId)?.status !== 'active') throw disabled(userId);
      requireCluster(clusterId, policy.cluster(clusterId));
      const role = liveRole(policy, roleId);
      if (!role) throw roleNotFound(roleId);
      const { review, revision: roleRevision } = role;
      const durationSeconds = duration ?? Math.min(defaultSeconds, longestGrant(review, limits.maxSeconds));
      const terms = { roleId, roleRevision, review, durationSeconds };
      return askForAccess({ accessRequestId, ...place, ...asked, ...terms, ...limits, now }, state, ends);
    },
  });
}

// The command itself was no repetition, so the key stood for something else or is too old to be answered again.
function refuseUsedKey(known: RequestPlace | undefined, { clusterId }: RequestPlace): void {
  if (!known) return;
  if (known.clusterId === clusterId)
    throw new Refusal('CONFLICT', 'A request was made with this Idempotency-Key before: send a new one.');
  throw new Refusal(
    'IDEMPOTENCY_MISMATCH',
    'This Idempotency-Key was used for a request for another cluster. Send a new key.',
  );
}

/** Approves a pending request of somebody else. */
export async function approve(
  deps: AccessDeps,
  request: ApproveAccessRequestRequest,
  call: Call,
): Promise<AccessRequest> {
  const { policy, accessLimits } = deps;
  const durationSeconds = parseAskedDuration(request.duration, accessLimits.maxSeconds);
  const { decision, ...found } = await toDecide(deps, request, call);
  return run(deps, call, {
    ...found,
    cause: commandCause(call, method.approveAccessRequest, request),
    decide: (state, ends, now) => {
      const facts = approveRequest(
        { ...decision(state), now, durationSeconds, maxSeconds: accessLimits.maxSeconds },
        state,
        ends,
      );
      refuseForDisabled(policy, found.place.userId);
      return facts;
    },
  });
}

/** Denies a pending request of somebody else. */
export async function deny(deps: AccessDeps, request: DenyAccessRequestRequest, call: Call): Promise<AccessRequest> {
  const reason = parseReason(request.reason);
  const { decision, ...found } = await toDecide(deps, request, call);
  return run(deps, call, {
    ...found,
    cause: commandCause(call, method.denyAccessRequest, request),
    decide: (state, ends, now) => denyRequest({ ...decision(state), now, reason }, state, ends),
  });
}

/** Ends a grant: any for administrators, one's own for everybody. */
export async function revoke(
  deps: AccessDeps,
  request: RevokeAccessRequestRequest,
  call: Call,
): Promise<AccessRequest> {
  const caller = actingCaller(call);
  const accessRequestId = parseAccessRequestId(request.id);
  const asked = parseReason(request.reason);
  const place = await placeOf(deps, accessRequestId);
  const isOwn = place?.userId === caller.userId;
  if (!isOwn) refuseOthers(caller, 'Only administrators end the access of others; everybody may give back their own.');
  if (!place) throw requestNotFound(accessRequestId);
  const reason = asked || (isOwn ? 'given back' : 'revoked');
  return run(deps, call, {
    accessRequestId,
    place,
    cause: commandCause(call, method.revokeAccessRequest, request),
    decide: (state, ends, now) => revokeGrant({ accessRequestId, reason, now }, state, ends),
  });
}

/** Takes one's own pending request back. */
export async function withdraw(
  deps: AccessDeps,
  request: WithdrawAccessRequestRequest,
  call: Call,
): Promise<AccessRequest> {
  const caller = actingCaller(call);
  const accessRequestId = parseAccessRequestId(request.id);
  const place = await placeOf(deps, accessRequestId);
  const isOwn = place?.userId === caller.userId;
  if (!place || (!isOwn && !caller.isAdmin)) throw requestNotFound(accessRequestId);
  if (!isOwn) throw new Refusal('FORBIDDEN', 'Only whoever made a request withdraws it. Deny it instead.');
  return run(deps, call, {
    accessRequestId,
    place,
    cause: commandCause(call, method.withdrawAccessRequest, request),
    decide: (state, ends, now) => withdrawRequest({ accessRequestId, now }, state, ends),
  });
}

/**
 * The request that is to be decided, and the decision as far as it does not depend on its kind. Whoever may not decide
 * learns nothing of it, unless it is their own.
 */
async function toDecide(
  deps: AccessDeps,
  request: Pick<ApproveAccessRequestRequest, 'id' | 'roleRevision' | 'shownAt'>,
  call: Call,
): Promise<Found & { readonly decision: (state: AccessState) => Omit<Decision, 'now'> }> {
  const reviewer = reviewerOf(call, actingCaller(call));
  const accessRequestId = parseAccessRequestId(request.id);
  const shownAt = parseInstant('shownAt', request.shownAt);
  const place = await placeOf(deps, accessRequestId);
  if (place?.userId !== reviewer.userId && !mayReview(await reviewOf(deps, accessRequestId, place), reviewer))
    throw notReviewer();
  if (!place) throw requestNotFound(accessRequestId);
  const shownRoleRevision = request.roleRevision === 0n ? undefined : Number(request.roleRevision);
  const decision = (state: AccessState) => ({
    accessRequestId,
    reviewer,
    shownRoleRevision,
    shownAt,
    roleRevision: roleNow(deps.policy, state)?.revision,
  });
  return { accessRequestId, place, decision };
}

const roleNow = (policy: PolicyQueries, state: AccessState) =>
  state.status === 'known' && state.pending ? liveRole(policy, state.pending.roleId) : undefined;

// A request that was made while its person was being disabled only sleeps, and so would the grant.
function refuseForDisabled(policy: PolicyQueries, userId: UserId): void {
  if (policy.user(userId)?.status === 'active') return;
  throw new Refusal('REQUEST_NOT_PENDING', 'The person who asked is disabled. Enable them first, or deny the request.');
}
