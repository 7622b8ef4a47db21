/**
 * `UserService`: people, what they can reach, and their standing assignments. What the caller can reach now comes from
 * the policy fold, because that is what a request of theirs would meet; lists come from the read models.
 */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { listAssignments } from '@clustral/projections/access.ts';
import { listUsers } from '@clustral/projections/users.ts';
import { accessStream } from '@clustral/schemas/events/access.ts';
import { displayName } from '@clustral/schemas/events/person.ts';
import { userStream, type UserFact } from '@clustral/schemas/events/user.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import {
  AccessSchema,
  AssignmentSchema,
  ClusterAccessSource,
  ListAssignmentsResponseSchema,
  ListUsersResponseSchema,
  MeSchema,
  UserService,
  type AssignRoleRequest,
  type UnassignRoleRequest,
  type User,
} from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { parseClusterId, parseRoleId, parseUserId, type ClusterId, type UserId } from '@clustral/schemas/ids.ts';
import { implement, type Call, type Implementation } from '@clustral/kernel/api.ts';
import { disabled } from '../authorize.ts';
import { evolveAccess, initialAccess, type AccessState, type StaticAssignment } from '../domain/access.ts';
import { assignmentNotFound, assignRole, unassignRole } from '../domain/assignment.ts';
import { requireCluster } from '../domain/cluster.ts';
import { roleNotFound } from '../domain/role.ts';
import { standingOf } from '../domain/standing.ts';
import {
  disableUser,
  enableUser,
  evolveUser,
  initialUser,
  requireUser,
  type KnownUser,
  type UserState,
} from '../domain/user.ts';
import type { PolicyQueries } from '../policy.ts';
import type { Cause } from '../ports.ts';
import { callerOf } from './caller.ts';
import { commandCause, newId } from './cause.ts';
import { modelsFor, tellPosition, type ApiDeps } from './deps.ts';
import { parseFilter, parsePage } from './input.ts';
import { personAnswer, personOfDocument } from './person-answer.ts';

/** The service. */
export function userService(deps: ApiDeps): Implementation {
  const { policy } = deps;
  return implement(UserService, {
    getMe(_request, call) {
      const user = userNow(policy, callerOf(call).userId);
      return Promise.resolve(create(MeSchema, { user: personAnswer(user), access: accessNow(deps, user.userId) }));
    },
    async listUsers(request, call) {
      const models = await modelsFor(deps, call);
      const { items, next = '' } = await listUsers(models, {
        ...parsePage(request),
        ...parseFilter('name', request.name),
      });
      return create(ListUsersResponseSchema, { users: items.map(personOfDocument), nextPageToken: next });
    },
    async listAssignments(request, call) {
      const caller = callerOf(call);
      const userId = parseUserId(request.userId);
      if (userId !== caller.userId && !caller.readsAll)
        throw new Refusal('FORBIDDEN', 'Only administrators and auditors see the assignments of others.');
      userNow(policy, userId);
      const assignments = await listAssignments(await modelsFor(deps, call), userId);
      return create(ListAssignmentsResponseSchema, {
        assignments: assignments.map(({ _id, assignedAt, ...shown }) =>
          create(AssignmentSchema, { ...shown, id: _id, assignedAt: timestampFromMs(assignedAt) }),
        ),
      });
    },
    assignRole: (request, call) => assign(deps, request, call),
    async unassignRole(request, call) {
      await unassign(deps, request, call);
      return {};
    },
    disableUser: (request, call) => {
      const byUserId = callerOf(call).userId;
      const cause = commandCause(call, UserService.method.disableUser, request);
      const userId = parseUserId(request.userId);
      return letInOrOut(deps, call, { userId, cause, decide: (state) => disableUser({ userId, byUserId }, state) });
    },
    enableUser: (request, call) => {
      const cause = commandCause(call, UserService.method.enableUser, request);
      const userId = parseUserId(request.userId);
      return letInOrOut(deps, call, { userId, cause, decide: (state) => enableUser({ userId }, state) });
    },
  });
}

