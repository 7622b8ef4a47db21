/** A small installation for tests: clusters, people, roles, requests and events as a real one would hold them, and one of hostile texts. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import {
  AccessRequestSchema,
  AccessRequestStatus,
  type AccessRequest,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { ClusterSchema, ClusterStatus, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { CredentialSchema, type Credential } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { RoleSchema, type Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import {
  AssignmentSchema,
  ClusterAccessSource,
  MeSchema,
  UserSchema,
  type Assignment,
  type Me,
  type User,
} from '@clustral/schemas/gen/clustral/v1/users_pb.ts';

/** The moment at which every test looks: 2026-11-20 14:05:12Z. */
export const now = Date.parse('2026-11-20T14:05:12Z');

export const minute = 60_000;
const day = 1_440 * minute;
export const ago = (ms: number): Timestamp => timestampFromMs(now - ms);
const ahead = (ms: number): Timestamp => timestampFromMs(now + ms);
export const id = (kind: string, number: number): string =>
  `01937b2c-${kind}-7222-8333-${String(number).padStart(12, '0')}`;

const cluster = (number: number, name: string, more: MessageInitShape<typeof ClusterSchema>): Cluster =>
  create(ClusterSchema, {
    id: id('c1a5', number),
    name,
    status: ClusterStatus.CONNECTED,
    registeredAt: ago(40 * day),
    lastSeenAt: ago(9_000),
    agentVersion: '0.1.0',
    kubernetesVersion: 'v1.35.1',
    certificateExpiresAt: ahead(355 * day),
    roundTripMs: 11.4,
    ...more,
  });

export const clusters: readonly Cluster[] = [
  cluster(1, 'build', {
    description: 'Runners and image builds',
    labels: { env: 'shared', team: 'platform' },
    roundTripMs: 4.2,
  }),
  cluster(2, 'data-lake', {
    description: 'Batch and analytics',
    labels: { env: 'prod', region: 'eu-west' },
    status: ClusterStatus.DISCONNECTED,
    lastSeenAt: ago(3 * 60 * minute),
    kubernetesVersion: 'v1.33.6',
    roundTripMs: 0,
    certificateExpiresAt: ahead(9 * day),
  }),
  cluster(3, 'prod-eu', {
    description: 'Customer traffic, Frankfurt',
    labels: { env: 'prod', region: 'eu-central' },
    roundTripMs: 18.6,
  }),
  cluster(4, 'prod-us', {
    description: 'Customer traffic, Ohio',
    labels: { env: 'prod', region: 'us-east' },
    roundTripMs: 96.2,
  }),
  cluster(5, 'staging', {
    description: 'What goes to production next',
    labels: { env: 'staging' },
    kubernetesVersion: 'v1.36.0',
  }),
  create(ClusterSchema, {
    id: id('c1a5', 6),
    name: 'warehouse',
    description: 'On site in Rotterdam',
    status: ClusterStatus.PENDING,
    registeredAt: ago(22 * minute),
    labels: { env: 'prod', site: 'rtm' },
  }),
];

const [, dataLake, prodEu, prodUs, staging] = clusters as [Cluster, Cluster, Cluster, Cluster, Cluster];

export const roles: readonly Role[] = [
  create(RoleSchema, {
    id: id('401e', 1),
    name: 'k8s-admin',
    description: 'Everything, whatever RBAC says',
    k8sGroups: ['system:masters'],
    createdAt: ago(40 * day),
    revision: 3n,
    review: {
      approvals: 2,
      reviewerGroups: ['sre-leads'],
      maxDuration: '4h',
      reasonRequired: true,
      ticketForms: ['OPS-#'],
    },
  }),
  create(RoleSchema, {
    id: id('401e', 2),
    name: 'k8s-deployer',
    description: 'Roll out, scale, restart',
    k8sGroups: ['clustral:deployers', 'clustral:viewers'],
    createdAt: ago(33 * day),
    revision: 1n,
  }),
  create(RoleSchema, {
    id: id('401e', 3),
    name: 'k8s-viewer',
    description: 'Read most things, change nothing',
    k8sGroups: ['clustral:viewers'],
    createdAt: ago(40 * day),
    revision: 0n,
  }),
];

