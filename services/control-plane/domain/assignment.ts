/**
 * Standing roles: given and taken by administrators, one per person and cluster. Pure deciders on the access that
 * `access.ts` folds. The rule they live by: an assignment is ended by its own id, so that nothing ends the one that has
 * taken its place.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { ClusterId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import type { AccessState } from './access.ts';

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
