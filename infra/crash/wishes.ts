/**
 * The commands that a writer can think of, each with the facts that it must leave and with what it changes in the writer's
 * holdings when it is done. Every one of them leaves a fact, so that none can vanish unseen.
 */
import type { Body, KnownPerson, Wish } from './client.ts';
import type { Holdings } from './holdings.ts';
import type { Random } from './random.ts';

/** One command, and what becomes of it. */
export type Intent = {
  readonly wish: Wish;
  /** What the answer depends on, apart from what is new in it, and what the command changes. */
  readonly reads?: readonly string[];
  readonly changes: readonly string[];
  /** Takes the answer into the holdings; gives the ids that are new in it. */
  readonly done: (body: Body) => readonly string[];
};

export type WriterState = {
  readonly writer: KnownPerson;
  /** Gets roles and credentials; another one from time to time, because one person may hold only so many. */
  readonly holder: KnownPerson;
  readonly holdings: Holdings;
  readonly sharedRoles: readonly { readonly id: string; readonly name: string }[];
  readonly random: Random;
  /** A text that was never used before. */
  readonly fresh: (prefix: string) => string;
};

type Maker = {
  readonly weight: number;
  readonly canBe: (state: WriterState) => boolean;
  readonly make: (state: WriterState) => Intent;
};

const mostOfEach = { roles: 8, clusters: 5, credentials: 12 };
const contestedNames = ['contested-1', 'contested-2', 'contested-3'];
const contested = 0.25;
const shared = 0.25;
const groups = ['crash-viewers', 'crash-editors'];

/** Something that can be done now. */
export function nextIntent(state: WriterState): Intent {
  const possible = makers.filter(({ canBe }) => canBe(state));
  return state.random.pick(possible.flatMap((maker) => Array.from({ length: maker.weight }, () => maker))).make(state);
}

const some = <T>(random: Random, items: ReadonlyMap<string, T>): T => random.pick([...items.values()]);
/** Names what the holder may do on the cluster. */
const accessTo = (clusterId: string): string => `access to ${clusterId}`;
const assignedTo = (holdings: Holdings, roleId: string): readonly string[] =>
  [...holdings.clusters.values()]
    .filter(({ assignment }) => assignment?.roleId === roleId)
    .map(({ id }) => accessTo(id));

const plain = { allowedRefusals: [], isShared: false } as const;

function createRole({ writer, holdings, random, fresh }: WriterState): Intent {
  const isContested = random.chance(contested);
  const fields = {
    name: isContested ? random.pick(contestedNames) : fresh('role'),
    description: fresh('first'),
    k8sGroups: groups,
  };
  const allowedRefusals = isContested ? ['DUPLICATE_ROLE_NAME'] : [];
  return {
    wish: {
      ...plain,
      method: 'CreateRole',
      as: writer,
      fields,
      allowedRefusals,
      expected: [{ type: 'role.created', data: fields }],
    },
    changes: [],
    done: ({ id }) => {
      holdings.roles.set(String(id), { id: String(id), name: fields.name });
      return [String(id)];
    },
  };
}

function updateRole({ writer, holdings, random, fresh, sharedRoles }: WriterState): Intent {
  const isShared = holdings.roles.size === 0 || random.chance(shared);
  const { id, name } = isShared ? random.pick(sharedRoles) : some(random, holdings.roles);
  const content = { name, description: fresh('changed'), k8sGroups: groups };
  const expected = [{ type: 'role.updated', data: { roleId: id, ...content } }];
  return {
    wish: { ...plain, method: 'UpdateRole', as: writer, fields: { id, ...content }, expected, isShared },
    changes: [id],
    done: () => [],
  };
}

function deleteRole({ writer, holdings, random }: WriterState): Intent {
  const { id, name } = some(random, holdings.roles);
  const expected = [{ type: 'role.deleted', data: { roleId: id, name } }];
  return {
    wish: { ...plain, method: 'DeleteRole', as: writer, fields: { id }, expected },
    changes: [id, ...assignedTo(holdings, id)],
    done: () => {
      holdings.dropRole(id);
      return [];
    },
  };
}

function registerCluster({ writer, holdings, fresh }: WriterState): Intent {
  const fields = { name: fresh('cluster'), description: fresh('first'), labels: { made: 'crash' } };
  const expected = [
    { type: 'cluster.registered', data: fields },
    { type: 'cluster.bootstrap_token_issued', data: {} },
  ];
  return {
    wish: { ...plain, method: 'RegisterCluster', as: writer, fields, expected },
    changes: [],
    done: ({ clusterId }) => {
      const id = String(clusterId);
      holdings.clusters.set(id, { id, assignment: undefined });
      return [id];
    },
  };
}

