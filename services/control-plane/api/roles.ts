/** `RoleService`: create, list, update, delete roles. Names are unique, also when asked for at the same time. */
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { listRoles, type RoleDocument } from '@clustral/projections/roles.ts';
import { roleStream, type RoleFact } from '@clustral/schemas/events/role.ts';
import {
  ListRolesResponseSchema,
  RoleSchema,
  RoleService,
  type CreateRoleRequest,
  type Role,
} from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { parseRoleId, type RoleId } from '@clustral/schemas/ids.ts';
import { implement, type Implementation } from '@clustral/kernel/api.ts';
import {
  createRole,
  deleteRole,
  evolveRole,
  initialRole,
  roleNotFound,
  updateRole,
  type RoleContent,
  type RoleState,
} from '../domain/role.ts';
import type { Cause, CommandResult } from '../ports.ts';
import { commandCause, newId } from './cause.ts';
import { modelsFor, tellPosition, type ApiDeps } from './deps.ts';
import { parseReview, reviewAnswer } from './role-review.ts';
import { parseDescription, parseFilter, parseGroups, parseName, parsePage } from './input.ts';

/** The service. */
export function roleService(deps: ApiDeps): Implementation {
  const { method } = RoleService;
  return implement(RoleService, {
    async createRole(request, call) {
      const cause = commandCause(call, method.createRole, request);
      const roleId = newId('role', cause) as RoleId;
      const result = await runNamed(deps, { ...contentOf(request), roleId }, { cause, decide: createRole });
      tellPosition(call, result);
      return roleAnswer(roleId, result.state);
    },
    async listRoles(request, call) {
      const models = await modelsFor(deps, call);
      const { items, next = '' } = await listRoles(models, {
        ...parsePage(request),
        ...parseFilter('name', request.name),
      });
      return create(ListRolesResponseSchema, { roles: items.map(shownRole), nextPageToken: next });
    },
    async updateRole(request, call) {
      const roleId = parseRoleId(request.id);
      const cause = commandCause(call, method.updateRole, request);
      const result = await runNamed(deps, { ...contentOf(request), roleId }, { cause, decide: updateRole });
      tellPosition(call, result);
      return roleAnswer(roleId, result.state);
    },
    async deleteRole(request, call) {
      const roleId = parseRoleId(request.id);
      const result = await deps.commands.run({
        stream: roleStream(roleId),
        initial: initialRole,
        evolve: evolveRole,
        decide: (state) => deleteRole({ roleId }, state),
        cause: commandCause(call, method.deleteRole, request),
      });
      tellPosition(call, result);
      return {};
    },
  });
}

type Content = Omit<RoleContent, 'nameHolder'>;
type Decide = (command: RoleContent, state: RoleState) => readonly RoleFact[];

function runNamed(
  { commands, policy }: ApiDeps,
  content: Content,
  { cause, decide }: { readonly cause: Cause; readonly decide: Decide },
): Promise<CommandResult<RoleState>> {
  return commands.run({
    stream: roleStream(content.roleId),
    initial: initialRole,
    evolve: evolveRole,
    decide: (state) => decide({ ...content, nameHolder: holderOf(policy.roleByName(content.name)) }, state),
    exclusive: `role name ${content.name}`,
    cause,
  });
}

const holderOf = (role: RoleState | undefined): RoleId | undefined =>
  role?.status === 'active' ? role.roleId : undefined;

const contentOf = (request: Pick<CreateRoleRequest, 'name' | 'description' | 'k8sGroups' | 'review'>) => ({
  name: parseName(request.name),
  description: parseDescription(request.description),
  k8sGroups: parseGroups(request.k8sGroups),
  review: parseReview(request.review),
});

/** The role after a command; one that was deleted since is answered as such when the command is repeated. */
function roleAnswer(roleId: RoleId, state: RoleState): Role {
  if (state.status !== 'active') throw roleNotFound(roleId);
  return shownRole({ ...state, _id: roleId, createdAt: state.createdAt.getTime() });
}

const shownRole = ({
  _id,
  name,
  description,
  k8sGroups,
  review,
  createdAt,
  revision,
}: Omit<RoleDocument, 'deleted' | 'position'>): Role =>
  create(RoleSchema, {
    id: _id,
    name,
    description,
    k8sGroups: [...k8sGroups],
    review: reviewAnswer(review),
    createdAt: timestampFromMs(createdAt),
    revision: BigInt(revision),
  });
