/** For tests: the facts that most stories need, with ids that are easy to read. */
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { ClusterFact } from '@clustral/schemas/events/cluster.ts';
import type { CredentialFact } from '@clustral/schemas/events/credential.ts';
import type { RoleFact } from '@clustral/schemas/events/role.ts';
import type { UserFact } from '@clustral/schemas/events/user.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';

const cluster = (id: string) => id as ClusterId;
const role = (id: string) => id as RoleId;
const user = (id: string) => id as UserId;

export const registered = (id: string, name = id): ClusterFact => ({
  type: 'cluster.registered',
  data: { clusterId: cluster(id), name, description: '', labels: {} },
});

export const clusterDeleted = (id: string, name = id): ClusterFact => ({
  type: 'cluster.deleted',
  data: { clusterId: cluster(id), name },
});

export const roleCreated = (id: string, name = id): RoleFact => ({
  type: 'role.created',
  data: { roleId: role(id), name, description: '', k8sGroups: ['viewers'] },
});

export const roleDeleted = (id: string, name = id): RoleFact => ({
  type: 'role.deleted',
  data: { roleId: role(id), name },
});

export const synced = (id: string, email: string | null = `${id}@corp.example`): UserFact => ({
  type: 'user.synced',
  data: {
    userId: user(id),
    claims: {
      issuer: 'https://idp.example',
      subject: id,
      email,
      emailVerified: true,
      preferredUsername: id,
      name: null,
      roles: [],
      groups: [],
    },
    kubernetesName: email,
    nameClass: 'verified',
    signedInAt: '2026-11-24T08:00:00Z',
  },
});

export const userIs = (id: string, what: 'disabled' | 'enabled'): UserFact => ({
  type: `user.${what}`,
  data: { userId: user(id) },
});

type Pair = { readonly user: string; readonly cluster: string };
const pair = (of: Pair) => ({ userId: user(of.user), clusterId: cluster(of.cluster) });

export const assigned = (assignmentId: string, of: Pair & { readonly role: string }): AccessFact => ({
  type: 'user.role_assigned',
  data: { ...pair(of), assignmentId, roleId: role(of.role) },
});

export const unassigned = (assignmentId: string, of: Pair & { readonly role: string }): AccessFact => ({
  type: 'user.role_unassigned',
  data: { ...pair(of), assignmentId, roleId: role(of.role) },
});

export const requested = (accessRequestId: string, of: Pair & { readonly role: string }): AccessFact => ({
  type: 'access_request.created',
  data: {
    ...pair(of),
    accessRequestId,
    roleId: role(of.role),
    roleRevision: 0,
    reason: 'because',
    durationSeconds: 3_600,
    startsAt: null,
    extends: null,
    suggestedReviewerEmails: [],
    expiresAt: '2026-11-24T09:00:00Z',
  },
});

export const approved = (accessRequestId: string, of: Pair & { readonly role: string }): AccessFact => ({
  type: 'access_request.approved',
  data: {
    ...pair(of),
    accessRequestId,
    roleId: role(of.role),
    roleRevision: 1,
    reviewerId: user('admin'),
    durationSeconds: 1_800,
    grantStartsAt: '2026-11-24T08:10:00Z',
    grantExpiresAt: '2026-11-24T08:40:00Z',
  },
});

export const issued = (id: string, of: Pair): CredentialFact => ({
  type: 'credential.issued',
  data: {
    ...pair(of),
    credentialId: id as CredentialId,
    keyId: 'k',
    issuedAtSeconds: 1_800_000_000,
    expiresAtSeconds: 1_800_003_600,
  },
});

export const revoked = (id: string, of: Pair, reason = 'asked for'): CredentialFact => ({
  type: 'credential.revoked',
  data: { ...pair(of), credentialId: id as CredentialId, reason },
});

export const clusterStreamOf = (id: string): string => `cluster-${id}`;
export const accessStreamOf = (of: Pair): string => `access-${of.user}.${of.cluster}`;
