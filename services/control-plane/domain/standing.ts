/**
 * What a person may do on a cluster at an instant: the static role, else the grant (static beats grant). It joins what
 * the access stream says with what other streams ended (D32), so every decider and every answer asks here and nowhere
 * else. The rule it lives by: a deleted role, a deleted cluster and a disabled person give nothing, from their position
 * on.
 */
import type { ClusterId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import type { AccessState, Grant, PendingRequest, StaticAssignment } from './access.ts';
import type { ClusterState } from './cluster.ts';
import type { RoleState } from './role.ts';
import type { KnownUser, UserState } from './user.ts';

/** The part of the policy fold that standing is read from. */
export type StandingView = {
  user(id: UserId): UserState | undefined;
  cluster(id: ClusterId): ClusterState | undefined;
  role(id: RoleId): RoleState | undefined;
  access(userId: UserId, clusterId: ClusterId): AccessState | undefined;
};

type LiveRole = Extract<RoleState, { status: 'active' }>;

/** A role that holds now, and where it comes from. */
export type Standing =
  | { readonly source: 'assignment'; readonly role: LiveRole; readonly assignment: StaticAssignment }
  | { readonly source: 'grant'; readonly role: LiveRole; readonly grant: Grant };

/** The role that holds for the person on the cluster at `now`, or nothing. */
export function standingOf(
  view: StandingView,
  who: { readonly userId: UserId; readonly clusterId: ClusterId },
  now: Date,
): Standing | undefined {
  const user = view.user(who.userId);
  if (user?.status !== 'active' || !clusterExists(view.cluster(who.clusterId))) return undefined;
  const access = view.access(who.userId, who.clusterId);
  if (access?.status !== 'known') return undefined;
  const assigned = access.assignment && liveRole(view, access.assignment.roleId);
  if (access.assignment && assigned) return { source: 'assignment', role: assigned, assignment: access.assignment };
  const { grant } = access;
  if (!grant || !isAlive(grant, user) || grant.startsAt > now || grant.expiresAt <= now) return undefined;
  const role = liveRole(view, grant.roleId);
  return role && { source: 'grant', role, grant };
}

/** True while the cluster is registered. */
export function clusterExists(cluster: ClusterState | undefined): boolean {
  return cluster?.status === 'registered';
}

/**
 * False for a request from before the person was disabled, and for the grant that came of it: dead, whatever comes later
 * (D32).
 */
export function isAlive(part: PendingRequest | Grant, user: KnownUser): boolean {
  return part.position > user.endedBefore;
}

/** The role, unless it was deleted or never there. */
export function liveRole(view: StandingView, id: RoleId): LiveRole | undefined {
  const role = view.role(id);
  return role?.status === 'active' ? role : undefined;
}
