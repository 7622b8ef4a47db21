/** The audit log of the sample installation. */
import { create } from '@bufbuild/protobuf';
import { AuditEventSchema, type AuditEvent } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { ago, id, minute, people, production } from './samples.ts';

type EventLine = readonly [
  code: string,
  event: string,
  category: string,
  severity: string,
  who: string,
  message: string,
];

const lines: readonly EventLine[] = [
  [
    'CAR001I',
    'access_request.created',
    'access_requests',
    'Info',
    people.bob.email,
    'bob@corp.example asked for k8s-admin on prod-eu for 2h',
  ],
  ['CPR001I', 'proxy.request', 'proxy', 'Info', people.bob.email, 'GET pods in namespace checkout: 200'],
  [
    'CPR001I',
    'proxy.request',
    'proxy',
    'Warning',
    people.bob.email,
    'DELETE deployments/payments in namespace checkout: 403',
  ],
  [
    'CPR002W',
    'proxy.access_denied',
    'proxy',
    'Warning',
    'erin@corp.example',
    'No role on cluster prod-eu for erin@corp.example',
  ],
  [
    'CCR001I',
    'credential.issued',
    'credentials',
    'Info',
    people.bob.email,
    'Credential for prod-us issued until 14:46',
  ],
  [
    'CAR002I',
    'access_request.approved',
    'access_requests',
    'Info',
    people.alice.email,
    'alice@corp.example approved k8s-deployer on prod-us for bob@corp.example',
  ],
  ['CCL003W', 'cluster.disconnected', 'clusters', 'Warning', '', 'Cluster data-lake lost its agent'],
  ['CRL002I', 'role.updated', 'roles', 'Info', people.alice.email, 'Role k8s-admin changed: groups system:masters'],
  [
    'CUA002I',
    'user.role_assigned',
    'auth',
    'Info',
    people.alice.email,
    'k8s-viewer on build assigned to bob@corp.example',
  ],
  ['CAG001W', 'agent.auth_failed', 'auth', 'Warning', '', 'An agent was refused: the bootstrap token was used already'],
];

export const events: readonly AuditEvent[] = lines.map(([code, event, category, severity, who, message], index) =>
  create(AuditEventSchema, {
    uid: id('e7e4', index + 1),
    event,
    code,
    category,
    severity,
    success: severity === 'Info',
    user: who,
    userId: who === '' ? '' : people.bob.id,
    resourceType: 'cluster',
    resourceId: production.id,
    resourceName: production.name,
    clusterName: category === 'roles' ? '' : production.name,
    clusterId: production.id,
    time: ago(index * 4 * minute + 12_000),
    receivedAt: ago(index * 4 * minute + 12_000),
    message,
    metadata: {
      verb: 'get',
      path: '/api/v1/namespaces/checkout/pods',
      status: 200,
      source: '203.0.113.7',
      userAgent: 'kubectl/v1.35.1 (linux/amd64)',
      accessRequestId: id('4e90', 3),
    },
    correlationId: '4c2e8b9f5a314d21b6e7c8d9a0f1b2c3',
    causationId: '',
    position: String(48_211 - index),
  }),
);