function issueBootstrapToken({ writer, holdings, random }: WriterState): Intent {
  const { id } = some(random, holdings.clusters);
  const expected = [{ type: 'cluster.bootstrap_token_issued', data: { clusterId: id } }];
  return {
    wish: { ...plain, method: 'IssueBootstrapToken', as: writer, fields: { id }, expected },
    changes: [id],
    done: () => [],
  };
}

function deleteCluster({ writer, holdings, random }: WriterState): Intent {
  const { id } = some(random, holdings.clusters);
  const expected = [{ type: 'cluster.deleted', data: { clusterId: id } }];
  const credentials = [...holdings.credentials.values()].filter(({ clusterId }) => clusterId === id);
  return {
    wish: { ...plain, method: 'DeleteCluster', as: writer, fields: { id }, expected },
    changes: [id, accessTo(id), ...credentials.map((one) => one.id)],
    done: () => {
      holdings.dropCluster(id);
      return [];
    },
  };
}

function assignRole({ writer, holder, holdings, random }: WriterState): Intent {
  const cluster = some(random, holdings.clusters);
  const role = random.pick([...holdings.roles.values()].filter(({ id }) => id !== cluster.assignment?.roleId));
  const fields = { userId: holder.userId, clusterId: cluster.id, roleId: role.id };
  return {
    wish: {
      ...plain,
      method: 'AssignRole',
      as: writer,
      fields,
      expected: [{ type: 'user.role_assigned', data: fields }],
    },
    reads: [cluster.id, role.id],
    changes: [accessTo(cluster.id)],
    done: ({ id }) => {
      holdings.clusters.set(cluster.id, { ...cluster, assignment: { id: String(id), roleId: role.id } });
      return [String(id)];
    },
  };
}

const assigned = ({ holdings }: WriterState) => [...holdings.clusters.values()].filter((one) => one.assignment);

function unassignRole(state: WriterState): Intent {
  const { writer, holder, holdings, random } = state;
  const cluster = random.pick(assigned(state));
  const assignmentId = cluster.assignment?.id ?? '';
  const data = { userId: holder.userId, clusterId: cluster.id, assignmentId };
  return {
    wish: {
      ...plain,
      method: 'UnassignRole',
      as: writer,
      fields: { userId: holder.userId, assignmentId },
      expected: [{ type: 'user.role_unassigned', data }],
    },
    changes: [accessTo(cluster.id)],
    done: () => {
      holdings.clusters.set(cluster.id, { ...cluster, assignment: undefined });
      return [];
    },
  };
}

function issueCredential({ holder, holdings, random }: WriterState): Intent {
  const cluster = some(random, holdings.clusters);
  const fields = { clusterId: cluster.id, ttl: '1h' };
  const data = { userId: holder.userId, clusterId: cluster.id };
  return {
    wish: { ...plain, method: 'IssueCredential', as: holder, fields, expected: [{ type: 'credential.issued', data }] },
    // Its answer says whether there is a role now.
    reads: [accessTo(cluster.id), cluster.id],
    changes: [],
    done: ({ credentialId }) => {
      const id = String(credentialId);
      holdings.credentials.set(id, { id, clusterId: cluster.id });
      return [id];
    },
  };
}

function revokeCredential({ writer, holder, holdings, random }: WriterState): Intent {
  const { id } = some(random, holdings.credentials);
  return {
    wish: {
      ...plain,
      method: 'RevokeCredential',
      as: random.pick([writer, holder]),
      fields: { id },
      expected: [{ type: 'credential.revoked', data: { credentialId: id } }],
    },
    changes: [id],
    done: () => {
      holdings.credentials.delete(id);
      return [];
    },
  };
}

const makers: readonly Maker[] = [
  { weight: 3, canBe: ({ holdings }) => holdings.roles.size < mostOfEach.roles, make: createRole },
  { weight: 3, canBe: () => true, make: updateRole },
  { weight: 2, canBe: ({ holdings }) => holdings.roles.size > 1, make: deleteRole },
  { weight: 2, canBe: ({ holdings }) => holdings.clusters.size < mostOfEach.clusters, make: registerCluster },
  { weight: 1, canBe: ({ holdings }) => holdings.clusters.size > 0, make: issueBootstrapToken },
  { weight: 1, canBe: ({ holdings }) => holdings.clusters.size > 2, make: deleteCluster },
  { weight: 3, canBe: ({ holdings }) => holdings.clusters.size > 0 && holdings.roles.size > 1, make: assignRole },
  { weight: 2, canBe: (state) => assigned(state).length > 0, make: unassignRole },
  {
    weight: 3,
    canBe: ({ holdings }) => holdings.clusters.size > 0 && holdings.credentials.size < mostOfEach.credentials,
    make: issueCredential,
  },
  { weight: 2, canBe: ({ holdings }) => holdings.credentials.size > 0, make: revokeCredential },
];
