/** From what the server says has changed to the questions that must be asked again. */
import { AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { ClusterService } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { RoleService } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';

/**
 * What changed: a kind of thing, or everything when the server cannot say. `started`: from here on nothing is left out, but what was
 * answered before may be old. `audit` is in no list here: that page decides itself.
 */
export type ChangedKind =
  | 'clusters'
  | 'agents'
  | 'roles'
  | 'users'
  | 'access'
  | 'credentials'
  | 'audit'
  | 'started'
  | 'everything';

const all = [AccessService, ClusterService, CredentialService, RoleService, UserService].map(
  ({ typeName }) => typeName,
);

// A name or a group of one thing is shown with another, so each kind reaches further than its own service.
const reach: Readonly<Record<ChangedKind, readonly string[]>> = {
  clusters: all,
  agents: [ClusterService.typeName],
  roles: [RoleService.typeName, AccessService.typeName, UserService.typeName],
  users: [UserService.typeName, AccessService.typeName, CredentialService.typeName],
  access: [AccessService.typeName, UserService.typeName],
  credentials: [CredentialService.typeName],
  audit: [],
  started: all,
  everything: all,
};

/** Type names of the services whose answers may be old now. */
export function servicesChangedBy(kinds: readonly ChangedKind[]): ReadonlySet<string> {
  return new Set(kinds.flatMap((kind) => reach[kind]));
}

/** Name of the service that a cached question belongs to, by its key. */
export function serviceOf(queryKey: readonly unknown[]): string | undefined {
  const [, part] = queryKey;
  if (typeof part !== 'object' || part === null || !('serviceName' in part)) return undefined;
  return typeof part.serviceName === 'string' ? part.serviceName : undefined;
}