const [admin, deployer, viewer] = roles as [Role, Role, Role];

const user = (number: number, login: string, more: MessageInitShape<typeof UserSchema>): User =>
  create(UserSchema, {
    id: id('05e4', number),
    email: `${login}@corp.example`,
    preferredUsername: login,
    issuer: 'https://id.corp.example/realms/clustral',
    subject: `8c1f0d6e-5a44-4f0f-9c57-${String(number).padStart(12, '0')}`,
    roles: ['clustral-user'],
    lastSignInAt: ago(number * 97 * minute),
    kubernetesName: `${login}@corp.example`,
    ...more,
  });

export const users: readonly User[] = [
  user(1, 'alice', { name: 'Alice Okafor', roles: ['clustral-admin', 'clustral-user'] }),
  user(2, 'bob', { name: 'Bob Lindqvist' }),
  user(3, 'carol', { name: 'Carol Mendes', roles: ['clustral-auditor', 'clustral-user'] }),
  user(4, 'dmitri', { name: 'Dmitri Petrov', disabled: true, lastSignInAt: ago(31 * day) }),
  user(5, 'erin', { name: 'Erin Novak', kubernetesName: '' }),
];

const [alice, bob, carol] = users as [User, User, User];
export const people = { alice, bob, carol };
export const production = prodEu;

const request = (number: number, more: MessageInitShape<typeof AccessRequestSchema>): AccessRequest =>
  create(AccessRequestSchema, {
    id: id('4e90', number),
    status: AccessRequestStatus.PENDING,
    requesterId: bob.id,
    requesterName: bob.email,
    clusterId: prodEu.id,
    clusterName: prodEu.name,
    roleId: admin.id,
    roleName: admin.name,
    roleRevision: 3n,
    currentRoleRevision: 3n,
    roleK8sGroups: admin.k8sGroups,
    reason: 'OPS-4711: checkout pods restart every few minutes since the last rollout',
    duration: '2h',
    createdAt: ago(6 * minute),
    expiresAt: ahead(54 * minute),
    shownAt: ago(0),
    ...more,
  });

const granted = {
  status: AccessRequestStatus.APPROVED,
  reviewerId: alice.id,
  reviewerName: alice.email,
} as const;

export const requests: readonly AccessRequest[] = [
  request(1, {
    review: {
      approvals: 2,
      reviewerGroups: ['sre-leads'],
      maxDuration: '4h',
      reasonRequired: true,
      ticketForms: ['OPS-#'],
    },
    approvals: [
      {
        reviewerId: carol.id,
        reviewerName: carol.email,
        approvedAt: ago(2 * minute),
        duration: '2h',
        roleRevision: 3n,
      },
    ],
  }),
  request(2, {
    requesterId: carol.id,
    requesterName: carol.email,
    clusterId: staging.id,
    clusterName: staging.name,
    roleId: deployer.id,
    roleName: deployer.name,
    roleRevision: 1n,
    currentRoleRevision: 1n,
    roleK8sGroups: deployer.k8sGroups,
    reason: 'Rehearse the migration',
    duration: '1h',
    createdAt: ago(21 * minute),
    expiresAt: ahead(39 * minute),
  }),
  request(3, {
    ...granted,
    roleId: deployer.id,
    roleName: deployer.name,
    clusterId: prodUs.id,
    clusterName: prodUs.name,
    reason: 'Roll the payment service back',
    createdAt: ago(81 * minute),
    decidedAt: ago(79 * minute),
    grantStartsAt: ago(79 * minute),
    grantExpiresAt: ahead(41 * minute),
    approvals: [{ reviewerId: alice.id, reviewerName: alice.email, approvedAt: ago(79 * minute), duration: '2h' }],
  }),
  request(4, {
    ...granted,
    requesterId: carol.id,
    requesterName: carol.email,
    roleId: viewer.id,
    roleName: viewer.name,
    duration: '30m',
    reason: 'Look at the events of the incident',
    createdAt: ago(26 * minute),
    decidedAt: ago(24 * minute),
    grantStartsAt: ago(24 * minute),
    grantExpiresAt: ahead(6 * minute),
    approvals: [{ reviewerId: alice.id, reviewerName: alice.email, approvedAt: ago(24 * minute), duration: '30m' }],
  }),
  request(5, {
    status: AccessRequestStatus.DENIED,
    reviewerId: alice.id,
    reviewerName: alice.email,
    clusterId: dataLake.id,
    clusterName: dataLake.name,
    reason: '',
    duration: '8h',
    createdAt: ago(2 * day),
    decidedAt: ago(2 * day - 9 * minute),
    endReason: 'Ask again with a ticket and for less time',
  }),
  request(6, {
    status: AccessRequestStatus.EXPIRED,
    roleId: viewer.id,
    roleName: viewer.name,
    duration: '1h',
    reason: 'Check the certificates',
    createdAt: ago(5 * day),
    endedAt: ago(5 * day - 60 * minute),
  }),
];