async function letInOrOut(
  { policy, commands }: ApiDeps,
  call: Call,
  command: {
    readonly userId: UserId;
    readonly cause: Cause;
    readonly decide: (state: UserState) => readonly UserFact[];
  },
): Promise<User> {
  const caller = callerOf(call).userId;
  const result = await commands.run({
    stream: userStream(command.userId),
    initial: initialUser,
    evolve: evolveUser,
    // One after the other: of two administrators who disable each other at once, one stays (AZ-04).
    exclusive: 'who may act',
    cause: command.cause,
    decide: (state) => {
      if (policy.user(caller)?.status !== 'active') throw disabled(caller);
      return command.decide(state);
    },
  });
  tellPosition(call, result);
  return personAnswer(requireUser(command.userId, result.state));
}

async function assign(deps: ApiDeps, request: AssignRoleRequest, call: Call) {
  const { policy, commands } = deps;
  const userId = parseUserId(request.userId);
  const clusterId = parseClusterId(request.clusterId);
  const roleId = parseRoleId(request.roleId);
  const cause = commandCause(call, UserService.method.assignRole, request);
  const assignmentId = newId('assignment', cause);
  const result = await commands.run({
    stream: accessStream(userId, clusterId),
    initial: initialAccess,
    evolve: evolveAccess,
    decide: (state) => {
      userNow(policy, userId);
      requireCluster(clusterId, policy.cluster(clusterId));
      if (policy.role(roleId)?.status !== 'active') throw roleNotFound(roleId);
      return assignRole({ assignmentId, userId, clusterId, roleId }, state);
    },
    cause,
  });
  tellPosition(call, result);
  const assignment = assignmentOf(result.state);
  // A repeated call may find that the assignment was removed since.
  if (!assignment) throw assignmentNotFound(assignmentId);
  return assignmentAnswer(policy, { userId, clusterId }, assignment);
}

async function unassign(deps: ApiDeps, request: UnassignRoleRequest, call: Call): Promise<void> {
  const userId = parseUserId(request.userId);
  const assignmentId = request.assignmentId.toLowerCase();
  const access = deps.policy
    .accessOf(userId)
    .find((one) => one.assignment?.assignmentId === assignmentId || one.endedAssignmentId === assignmentId);
  if (!access) throw assignmentNotFound(assignmentId);
  const result = await deps.commands.run({
    stream: accessStream(userId, access.clusterId),
    initial: initialAccess,
    evolve: evolveAccess,
    decide: (state) => unassignRole(assignmentId, state),
    cause: commandCause(call, UserService.method.unassignRole, request),
  });
  tellPosition(call, result);
}

const assignmentOf = (state: AccessState): StaticAssignment | null =>
  state.status === 'known' ? state.assignment : null;

function assignmentAnswer(
  policy: PolicyQueries,
  { userId, clusterId }: { readonly userId: UserId; readonly clusterId: ClusterId },
  { assignmentId, roleId, assignedAt, assignedBy }: StaticAssignment,
) {
  const assigner = policy.user(assignedBy.id as UserId);
  return create(AssignmentSchema, {
    id: assignmentId,
    userId,
    clusterId,
    clusterName: nameOf(policy.cluster(clusterId)),
    roleId,
    roleName: nameOf(policy.role(roleId)),
    assignedAt: timestampFromDate(assignedAt),
    assignedBy: assigner && assigner.status !== 'absent' ? displayName(assigner.claims) : assignedBy.id,
  });
}

function accessNow({ policy, now }: ApiDeps, userId: UserId) {
  return policy.accessOf(userId).flatMap(({ clusterId }) => {
    const standing = standingOf(policy, { userId, clusterId }, now());
    if (!standing) return [];
    const { role } = standing;
    const shared = {
      clusterId,
      clusterName: nameOf(policy.cluster(clusterId)),
      roleId: role.roleId,
      roleName: role.name,
    };
    if (standing.source === 'assignment')
      return create(AccessSchema, { ...shared, source: ClusterAccessSource.ASSIGNMENT });
    const until = timestampFromDate(standing.grant.expiresAt);
    return create(AccessSchema, { ...shared, source: ClusterAccessSource.GRANT, until });
  });
}

const userNow = (policy: PolicyQueries, userId: UserId): KnownUser => requireUser(userId, policy.user(userId));

const nameOf = (named: { readonly status: string; readonly name?: string } | undefined): string => named?.name ?? '';
