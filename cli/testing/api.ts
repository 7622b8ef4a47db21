/**
 * The admin API in memory, over the real wire: what tests of the command line put in it and what it was asked. It checks tokens as the gateway does, by
 * the identity provider's keys; it holds no rule of the product beyond what a test sets.
 */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter, type Interceptor } from '@connectrpc/connect';
import { errorCatalogue, type ErrorCode } from '@clustral/schemas/errors.ts';
import type { AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { AuditEventSchema, AuditService, type AuditEvent } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import {
  ClusterSchema,
  ClusterService,
  ClusterStatus,
  type Cluster,
} from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';
import { RoleSchema, RoleService, type Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import {
  AccessSchema,
  AssignmentSchema,
  ClusterAccessSource,
  UserSchema,
  UserService,
  type Access,
  type Assignment,
  type User,
} from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { positionHeader } from '@clustral/schemas/tokens.ts';

export type Call = { readonly method: string; readonly token: string; readonly position: string | null };

export type ApiState = {
  clusters: Cluster[];
  roles: Role[];
  users: User[];
  assignments: Assignment[];
  access: Access[];
  requests: AccessRequest[];
  events: AuditEvent[];
  issued: { id: string; clusterId: string; ttl: string }[];
  revoked: string[];
  calls: Call[];
  /** Life of issued credentials. */
  credentialSeconds: number;
  version: string;
  minimumCliVersion: string;
  /** Throws to refuse a call. */
  refuse: (method: string) => void;
};

export const clusterId = '0198f7a0-0000-7000-8000-000000000001';
export const roleId = '0198f7a0-0000-7000-8000-000000000002';
export const userId = '0198f7a0-0000-7000-8000-000000000003';

/** One cluster, one role, one person who has it. */
export function exampleState(): ApiState {
  const registeredAt = timestampFromDate(new Date(Date.now() - 3 * 86_400_000));
  return {
    clusters: [
      create(ClusterSchema, {
        id: clusterId,
        name: 'prod',
        status: ClusterStatus.CONNECTED,
        kubernetesVersion: 'v1.33.1',
        agentVersion: '0.1.0',
        labels: { env: 'prod' },
        registeredAt,
      }),
    ],
    roles: [create(RoleSchema, { id: roleId, name: 'k8s-viewer', k8sGroups: ['clustral:viewers'] })],
    users: [
      create(UserSchema, {
        id: userId,
        email: 'dev@clustral.local',
        name: 'Dev User',
        preferredUsername: 'dev',
        roles: ['clustral-user'],
      }),
    ],
    assignments: [],
    access: [
      create(AccessSchema, {
        clusterId,
        clusterName: 'prod',
        roleId,
        roleName: 'k8s-viewer',
        source: ClusterAccessSource.ASSIGNMENT,
      }),
    ],
    requests: [],
    events: [
      create(AuditEventSchema, {
        uid: 'e-1',
        event: 'proxy.request',
        code: 'CPR001I',
        severity: 'Info',
        user: 'dev@clustral.local',
        clusterName: 'prod',
        message: 'GET /api/v1/pods',
        time: timestampFromDate(new Date('2026-04-01T08:00:00Z')),
      }),
    ],
    issued: [],
    revoked: [],
    calls: [],
    credentialSeconds: 28_800,
    version: '0.1.0',
    minimumCliVersion: '0.1.0',
    refuse: () => undefined,
  };
}

/** A refusal as the control plane sends it. */
export function refusal(code: ErrorCode, message: string): ConnectError {
  const name = errorCatalogue[code].connect.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
  const value = create(ErrorInfoSchema, {
    code,
    help: `https://docs.example/errors/${code.toLowerCase().replaceAll('_', '-')}`,
    correlationId: 'c0ffee',
  });
  return new ConnectError(message, Code[name as keyof typeof Code], {}, [{ desc: ErrorInfoSchema, value }]);
}

/** Lets nobody in without a token that `verify` takes, and writes down every call. */
export function guard(state: ApiState, verify: (token: string) => Promise<void>): Interceptor {
  return (next) => async (request) => {
    const token = request.header.get('authorization')?.replace(/^Bearer /, '') ?? '';
    state.calls.push({ method: request.method.name, token, position: request.header.get(positionHeader) });
    const mayAnybody = token === '' && request.method.name === 'GetVersion';
    if (!mayAnybody)
      await verify(token).catch(() => {
        throw refusal('INVALID_TOKEN', 'The token is not valid.');
      });
    state.refuse(request.method.name);
    return next(request);
  };
}

/** The services over the state. */
export function exampleApi(state: ApiState): (router: ConnectRouter) => void {
  return (router) => {
    router.service(SystemService, {
      getVersion: () => ({ version: state.version, minimumCliVersion: state.minimumCliVersion }),
    });
    router.service(ClusterService, {
      listClusters: ({ name }) => ({ clusters: state.clusters.filter((one) => name === '' || one.name === name) }),
      getCluster: ({ id }) => state.clusters.find((one) => one.id === id) ?? missing('CLUSTER_NOT_FOUND', 'cluster'),
      registerCluster: ({ name }, context) => {
        context.responseHeader.set(positionHeader, '4711');
        state.clusters.push(create(ClusterSchema, { id: crypto.randomUUID(), name }));
        return { clusterId: state.clusters.at(-1)?.id ?? '', bootstrapToken: 'cbt1.example.token' };
      },
    });
    router.service(RoleService, {
      listRoles: ({ name }) => ({ roles: state.roles.filter((one) => name === '' || one.name === name) }),
      createRole: ({ $typeName: _type, review, ...given }, context) => {
        context.responseHeader.set(positionHeader, '4712');
        const role = create(RoleSchema, { id: crypto.randomUUID(), ...given, ...(review ? { review } : {}) });
        state.roles.push(role);
        return role;
      },
      updateRole: ({ $typeName: _type, review, ...given }) => {
        const role = state.roles.find(({ id }) => id === given.id) ?? missing('ROLE_NOT_FOUND', 'role');
        return Object.assign(role, { ...given, ...(review ? { review } : {}) });
      },
    });
    router.service(UserService, {
      getMe: () => ({ user: state.users[0] ?? create(UserSchema), access: state.access }),
      listUsers: ({ name }) => ({
        users: state.users.filter((one) => name === '' || [one.email, one.preferredUsername].includes(name)),
      }),
      listAssignments: () => ({ assignments: state.assignments }),
      assignRole: (wanted) => {
        const { userId: user, clusterId: cluster, roleId: role } = wanted;
        const assignment = create(AssignmentSchema, {
          id: crypto.randomUUID(),
          userId: user,
          clusterId: cluster,
          roleId: role,
          roleName: state.roles.find(({ id }) => id === role)?.name ?? '',
        });
        state.assignments.push(assignment);
        return assignment;
      },
      unassignRole: ({ assignmentId }) => {
        state.assignments = state.assignments.filter(({ id }) => id !== assignmentId);
        return {};
      },
    });
    exampleCredentials(router, state);
    exampleAudit(router, state);
  };
}

function missing(code: ErrorCode, what: string): never {
  throw refusal(code, `There is no such ${what}.`);
}

function exampleCredentials(router: ConnectRouter, state: ApiState): void {
  router.service(CredentialService, {
    issueCredential: ({ clusterId: cluster, ttl }) => {
      const id = crypto.randomUUID();
      state.issued.push({ id, clusterId: cluster, ttl });
      const expiresAt = timestampFromDate(new Date(Date.now() + state.credentialSeconds * 1000));
      return { credentialId: id, token: `token-of-${id}`, expiresAt, hasRole: state.access.length > 0 };
    },
    revokeCredential: ({ id }) => {
      state.revoked.push(id);
      return { credentialId: id };
    },
  });
}

function exampleAudit(router: ConnectRouter, state: ApiState): void {
  router.service(AuditService, {
    listAuditEvents: ({ pageSize = 50, pageToken }) => {
      const from = Number(pageToken);
      const end = from + pageSize;
      return {
        events: state.events.slice(from, end),
        nextPageToken: state.events.length > end ? String(end) : '',
        total: state.events.length,
      };
    },
  });
}
