/**
 * `UserService`: people, what they can reach, and their standing assignments. What the caller can reach now comes from
 * the policy fold, because that is what a request of theirs would meet; lists come from the read models.
 */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { listAssignments } from '@clustral/projections/access.ts';
import { listUsers, type UserDocument } from '@clustral/projections/users.ts';
import { accessStream } from '@clustral/schemas/events/access.ts';
import { displayName } from '@clustral/schemas/events/person.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import {
  AccessSchema,
  AssignmentSchema,
  ClusterAccessSource,
  ListAssignmentsResponseSchema,
  ListUsersResponseSchema,
  MeSchema,
  UserSchema,
  UserService,
  type AssignRoleRequest,
  type UnassignRoleRequest,
} from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { parseClusterId, parseRoleId, parseUserId, type ClusterId, type UserId } from '@clustral/schemas/ids.ts';
import { implement, type Call, type Implementation } from '@clustral/kernel/api.ts';
import {
  assignmentNotFound,
  assignRole,
  evolveAccess,
  initialAccess,
  unassignRole,
  type AccessState,
  type StaticAssignment,
} from '../domain/access.ts';
import { requireCluster } from '../domain/cluster.ts';
import { roleNotFound } from '../domain/role.ts';
import { standingOf } from '../domain/standing.ts';
import type { KnownUser } from '../domain/user.ts';
import type { PolicyQueries } from '../policy.ts';
import { callerOf } from './caller.ts';
import { commandCause, newId } from './cause.ts';
import { modelsFor, tellPosition, type ApiDeps } from './deps.ts';
import { parseFilter, parsePage } from './input.ts';

/** The service. */
export function userService(deps: ApiDeps): Implementation {
  const { policy } = deps;
  return implement(UserService, {
    getMe(_request, call) {
      const user = requireUser(policy, callerOf(call).userId);
      return Promise.resolve(create(MeSchema, { user: personAnswer(user), access: accessNow(deps, user.userId) }));
    },
    async listUsers(request, call) {
      const models = await modelsFor(deps, call);
      const { items, next = '' } = await listUsers(models, {
        ...parsePage(request),
        ...parseFilter('name', request.name),
      });
      return create(ListUsersResponseSchema, { users: items.map(shownUser), nextPageToken: next });
    },
    async listAssignments(request, call) {
      const caller = callerOf(call);
      const userId = parseUserId(request.userId);
      if (userId !== caller.userId && !caller.readsAll)
        throw new Refusal('FORBIDDEN', 'Only administrators and auditors see the assignments of others.');
      requireUser(policy, userId);
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
  });
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
      requireUser(policy, userId);
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

const nameOf = (named: { readonly status: string; readonly name?: string } | undefined): string => named?.name ?? '';

function requireUser(policy: PolicyQueries, userId: UserId): KnownUser {
  const user = policy.user(userId);
  if (user !== undefined && user.status !== 'absent') return user;
  throw new Refusal(
    'USER_NOT_FOUND',
    `Nobody with id ${userId} has signed in here. 'clustral users list' shows who has.`,
    { userId },
  );
}

function personAnswer({ userId, claims, kubernetesName, signedInAt, status }: KnownUser) {
  return create(UserSchema, {
    id: userId,
    email: claims.email ?? '',
    name: claims.name ?? '',
    preferredUsername: claims.preferredUsername ?? '',
    issuer: claims.issuer,
    subject: claims.subject,
    roles: [...claims.roles],
    disabled: status === 'disabled',
    kubernetesName: kubernetesName ?? '',
    ...(signedInAt === null ? {} : { lastSignInAt: timestampFromDate(new Date(signedInAt)) }),
  });
}

const shownUser = (user: UserDocument) =>
  create(UserSchema, {
    id: user._id,
    email: user.email ?? '',
    name: user.name ?? '',
    preferredUsername: user.preferredUsername ?? '',
    issuer: user.issuer,
    subject: user.subject,
    roles: [...user.roles],
    disabled: user.disabled,
    kubernetesName: user.kubernetesName ?? '',
    ...(user.lastSignInAt === null ? {} : { lastSignInAt: timestampFromMs(user.lastSignInAt) }),
  });
