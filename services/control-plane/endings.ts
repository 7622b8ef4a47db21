/**
 * What a deleted role, a deleted cluster or a disabled person has ended and no fact says yet (D32). Pure: it looks at
 * the policy fold as it is, so it gives the same after a restart, and nothing once everything is said.
 */
import { accessStream, type AccessFact } from '@clustral/schemas/events/access.ts';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import { credentialStream, type CredentialFact } from '@clustral/schemas/events/credential.ts';
import { roleStream } from '@clustral/schemas/events/role.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { RoleId } from '@clustral/schemas/ids.ts';
import {
  endAssignment,
  endRequest,
  type AccessState,
  type Grant,
  type KnownAccess,
  type PendingRequest,
} from './domain/access.ts';
import { revokeCredential, type CredentialState, type KnownCredential } from './domain/credential.ts';
import { clusterExists, isAlive } from './domain/standing.ts';
import type { PolicyFold } from './policy-fold.ts';

export type EndingsView = Pick<PolicyFold, 'allAccess' | 'liveCredentials' | 'user' | 'cluster' | 'role'>;

type EndedPart<State, F> = {
  /** Where the explicit fact belongs. */
  readonly stream: string;
  /** The stream of the fact that ended it. */
  readonly endedBy: string;
  /** Decides the explicit fact; none when the state has moved on. */
  readonly decide: (state: State) => readonly F[];
};

/** One explicit fact that is still to be appended. */
export type Ended =
  | ({ readonly of: 'access' } & EndedPart<AccessState, AccessFact>)
  | ({ readonly of: 'credential' } & EndedPart<CredentialState, CredentialFact>);

/** All that is ended and not yet said, at `now`. What is over by itself needs no saying. */
export function endedUnsaid(view: EndingsView, now: Date): readonly Ended[] {
  return [
    ...[...view.allAccess()].flatMap((access) => skipUnreadable(() => endedOfAccess(view, access, now))),
    ...[...view.liveCredentials()].flatMap((credential) => skipUnreadable(() => endedCredential(view, credential))),
  ];
}

// A subject with a fact that cannot be read is denied anyway, and must not keep the others waiting.
function skipUnreadable(find: () => readonly Ended[]): readonly Ended[] {
  try {
    return find();
  } catch (cause) {
    if (cause instanceof Refusal) return [];
    throw cause;
  }
}

function endedOfAccess(view: EndingsView, access: KnownAccess, now: Date): readonly Ended[] {
  const { userId, clusterId, assignment, pending, grant } = access;
  const stream = accessStream(userId, clusterId);
  const ended: Ended[] = [];
  const assignmentEnd = assignment && endOfPlace(view, access, assignment.roleId);
  if (assignment && assignmentEnd) {
    const { assignmentId } = assignment;
    const decide = (state: AccessState) => endAssignment(assignmentId, state);
    ended.push({ of: 'access', stream, endedBy: assignmentEnd.stream, decide });
  }
  for (const part of [pending, grant]) {
    const end = part && part.expiresAt > now ? endOfRequest(view, access, part) : undefined;
    if (!part || !end) continue;
    const { accessRequestId } = part;
    const decide = (state: AccessState) => endRequest({ accessRequestId, reason: end.reason }, state);
    ended.push({ of: 'access', stream, endedBy: end.stream, decide });
  }
  return ended;
}

type End = { readonly stream: string; readonly reason: string };

function endOfPlace(view: EndingsView, { clusterId }: KnownAccess, roleId: RoleId): End | undefined {
  if (!clusterExists(view.cluster(clusterId))) return { stream: clusterStream(clusterId), reason: 'cluster deleted' };
  if (view.role(roleId)?.status !== 'active') return { stream: roleStream(roleId), reason: 'role deleted' };
  return undefined;
}

function endOfRequest(view: EndingsView, access: KnownAccess, part: PendingRequest | Grant): End | undefined {
  const end = endOfPlace(view, access, part.roleId);
  if (end) return end;
  const user = view.user(access.userId);
  if (user === undefined || user.status === 'absent' || isAlive(part, user)) return undefined;
  return { stream: userStream(access.userId), reason: 'person disabled' };
}

function endedCredential(
  view: EndingsView,
  { credentialId, userId, clusterId, position }: KnownCredential,
): readonly Ended[] {
  const user = view.user(userId);
  const byUser = user !== undefined && user.status !== 'absent' && position <= user.endedBefore;
  const byCluster = !clusterExists(view.cluster(clusterId));
  if (!byUser && !byCluster) return [];
  const reason = byCluster ? 'cluster deleted' : 'person disabled';
  const endedBy = byCluster ? clusterStream(clusterId) : userStream(userId);
  const decide = (state: CredentialState) => revokeCredential({ credentialId, reason }, state);
  return [{ of: 'credential', stream: credentialStream(credentialId), endedBy, decide }];
}
