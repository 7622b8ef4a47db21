/**
 * A policy fold for tests, fed with facts as if they came from the log: ids, streams, revisions and positions are
 * filled in.
 */
import { accessStream } from '@clustral/schemas/events/access.ts';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import { credentialStream } from '@clustral/schemas/events/credential.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { leaseStream } from '@clustral/schemas/events/lease.ts';
import { roleStream } from '@clustral/schemas/events/role.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import {
  after,
  approved,
  claims,
  clusterId,
  credentialId,
  noon,
  recorded,
  requested,
  roleId,
  userId,
} from '../domain/fixtures.ts';
import type { PolicyFact } from '../policy-facts.ts';
import { PolicyFold, type Taken } from '../policy-fold.ts';

/** Seconds since the epoch at noon. */
export const noonSeconds = noon.getTime() / 1000;

/** The facts of a small installation, by what they say. Numbers name people, clusters, roles, credentials. */
export const facts = {
  tookOver: (epoch: number): PolicyFact => ({ type: 'control_plane.took_over', data: { epoch, holder: 'h' } }),
  cluster: (n = 1, name = 'prod'): PolicyFact => ({
    type: 'cluster.registered',
    data: { clusterId: clusterId(n), name, description: '', labels: {} },
  }),
  clusterDeleted: (n = 1): PolicyFact => ({ type: 'cluster.deleted', data: { clusterId: clusterId(n), name: 'prod' } }),
  role: (n = 1, name = 'viewer'): PolicyFact => ({
    type: 'role.created',
    data: { roleId: roleId(n), name, description: '', k8sGroups: [`group-${n}`] },
  }),
  roleDeleted: (n = 1): PolicyFact => ({ type: 'role.deleted', data: { roleId: roleId(n), name: 'viewer' } }),
  user: (
    n = 1,
    name: string | null = `user-${n}@corp.com`,
    nameClass: 'verified' | 'claimed' = 'verified',
  ): PolicyFact => ({
    type: 'user.synced',
    data: {
      userId: userId(n),
      claims: claims({ subject: `user-${n}`, email: name }),
      kubernetesName: name,
      nameClass,
      signedInAt: null,
    },
  }),
  userDisabled: (n = 1): PolicyFact => ({ type: 'user.disabled', data: { userId: userId(n) } }),
  userEnabled: (n = 1): PolicyFact => ({ type: 'user.enabled', data: { userId: userId(n) } }),
  assigned: (n = 1, role = 1, said: { cluster?: number; id?: string } = {}): PolicyFact => {
    const { cluster = 1, id = `a-${n}-${cluster}` } = said;
    return {
      type: 'user.role_assigned',
      data: { userId: userId(n), clusterId: clusterId(cluster), assignmentId: id, roleId: roleId(role) },
    };
  },
  unassigned: (n = 1, id = `a-${n}-1`): PolicyFact => ({
    type: 'user.role_unassigned',
    data: { userId: userId(n), clusterId: clusterId(), assignmentId: id, roleId: roleId() },
  }),
  requested: (id = 'r-1', { n = 1, role = 1 } = {}): PolicyFact =>
    requested(id, { userId: userId(n), roleId: roleId(role) }),
  approved: (id = 'r-1', { n = 1, role = 1, from = noon, until = after(3_600) } = {}): PolicyFact =>
    approved(id, {
      userId: userId(n),
      roleId: roleId(role),
      grantStartsAt: from.toISOString(),
      grantExpiresAt: until.toISOString(),
    }),
  granted: (said: { n?: number; role?: number; id?: string; from?: Date; until: Date }): readonly PolicyFact[] => [
    facts.requested(said.id, said),
    facts.approved(said.id, said),
  ],
  grantRevoked: (id = 'r-1', n = 1): PolicyFact => ({
    type: 'access_request.revoked',
    data: { userId: userId(n), clusterId: clusterId(), accessRequestId: id, reason: 'r' },
  }),
  issued: (n = 1, user = 1, { cluster = 1, seconds = 3_600 } = {}): PolicyFact => ({
    type: 'credential.issued',
    data: {
      credentialId: credentialId(n),
      userId: userId(user),
      clusterId: clusterId(cluster),
      keyId: 'k',
      issuedAtSeconds: noonSeconds,
      expiresAtSeconds: noonSeconds + seconds,
    },
  }),
  revoked: (n = 1, user = 1, cluster = 1): PolicyFact => ({
    type: 'credential.revoked',
    data: { credentialId: credentialId(n), userId: userId(user), clusterId: clusterId(cluster), reason: 'r' },
  }),
};

export const streamOf = ({ type, data }: PolicyFact): string => {
  if (type === 'control_plane.took_over') return leaseStream;
  if ('credentialId' in data) return credentialStream(data.credentialId);
  if ('userId' in data && 'clusterId' in data) return accessStream(data.userId, data.clusterId);
  if ('userId' in data) return userStream(data.userId);
  if ('roleId' in data) return roleStream(data.roleId);
  if ('clusterId' in data) return clusterStream(data.clusterId);
  throw new Error(`${type as string} belongs nowhere`);
};

/** A log that keeps count, and the fold of it. */
export class PolicyWorld {
  readonly fold: PolicyFold;
  readonly log: Recorded<PolicyFact>[] = [];
  readonly #revisions = new Map<string, number>();

  constructor(now: () => number = () => noon.getTime()) {
    this.fold = new PolicyFold(now);
  }

  /** Appends the facts and folds them. `change` bends a fact on its way, as a newer or a broken writer would. */
  add(
    added: readonly PolicyFact[],
    change: (fact: Recorded<PolicyFact>) => Recorded = (fact) => fact,
  ): readonly Taken[] {
    return added.map((fact) => {
      const stream = streamOf(fact);
      const revision = (this.#revisions.get(stream) ?? -1) + 1;
      this.#revisions.set(stream, revision);
      const whole = recorded(fact, { stream, revision, position: (this.log.length + 1) * 10 }) as Recorded<PolicyFact>;
      this.log.push(whole);
      return this.fold.take(change(whole));
    });
  }
}

/** The world of the given facts. */
export function worldOf(...added: readonly PolicyFact[]): PolicyWorld {
  const world = new PolicyWorld();
  world.add(added);
  return world;
}