export const meOfBob: Me = create(MeSchema, {
  user: bob,
  access: [
    {
      clusterId: prodUs.id,
      clusterName: prodUs.name,
      source: ClusterAccessSource.GRANT,
      roleId: deployer.id,
      roleName: deployer.name,
      until: ahead(41 * minute),
    },
    {
      clusterId: staging.id,
      clusterName: staging.name,
      source: ClusterAccessSource.ASSIGNMENT,
      roleId: deployer.id,
      roleName: deployer.name,
    },
    {
      clusterId: clusters[0]?.id ?? '',
      clusterName: 'build',
      source: ClusterAccessSource.ASSIGNMENT,
      roleId: viewer.id,
      roleName: viewer.name,
    },
  ],
});

export const meOfAlice: Me = create(MeSchema, {
  user: alice,
  access: [
    {
      clusterId: prodEu.id,
      clusterName: prodEu.name,
      source: ClusterAccessSource.ASSIGNMENT,
      roleId: admin.id,
      roleName: admin.name,
    },
  ],
});

export const assignments: readonly Assignment[] = [
  create(AssignmentSchema, {
    id: id('a551', 1),
    userId: bob.id,
    clusterId: staging.id,
    clusterName: staging.name,
    roleId: deployer.id,
    roleName: deployer.name,
    assignedAt: ago(30 * day),
    assignedBy: alice.email,
  }),
  create(AssignmentSchema, {
    id: id('a551', 2),
    userId: bob.id,
    clusterId: id('c1a5', 1),
    clusterName: 'build',
    roleId: viewer.id,
    roleName: viewer.name,
    assignedAt: ago(12 * day),
    assignedBy: alice.email,
  }),
];

export const credentials: readonly Credential[] = [
  create(CredentialSchema, {
    id: id('c4ed', 1),
    userId: bob.id,
    user: bob.email,
    clusterId: prodUs.id,
    clusterName: prodUs.name,
    issuedAt: ago(70 * minute),
    expiresAt: ahead(41 * minute),
  }),
  create(CredentialSchema, {
    id: id('c4ed', 2),
    userId: bob.id,
    user: bob.email,
    clusterId: staging.id,
    clusterName: staging.name,
    issuedAt: ago(190 * minute),
    expiresAt: ahead(290 * minute),
  }),
];

/** Texts that try to be something else. */
export const hostile = {
  script: `"><img src=x onerror="window.evil=1"><script>window.evil=1</script>`,
  direction: 'gro.elpmaxe@\u202enimda\u202c',
  zeroWidth: 'ali\u200bce',
  template: '{{7*7}} ${7*7} <%= 7*7 %>',
  link: 'javascript:alert(1)',
};
