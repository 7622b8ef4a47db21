/**
 * What is over in one person's access to one cluster though its own stream does not say so yet: ended by what another
 * stream says (D32), or by time. It finds ends and makes the facts that say them; it takes nothing away, because
 * `standing.ts` gives nothing for what is found here. The rule it lives by: what has run out is said to have expired,
 * also when something else ended it meanwhile, so that each request ends once and in one way.
 */
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import { roleStream } from '@clustral/schemas/events/role.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import type { RoleId, UserId } from '@clustral/schemas/ids.ts';
import type { AccessState, Approved, Grant, KnownAccess, PendingRequest } from './access.ts';
import { clusterExists, isAlive, liveRole, type StandingView } from './standing.ts';

/** What ended something: the stream of the fact that did, and the reason in words. */
export type End = {
  readonly stream: string;
  readonly reason: 'cluster deleted' | 'role deleted' | 'person disabled';
};

/** What other streams have ended of one access; undefined for what stands and for what is not there. */
export type Ends = {
  readonly assignment: End | undefined;
  readonly pending: End | undefined;
  readonly grant: End | undefined;
  /** Whose approval of the pending request counts no longer, because they were disabled after it. */
  readonly approvals: readonly UserId[];
};

/** The ends of an access as its stream has it now. */
export function endsOf(view: StandingView, access: AccessState): Ends {
  if (access.status !== 'known') return { assignment: undefined, pending: undefined, grant: undefined, approvals: [] };
  const { assignment, pending, grant } = access;
  return {
    assignment: assignment ? endOfRole(view, access, assignment.roleId) : undefined,
    pending: pending ? endOfRequest(view, access, pending) : undefined,
    grant: grant ? endOfRequest(view, access, grant) : undefined,
    approvals: (pending?.approvals ?? []).filter((one) => hasDied(view, one)).map(({ reviewerId }) => reviewerId),
  };
}

function hasDied(view: StandingView, { reviewerId, position }: Approved): boolean {
  const reviewer = view.user(reviewerId);
  return reviewer !== undefined && reviewer.status !== 'absent' && position <= reviewer.endedBefore;
}

function endOfRole(view: StandingView, { clusterId }: KnownAccess, roleId: RoleId): End | undefined {
  if (!clusterExists(view.cluster(clusterId))) return { stream: clusterStream(clusterId), reason: 'cluster deleted' };
  if (!liveRole(view, roleId)) return { stream: roleStream(roleId), reason: 'role deleted' };
  return undefined;
}

function endOfRequest(view: StandingView, access: KnownAccess, part: PendingRequest | Grant): End | undefined {
  const end = endOfRole(view, access, part.roleId);
  if (end) return end;
  const user = view.user(access.userId);
  if (user === undefined || user.status === 'absent' || isAlive(part, user)) return undefined;
  return { stream: userStream(access.userId), reason: 'person disabled' };
}

/** True once nobody may decide the request any more, or the grant gives nothing any more. */
export const hasRunOut = ({ expiresAt }: PendingRequest | Grant, now: Date): boolean => expiresAt <= now;

/** The request or grant, unless time or something else has ended it. */
export function unlessOver<Part extends PendingRequest | Grant>(
  part: Part | null,
  end: End | undefined,
  now: Date,
): Part | undefined {
  return part === null || end !== undefined || hasRunOut(part, now) ? undefined : part;
}

/** Says what is over: whatever takes the place of a request or grant must not make its end go unsaid. */
export function sayEnds(access: AccessState, ends: Ends, now: Date): readonly AccessFact[] {
  if (access.status !== 'known') return [];
  return (['pending', 'grant'] as const).flatMap((name) => {
    const part = access[name];
    if (!part) return [];
    const end = ends[name];
    if (hasRunOut(part, now) || !end) return expireRequest(part, access, now);
    return endRequest({ accessRequestId: part.accessRequestId, reason: end.reason }, access);
  });
}

/** Ends exactly that pending request or grant; no fact when the state has moved on (D32). */
export function endRequest(
  { accessRequestId, reason }: { readonly accessRequestId: string; readonly reason: string },
  access: AccessState,
): readonly AccessFact[] {
  if (access.status !== 'known' || !openRequest(accessRequestId, access)) return [];
  const { userId, clusterId } = access;
  return [{ type: 'access_request.revoked', data: { userId, clusterId, accessRequestId, reason } }];
}

/**
 * Says that exactly that pending request or grant has run out (JT-11). No fact when the state has moved on, nor when it
 * has not run out by the clock of now: one that was set back is believed.
 */
export function expireRequest(
  { accessRequestId }: { readonly accessRequestId: string },
  access: AccessState,
  now: Date,
): readonly AccessFact[] {
  if (access.status !== 'known') return [];
  const part = openRequest(accessRequestId, access);
  if (!part || !hasRunOut(part, now)) return [];
  const { userId, clusterId } = access;
  const expiredAt = part.expiresAt.toISOString();
  return [{ type: 'access_request.expired', data: { userId, clusterId, accessRequestId, expiredAt } }];
}

const openRequest = (id: string, { pending, grant }: KnownAccess): PendingRequest | Grant | undefined =>
  [pending, grant].find((part) => part?.accessRequestId === id) ?? undefined;
