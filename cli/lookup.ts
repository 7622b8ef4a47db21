/** Names to ids: everything may be named or given by id; a near miss is answered with what was probably meant. */
import { isUuid } from '@clustral/schemas/ids.ts';
import { ClusterService, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { RoleService, type Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { UserService, type User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { collect } from './paging.ts';
import type { Session } from './client.ts';
import { CliError, exitCodes } from './failure.ts';
import { didYouMean, visible } from './text.ts';

const mostSearched = 10_000;
const mostSuggested = 200;

/** The cluster of that name or id. Its id is a UUID, whoever the server is. */
export async function findCluster(session: Session, nameOrId: string): Promise<Cluster> {
  const client = session.client(ClusterService);
  if (isUuid(nameOrId)) return checked(await client.getCluster({ id: nameOrId.toLowerCase() }));
  const { clusters } = await client.listClusters({ name: nameOrId });
  if (clusters[0]) return checked(clusters[0]);
  const all = await client.listClusters({ pageSize: mostSuggested });
  throw notFound('cluster', nameOrId, { known: all.clusters.map(({ name }) => name), list: 'clustral clusters list' });
}

/** The role of that name or id. */
export async function findRole(session: Session, nameOrId: string): Promise<Role> {
  const client = session.client(RoleService);
  const { roles } = await client.listRoles({ name: nameOrId });
  if (roles[0]) return roles[0];
  const all = await collect(mostSearched, async (pageToken, pageSize) => {
    const page = await client.listRoles({ pageToken, pageSize });
    return { items: page.roles, next: page.nextPageToken };
  });
  const found = all.items.find(({ id }) => id === nameOrId.toLowerCase());
  if (found) return found;
  throw notFound('role', nameOrId, { known: all.items.map(({ name }) => name), list: 'clustral roles list' });
}

/** The person with that e-mail, user name or id. */
export async function findUser(session: Session, nameOrId: string): Promise<User> {
  const client = session.client(UserService);
  const { users } = await client.listUsers({ name: nameOrId });
  if (users.length > 1)
    throw new CliError(
      exitCodes.conflict,
      `${users.length} people are called '${visible(nameOrId)}'`,
      'use the id that clustral users list -o wide shows',
    );
  if (users[0]) return users[0];
  const all = await collect(mostSearched, async (pageToken, pageSize) => {
    const page = await client.listUsers({ pageToken, pageSize });
    return { items: page.users, next: page.nextPageToken };
  });
  const found = all.items.find(({ id }) => id === nameOrId.toLowerCase());
  if (found) return found;
  throw notFound('person', nameOrId, {
    known: all.items.flatMap(({ email, preferredUsername }) => [email, preferredUsername]),
    list: 'people are known once they have signed in: clustral users list',
  });
}

/** How a person is called in a sentence, safe for a terminal. */
export const nameOfUser = ({ email, preferredUsername, id }: User): string => visible(email || preferredUsername || id);

function checked(cluster: Cluster): Cluster {
  if (isUuid(cluster.id)) return cluster;
  throw new CliError(exitCodes.failed, 'the server named a cluster without a proper id', 'ask the operator');
}

function notFound(what: string, word: string, { known, list }: { known: readonly string[]; list: string }): CliError {
  const meant = didYouMean(
    word,
    known.filter((name) => name !== ''),
  );
  return new CliError(
    exitCodes.notFound,
    `there is no ${what} '${visible(word)}'`,
    meant === undefined ? list : `did you mean '${visible(meant)}'?`,
  );
}
