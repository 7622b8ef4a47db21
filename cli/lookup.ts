/** Names to ids: everything may be named or given by id; a near miss is answered with what was probably meant. */
import { isUuid } from '@clustral/schemas/ids.ts';
import { ClusterService, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { RoleService, type Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { UserService, type User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import type { Session } from './client.ts';
import { CliError, exitCodes } from './failure.ts';
import { didYouMean } from './text.ts';

/** The cluster of that name or id. */
export async function findCluster(session: Session, nameOrId: string): Promise<Cluster> {
  const client = session.client(ClusterService);
  if (isUuid(nameOrId)) return client.getCluster({ id: nameOrId });
  const { clusters } = await client.listClusters({ name: nameOrId });
  if (clusters[0]) return clusters[0];
  const all = await client.listClusters({ pageSize: 200 });
  throw notFound('cluster', nameOrId, { known: all.clusters.map(({ name }) => name), list: 'clustral clusters list' });
}

/** The role of that name or id. */
export async function findRole(session: Session, nameOrId: string): Promise<Role> {
  const { roles } = await session.client(RoleService).listRoles({ pageSize: 200 });
  const found = roles.find(({ id, name }) => name === nameOrId || id === nameOrId.toLowerCase());
  if (found) return found;
  throw notFound('role', nameOrId, { known: roles.map(({ name }) => name), list: 'clustral roles list' });
}

/** The person with that e-mail, user name or id. */
export async function findUser(session: Session, nameOrId: string): Promise<User> {
  const client = session.client(UserService);
  const { users } = await client.listUsers(isUuid(nameOrId) ? { pageSize: 200 } : { name: nameOrId });
  const found = users.find(({ id, email, preferredUsername }) => [id, email, preferredUsername].includes(nameOrId));
  if (found) return found;
  const all = await client.listUsers({ pageSize: 200 });
  throw notFound('person', nameOrId, {
    known: all.users.flatMap(({ email, preferredUsername }) => [email, preferredUsername]),
    list: 'clustral users list',
  });
}

function notFound(what: string, word: string, { known, list }: { known: readonly string[]; list: string }): CliError {
  const meant = didYouMean(
    word,
    known.filter((name) => name !== ''),
  );
  return new CliError(
    exitCodes.notFound,
    `there is no ${what} '${word}'`,
    meant === undefined ? list : `did you mean '${meant}'?`,
  );
}
