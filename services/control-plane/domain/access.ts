/**
 * One person's access to one cluster: at most one static role, one pending request, one grant. It holds what its own
 * stream says; what other streams ended (a deleted role, a disabled person) is added by `standing.ts`. The rule it
 * lives by: a fact that names another assignment or request than the present one changes nothing.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { Actor, Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ClusterId, RoleId, UserId } from '@clustral/schemas/ids.ts';

export type StaticAssignment = {
  readonly assignmentId: string;
  readonly roleId: RoleId;
  readonly assignedAt: Date;
  readonly assignedBy: Actor;
};

/** A request that nobody has decided yet. `position` is where it was made. */
export type PendingRequest = {
  readonly accessRequestId: string;
  readonly roleId: RoleId;
  readonly roleRevision: number;
  readonly durationSeconds: number;
  readonly startsAt: string | null;
  readonly extends: string | null;
  readonly expiresAt: Date;
  readonly position: bigint;
};

/** A role for a while: from `startsAt` until just before `expiresAt`. `position` is where it was approved. */
export type Grant = {
  readonly accessRequestId: string;
  readonly roleId: RoleId;
  readonly startsAt: Date;
  readonly expiresAt: Date;
  readonly position: bigint;
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
    case 'access_request.approved':
      return { ...withoutPending(state, fact.data.accessRequestId), grant: grantOf(fact) };
    case 'access_request.denied':
    case 'access_request.withdrawn':
      return withoutPending(state, fact.data.accessRequestId);
    case 'access_request.revoked':
    case 'access_request.expired':
      return withoutGrant(withoutPending(state, fact.data.accessRequestId), fact.data.accessRequestId);
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
    revision: -1,
  };
}

const assignmentOf = ({ data, recordedAt, metadata }: Of<'user.role_assigned'>): StaticAssignment => ({
  assignmentId: data.assignmentId,
  roleId: data.roleId,
  assignedAt: recordedAt,
  assignedBy: metadata.actor,
});

const pendingOf = ({ data, position }: Of<'access_request.created'>): PendingRequest => ({
  accessRequestId: data.accessRequestId,
  roleId: data.roleId,
  roleRevision: data.roleRevision,
  durationSeconds: data.durationSeconds,
  startsAt: data.startsAt,
  extends: data.extends,
  expiresAt: new Date(data.expiresAt),
  position,
});

const grantOf = ({ data, position }: Of<'access_request.approved'>): Grant => ({
  accessRequestId: data.accessRequestId,
  roleId: data.roleId,
  startsAt: new Date(data.grantStartsAt),
  expiresAt: new Date(data.grantExpiresAt),
  position,
});

const withoutPending = (state: KnownAccess, id: string): KnownAccess =>
  state.pending?.accessRequestId === id ? { ...state, pending: null } : state;

const withoutGrant = (state: KnownAccess, id: string): KnownAccess =>
  state.grant?.accessRequestId === id ? { ...state, grant: null } : state;

/** Who gets which role where. The edge has made sure that person, cluster and role exist. */
export type AssignRole = {
  readonly assignmentId: string;
  readonly userId: UserId;
  readonly clusterId: ClusterId;
  readonly roleId: RoleId;
};

/** Gives the static role; an earlier one is replaced, the same one again is no fact. */
export function assignRole(command: AssignRole, state: AccessState): readonly AccessFact[] {
  if (state.status === 'known' && state.assignment?.roleId === command.roleId) return [];
  const { assignmentId, userId, clusterId, roleId } = command;
  return [{ type: 'user.role_assigned', data: { userId, clusterId, assignmentId, roleId } }];
}

/** Takes the static role away. Refuses with `ASSIGNMENT_NOT_FOUND` when that assignment is not the present one. */
export function unassignRole(assignmentId: string, state: AccessState): readonly AccessFact[] {
  const facts = endAssignment(assignmentId, state);
  if (facts.length === 0) throw assignmentNotFound(assignmentId);
  return facts;
}

/** The refusal for an id that names no present assignment of the person. */
export const assignmentNotFound = (assignmentId: string): Refusal =>
  new Refusal(
    'ASSIGNMENT_NOT_FOUND',
    `There is no assignment ${assignmentId} of this person: it may have been removed or replaced. Look at the person's assignments first.`,
    { assignmentId },
  );

/** Ends exactly that assignment; no fact when the state has moved on (D32). */
export function endAssignment(assignmentId: string, state: AccessState): readonly AccessFact[] {
  if (state.status !== 'known' || state.assignment?.assignmentId !== assignmentId) return [];
  const { userId, clusterId, assignment } = state;
  return [{ type: 'user.role_unassigned', data: { userId, clusterId, assignmentId, roleId: assignment.roleId } }];
}

/** Ends exactly that pending request or grant; no fact when the state has moved on (D32). */
export function endRequest(
  { accessRequestId, reason }: { readonly accessRequestId: string; readonly reason: string },
  state: AccessState,
): readonly AccessFact[] {
  if (state.status !== 'known') return [];
  const { userId, clusterId, pending, grant } = state;
  if (pending?.accessRequestId !== accessRequestId && grant?.accessRequestId !== accessRequestId) return [];
  return [{ type: 'access_request.revoked', data: { userId, clusterId, accessRequestId, reason } }];
}
