/**
 * Decodes the facts that decide who may do what. A fact that this build does not know, of a newer schema, or without a
 * field that it needs is not decoded, and whoever it is about is denied until somebody looks (ES-04): an unread fact
 * may have been a revocation. The rule it lives by: nothing is guessed, and no instant is taken that cannot be
 * compared.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { accessStream, type AccessFact } from '@clustral/schemas/events/access.ts';
import { policyPrefixes } from '@clustral/schemas/events/catalogue.ts';
import { clusterStream, type ClusterFact } from '@clustral/schemas/events/cluster.ts';
import { credentialStream, type CredentialFact } from '@clustral/schemas/events/credential.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { leaseStream, type LeaseFact } from '@clustral/schemas/events/lease.ts';
import { roleStream, type RoleFact } from '@clustral/schemas/events/role.ts';
import { userStream, type UserFact } from '@clustral/schemas/events/user.ts';

export type PolicyFact = ClusterFact | RoleFact | UserFact | AccessFact | CredentialFact | LeaseFact;

/** Version of every policy fact's data that this build reads. */
const readSchemaVersion = 1;

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isInstant: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isFlag: Check = (value) => typeof value === 'boolean';
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTextMap: Check = (value) => isObject(value) && Object.values(value).every(isText);
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const nullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const shaped =
  (shape: Shape): Check =>
  (value) =>
    isObject(value) && Object.entries(shape).every(([field, check]) => check(value[field]));

const cluster = { clusterId: isText };
const clusterContent = { ...cluster, name: isText, description: isText, labels: isTextMap };
const certificate = shaped({
  fingerprint: isText,
  serialNumber: isText,
  publicKeyHash: isText,
  certificatePem: isText,
  notAfter: isInstant,
});
const bootstrapToken = shaped({ nonce: isText, keyId: isText, caPin: isText, hash: isText, expiresAt: isInstant });
const review = maybe(
  shaped({
    approvals: isCount,
    reviewerGroups: isTexts,
    reviewerIds: isTexts,
    maxSeconds: nullOr(isCount),
    isReasonRequired: isFlag,
    ticketForms: isTexts,
  }),
);
const roleContent = { roleId: isText, name: isText, description: isText, k8sGroups: isTexts, review };
const claims = shaped({
  issuer: isText,
  subject: isText,
  email: nullOr(isText),
  emailVerified: isFlag,
  preferredUsername: nullOr(isText),
  name: nullOr(isText),
  roles: isTexts,
  groups: isTexts,
});
const pair = { userId: isText, clusterId: isText };
const assignment = { ...pair, assignmentId: isText, roleId: isText };
const request = { ...pair, accessRequestId: isText };
const requestOfRole = { ...request, roleId: isText, roleRevision: isCount };
const reviewed = { ...requestOfRole, reviewerId: isText, shownAt: maybe(isInstant) };
const credential = { credentialId: isText };

const shapes: Readonly<Record<PolicyFact['type'], Shape>> = {
  'cluster.registered': clusterContent,
  'cluster.updated': clusterContent,
  'cluster.bootstrap_token_issued': { ...cluster, token: bootstrapToken },
  'cluster.agent_enrolled': { ...cluster, tokenHash: isText, tokenVersion: isCount, certificate },
  'cluster.agent_renewed': {
    ...cluster,
    tokenVersion: isCount,
    certificate: maybe(certificate),
    tokenExpiresAt: maybe(isInstant),
  },
  'cluster.agent_revoked': { ...cluster, tokenVersion: isCount },
  'cluster.connected': {
    ...cluster,
    agentVersion: isText,
    kubernetesVersion: isText,
    certificateFingerprint: maybe(isText),
  },
  'cluster.disconnected': { ...cluster, reason: isText },
  'cluster.deleted': { ...cluster, name: isText },
  'role.created': roleContent,
  'role.updated': roleContent,
  'role.deleted': { roleId: isText, name: isText },
  'user.synced': {
    userId: isText,
    claims,
    kubernetesName: nullOr(isText),
    nameClass: oneOf('verified', 'claimed', 'subject'),
    signedInAt: nullOr(isInstant),
  },
  'user.disabled': { userId: isText },
  'user.enabled': { userId: isText },
  'user.role_assigned': assignment,
  'user.role_unassigned': assignment,
  'access_request.created': {
    ...requestOfRole,
    reason: isText,
    durationSeconds: isCount,
    startsAt: nullOr(isInstant),
    extends: nullOr(isText),
    suggestedReviewerEmails: isTexts,
    expiresAt: isInstant,
    review,
  },
  'access_request.approval_given': { ...reviewed, durationSeconds: isCount },
  'access_request.approved': {
    ...reviewed,
    approverIds: maybe(isTexts),
    durationSeconds: isCount,
    grantStartsAt: isInstant,
    grantExpiresAt: isInstant,
  },
  'access_request.denied': { ...reviewed, reason: isText },
  'access_request.revoked': { ...request, reason: isText },
  'access_request.expired': { ...request, expiredAt: isInstant },
  'access_request.withdrawn': request,
  'credential.issued': {
    ...credential,
    ...pair,
    keyId: isText,
    issuedAtSeconds: isCount,
    expiresAtSeconds: isCount,
  },
  'credential.revoked': { ...credential, ...pair, reason: isText },
  'credential.revoke_denied': { ...credential, reason: isText },
  'credential.issue_failed': { ...credential, ...pair, reason: isText },
  'control_plane.took_over': { epoch: isCount, holder: isText },
};

const isMetadata = shaped({ epoch: isCount, actor: shaped({ kind: oneOf('user', 'agent', 'service'), id: isText }) });

/** The fact as this build understands it; undefined when it does not. */
export function decodePolicyFact(fact: Recorded): Recorded<PolicyFact> | undefined {
  if (!Object.hasOwn(shapes, fact.type) || !isMetadata(fact.metadata)) return undefined;
  if (fact.metadata.schemaVersion !== readSchemaVersion) return undefined;
  const known = fact as Recorded<PolicyFact>;
  if (!shaped(shapes[known.type])(known.data)) return undefined;
  // A fact on another subject's stream would change one subject while the checks look at another.
  return streamOf(known) === fact.stream ? known : undefined;
}

function streamOf({ type, data }: PolicyFact): string {
  if (type === 'control_plane.took_over') return leaseStream;
  if ('credentialId' in data) return credentialStream(data.credentialId);
  if ('userId' in data && 'clusterId' in data) return accessStream(data.userId, data.clusterId);
  if ('userId' in data) return userStream(data.userId);
  if ('roleId' in data) return roleStream(data.roleId);
  if ('clusterId' in data) return clusterStream(data.clusterId);
  throw new Error(`fact ${type} names no subject`);
}

/** True for a stream whose facts decide who may do what. */
export const isPolicyStream = (stream: string): boolean => policyPrefixes.some((prefix) => stream.startsWith(prefix));

/** The refusal for whatever depends on a stream with a fact that this build cannot read (ES-04). */
export const unreadableStream = (stream: string): Refusal =>
  new Refusal(
    'STORE_UNAVAILABLE',
    `The log holds a fact on ${stream} that this version cannot read, so nothing is decided about it. Run the newest version, or look at that stream.`,
    { stream },
  );
