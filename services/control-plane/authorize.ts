/**
 * Decides whether a kubectl request may go out, and as whom. Pure: it reads the policy fold as it is, the claims of the
 * verified internal token, the cluster of the path and the time, and nothing else. The rule it lives by: whatever is
 * not found is a no, and every no is one sentence that says what to do.
 */
import { displayName } from '@clustral/schemas/events/person.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { isUuid, type ClusterId, type CredentialId, type UserId } from '@clustral/schemas/ids.ts';
import type { InternalClaims } from '@clustral/schemas/tokens.ts';
import type { KnownCredential } from './domain/credential.ts';
import { foldName } from './domain/kubernetes-name.ts';
import { clusterExists, standingOf, type Standing } from './domain/standing.ts';
import { usableName, type KnownUser } from './domain/user.ts';
import type { Impersonation, Policy } from './ports.ts';

/** What the decision reads. */
export type AuthorizeView = Pick<
  Policy,
  'user' | 'cluster' | 'role' | 'access' | 'credential' | 'userByKubernetesName'
>;

/** Who asks, by the internal token of a kubeconfig credential, and for which cluster, by the path. */
export type AuthorizeRequest = { readonly claims: InternalClaims; readonly clusterId: ClusterId };

/**
 * The name and groups of the request. Throws a `Refusal`: `INVALID_TOKEN`, `CREDENTIAL_REVOKED`, `CREDENTIAL_EXPIRED`,
 * `FORBIDDEN`, `CLUSTER_MISMATCH`, `RESERVED_USER_NAME`, `USER_NAME_TAKEN`, `NO_ROLE_ASSIGNMENT`, and
 * `STORE_UNAVAILABLE` for a subject whose facts cannot be read. The caller has asked `assertFresh` before.
 */
export function authorize(view: AuthorizeView, { claims, clusterId }: AuthorizeRequest, now: Date): Impersonation {
  const credential = credentialOf(view, claims);
  const user = userOf(view, credential);
  refuseDead({ view, credential, user, now });
  if (credential.clusterId !== clusterId) throw mismatch(view, credential);
  const name = usableName(
    user,
    user.kubernetesName === null ? [] : view.userByKubernetesName(foldName(user.kubernetesName)),
  );
  const standing = standingOf(view, { userId: user.userId, clusterId }, now);
  if (!standing) throw noRole(view, user, clusterId);
  return {
    user: name,
    groups: standing.role.k8sGroups,
    notAfter: new Date(Math.min(credential.expiresAtSeconds * 1000, endOf(standing))),
    basis: {
      userId: user.userId,
      userRevision: user.revision,
      roleId: standing.role.roleId,
      roleRevision: standing.role.revision,
      accessRequestId: standing.source === 'grant' ? standing.grant.accessRequestId : null,
      credentialId: credential.credentialId,
    },
  };
}

const endOf = (standing: Standing): number =>
  standing.source === 'grant' ? standing.grant.expiresAt.getTime() : Number.POSITIVE_INFINITY;

function credentialOf(view: AuthorizeView, claims: InternalClaims): KnownCredential {
  const { kind, sub, cluster_id: tokenClusterId, credential_id: id } = claims;
  if (kind !== 'internal' || id === undefined || tokenClusterId === undefined || !isUuid(id)) {
    throw new Refusal(
      'INVALID_TOKEN',
      "Only a kubeconfig credential is taken here. Run 'clustral kube login' for the cluster.",
    );
  }
  const credential = view.credential(id.toLowerCase() as CredentialId);
  if (credential === undefined || credential.status === 'absent') throw revoked(id, 'is not known here');
  // Nobody signs such a token but us, so a record that differs from it is as good as none (ID-05).
  if (credential.userId !== sub || credential.clusterId !== tokenClusterId.toLowerCase())
    throw revoked(id, 'is not known here');
  return credential;
}

function userOf(view: AuthorizeView, { userId, credentialId }: KnownCredential): KnownUser {
  const user = view.user(userId);
  if (user === undefined || user.status === 'absent')
    throw revoked(credentialId, 'belongs to nobody who is known here');
  return user;
}

type Question = {
  readonly view: AuthorizeView;
  readonly credential: KnownCredential;
  readonly user: KnownUser;
  readonly now: Date;
};

function refuseDead({ view, credential, user, now }: Question): void {
  const { credentialId } = credential;
  // First, because the explicit facts that follow from disabling come later and must not change the answer (D32).
  if (user.status === 'disabled') throw disabled(user.userId);
  if (credential.status === 'revoked') {
    throw revoked(credentialId, `was revoked at ${credential.revokedAt.toISOString()}`);
  }
  if (credential.position <= user.endedBefore) throw revoked(credentialId, 'ended when its owner was disabled');
  if (!clusterExists(view.cluster(credential.clusterId))) throw revoked(credentialId, 'ended with its cluster');
  const expiresAt = new Date(credential.expiresAtSeconds * 1000);
  if (expiresAt > now) return;
  throw new Refusal(
    'CREDENTIAL_EXPIRED',
    `The credential expired at ${expiresAt.toISOString()}. Run 'clustral kube login' again.`,
    { credentialId, expiredAt: expiresAt.toISOString() },
  );
}

const revoked = (credentialId: string, what: string): Refusal =>
  new Refusal('CREDENTIAL_REVOKED', `The credential ${what}. Run 'clustral kube login' again.`, { credentialId });

/** The refusal for a person who was disabled. */
export const disabled = (userId: UserId): Refusal =>
  new Refusal('FORBIDDEN', 'An administrator has disabled your account. Ask them to enable it again.', { userId });

function mismatch(view: AuthorizeView, { clusterId: tokenClusterId }: KnownCredential): Refusal {
  return new Refusal(
    'CLUSTER_MISMATCH',
    `This credential is for cluster '${clusterName(view, tokenClusterId)}' and not for the one in the path. Run 'clustral kube login' for the cluster you mean.`,
    { tokenClusterId },
  );
}

function noRole(view: AuthorizeView, user: KnownUser, clusterId: ClusterId): Refusal {
  const shown = displayName(user.claims);
  const name = clusterName(view, clusterId);
  return new Refusal(
    'NO_ROLE_ASSIGNMENT',
    `${shown} has no active role on cluster '${name}'. Ask an administrator for a role, or request access with 'clustral access request ${name} --role <role>'.`,
    { user: shown, clusterName: name, clusterId },
  );
}

function clusterName(view: AuthorizeView, id: ClusterId): string {
  const cluster = view.cluster(id);
  return cluster === undefined || cluster.status === 'absent' ? id : cluster.name;
}
