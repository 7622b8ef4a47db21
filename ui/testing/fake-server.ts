/** The API as a component test needs it: answers out of the samples, or nothing, or a refusal. */
import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createRouterTransport, type ConnectRouter, type Transport } from '@connectrpc/connect';
import type { ErrorCode } from '@clustral/schemas/errors.ts';
import {
  AccessService,
  ListAccessRequestsResponseSchema,
  type ListAccessRequestsRequest,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { AuditService, ListAuditEventsResponseSchema } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import {
  ClusterSchema,
  ClusterService,
  ListClustersResponseSchema,
  RegisterClusterResponseSchema,
} from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { CredentialService, ListCredentialsResponseSchema } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';
import { ListRolesResponseSchema, RoleSchema, RoleService } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import {
  ListAssignmentsResponseSchema,
  ListUsersResponseSchema,
  MeSchema,
  UserService,
  type Me,
} from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { events } from './sample-events.ts';
import * as samples from './samples.ts';

/** How the server answers: with everything, with nothing made yet, not at all, with a fault, or refusing the caller. */
export type Mood = 'full' | 'empty' | 'silent' | 'broken' | 'forbidding';

export type FakeServer = {
  readonly transport: Transport;
  mood: Mood;
  me: Me;
  /** Thrown by the next command instead of an answer. */
  refusal: ConnectError | undefined;
  /** Commands that arrived, by method. */
  readonly commands: { readonly method: string; readonly input: object }[];
};

/** A refusal as the server words it. */
export function refusal(code: ErrorCode, message: string, field = ''): ConnectError {
  const value = { code, field, correlationId: '4c2e8b9f5a314d21b6e7c8d9a0f1b2c3' };
  return new ConnectError(message, Code.FailedPrecondition, undefined, [{ desc: ErrorInfoSchema, value }]);
}

export function fakeServer(me: Me): FakeServer {
  const server: Omit<FakeServer, 'transport'> & { transport?: Transport } = {
    mood: 'full',
    me,
    refusal: undefined,
    commands: [],
  };
  const read = async <D extends DescMessage>(schema: D, full: () => MessageShape<D>): Promise<MessageShape<D>> => {
    if (server.mood === 'silent') return new Promise<never>(() => undefined);
    if (server.mood === 'broken') throw refusal('INTERNAL_ERROR', 'Something went wrong that nobody foresaw.');
    if (server.mood === 'forbidding') throw refusal('FORBIDDEN', 'Only administrators and auditors may read this.');
    return server.mood === 'empty' ? create(schema) : full();
  };
  const command = async <T>(method: string, input: object, answer: () => T): Promise<T> => {
    server.commands.push({ method, input });
    if (server.refusal) throw server.refusal;
    return answer();
  };
  server.transport = routes({ server, read, command });
  return server as FakeServer;
}

type Means = {
  readonly server: { readonly me: Me };
  readonly read: <D extends DescMessage>(schema: D, full: () => MessageShape<D>) => Promise<MessageShape<D>>;
  readonly command: <T>(method: string, input: object, answer: () => T) => Promise<T>;
};

function requestsFor(asked: ListAccessRequestsRequest, me: Me) {
  return samples.requests.filter(
    (one) =>
      (asked.status === 0 || one.status === asked.status) &&
      (asked.clusterId === '' || one.clusterId === asked.clusterId) &&
      (asked.requesterId === '' || one.requesterId === asked.requesterId) &&
      (!asked.toDecide || (one.status === 1 && one.requesterId !== me.user?.id)),
  );
}

function routes(means: Means): Transport {
  return createRouterTransport((router) => {
    routeClusters(router, means);
    routePeople(router, means);
    routeAccess(router, means);
    routeAudit(router, means);
  });
}

const named = <T extends { readonly name: string }>(items: readonly T[], name: string): T[] =>
  items.filter((item) => name === '' || item.name === name);

function routeClusters({ service }: ConnectRouter, { read, command }: Means): void {
  service(ClusterService, {
    listClusters: ({ name }) =>
      read(ListClustersResponseSchema, () =>
        create(ListClustersResponseSchema, { clusters: named(samples.clusters, name) }),
      ),
    getCluster: ({ id }) =>
      read(ListClustersResponseSchema, () => create(ListClustersResponseSchema)).then(
        () => samples.clusters.find((one) => one.id === id) ?? samples.clusters.at(-1) ?? {},
      ),
    registerCluster: (input) =>
      command('registerCluster', input, () =>
        create(RegisterClusterResponseSchema, {
          clusterId: samples.clusters.at(-1)?.id ?? '',
          bootstrapToken: 'clustral-bootstrap.v1.c2VjcmV0',
          bootstrapTokenExpiresAt: samples.requests[0]?.expiresAt,
        }),
      ),
    updateCluster: (input) => command('updateCluster', input, () => create(ClusterSchema, { name: input.name ?? '' })),
    deleteCluster: (input) => command('deleteCluster', input, () => ({})),
    revokeAgent: (input) => command('revokeAgent', input, () => samples.clusters[0] ?? {}),
  });
  service(RoleService, {
    listRoles: ({ name }) =>
      read(ListRolesResponseSchema, () => create(ListRolesResponseSchema, { roles: named(samples.roles, name) })),
    createRole: (input) => command('createRole', input, () => create(RoleSchema, { name: input.name })),
    updateRole: (input) => command('updateRole', input, () => create(RoleSchema, { name: input.name })),
  });
}

function routePeople({ service }: ConnectRouter, { read, server }: Means): void {
  service(UserService, {
    getMe: () =>
      read(MeSchema, () => server.me).then((me) =>
        me.user ? me : create(MeSchema, server.me.user ? { user: server.me.user } : {}),
      ),
    listUsers: () =>
      read(ListUsersResponseSchema, () => create(ListUsersResponseSchema, { users: samples.users.slice() })),
    listAssignments: () =>
      read(ListAssignmentsResponseSchema, () =>
        create(ListAssignmentsResponseSchema, { assignments: samples.assignments.slice() }),
      ),
  });
  service(CredentialService, {
    listCredentials: ({ clusterId, userId }) =>
      read(ListCredentialsResponseSchema, () =>
        create(ListCredentialsResponseSchema, {
          credentials: samples.credentials.filter(
            (one) => (clusterId === '' || one.clusterId === clusterId) && (userId === '' || one.userId === userId),
          ),
        }),
      ),
  });
}

function routeAccess({ service }: ConnectRouter, { read, command, server }: Means): void {
  service(AccessService, {
    listAccessRequests: (asked) =>
      read(ListAccessRequestsResponseSchema, () =>
        create(ListAccessRequestsResponseSchema, { requests: requestsFor(asked, server.me) }),
      ),
    getAccessRequest: ({ id }) =>
      read(ListAccessRequestsResponseSchema, () => create(ListAccessRequestsResponseSchema)).then(
        () =>
          samples.requests.find((one) => one.id === id) ??
          Promise.reject(refusal('REQUEST_NOT_FOUND', 'There is no such request.')),
      ),
    requestAccess: (input) => command('requestAccess', input, () => samples.requests[0] ?? {}),
    approveAccessRequest: (input) => command('approveAccessRequest', input, () => samples.requests[2] ?? {}),
    denyAccessRequest: (input) => command('denyAccessRequest', input, () => samples.requests[4] ?? {}),
    revokeAccessRequest: (input) => command('revokeAccessRequest', input, () => samples.requests[2] ?? {}),
  });
}

function routeAudit({ service }: ConnectRouter, { read }: Means): void {
  service(AuditService, {
    listAuditEvents: ({ text, from }) =>
      read(ListAuditEventsResponseSchema, () => {
        const found = events.filter(
          ({ message, time }) =>
            text.split(' ').every((word) => message.includes(word)) &&
            (from === undefined || (time?.seconds ?? 0n) >= from.seconds),
        );
        return create(ListAuditEventsResponseSchema, { events: found, total: text === '' ? 3_204 : found.length });
      }),
    getAuditEvent: ({ uid }) =>
      read(ListAuditEventsResponseSchema, () => create(ListAuditEventsResponseSchema)).then(
        () => events.find((one) => one.uid === uid) ?? {},
      ),
  });
}
