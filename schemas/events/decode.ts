/**
 * From a stored fact to one of the union: type known, schema version known, and every field that a reader relies on there
 * and of its kind. What does not fit is never guessed at and never skipped: whoever reads it stops (ES-04). Fields that are
 * not named here are let through, because facts are versioned by addition.
 */
import { isFactType, type AnyFact, type FactType } from './catalogue.ts';
import type { Recorded } from './envelope.ts';

/** The newest version of every fact's data that this build reads. */
export const newestSchemaVersion = 1;

/** A stored fact that this build cannot read: written by a newer build, or damaged. */
export class UndecodableFact extends Error {
  constructor(fact: Pick<Recorded, 'stream' | 'revision' | 'type'>, problem: string) {
    super(`fact ${fact.revision} of ${fact.stream} (${fact.type}) cannot be read: ${problem}`);
    this.name = 'UndecodableFact';
  }
}

/** The same fact with its type known. Throws `UndecodableFact`. */
export function decodeFact(fact: Recorded): Recorded<AnyFact> {
  if (!isFactType(fact.type)) throw new UndecodableFact(fact, 'this build does not know its type');
  const { schemaVersion } = fact.metadata ?? {};
  if (typeof schemaVersion === 'number' && schemaVersion > newestSchemaVersion) {
    throw new UndecodableFact(fact, `its schema version is ${schemaVersion}, this build reads ${newestSchemaVersion}`);
  }
  const misfit = pathOf('metadata', metadataCheck(fact.metadata)) ?? pathOf('data', checks[fact.type](fact.data));
  if (misfit !== undefined) throw new UndecodableFact(fact, `${misfit} is missing or of another kind`);
  return fact as Recorded<AnyFact>;
}

const pathOf = (name: string, misfit: string | undefined): string | undefined =>
  misfit === '' ? name : misfit && `${name}.${misfit}`;

/** Undefined when the value fits, else the path from it to what does not, empty for the value itself. */
type Check = (value: unknown) => string | undefined;
type Shape = Readonly<Record<string, Check>>;

const kind =
  (fits: (value: unknown) => boolean): Check =>
  (value) =>
    fits(value) ? undefined : '';
const text = kind((value) => typeof value === 'string');
const textOrNull = kind((value) => value === null || typeof value === 'string');
const number = kind((value) => typeof value === 'number');
const numberOrNull = kind((value) => value === null || typeof value === 'number');
const flag = kind((value) => typeof value === 'boolean');
const texts = kind((value) => Array.isArray(value) && value.every((item) => typeof item === 'string'));
const instant = kind((value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)));
const instantOrNull: Check = (value) => (value === null ? undefined : instant(value));
const labels = kind((value) => isRecord(value) && Object.values(value).every((item) => typeof item === 'string'));
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);

/** An object whose named fields fit. */
function record(shape: Shape): Check {
  const checks = Object.entries(shape);
  return (value) => {
    if (!isRecord(value)) return '';
    for (const [name, check] of checks) {
      const misfit = pathOf(name, check(value[name]));
      if (misfit !== undefined) return misfit;
    }
    return undefined;
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const metadataCheck = record({
  schemaVersion: number,
  actor: record({ kind: text, id: text }),
  epoch: number,
  $correlationId: text,
});

const cluster: Shape = { clusterId: text };
const clusterContent: Shape = { clusterId: text, name: text, description: text, labels };
const certificate = record({ fingerprint: text, serialNumber: text, notAfter: instant });
const review = optional(
  record({
    approvals: number,
    reviewerGroups: texts,
    reviewerIds: texts,
    maxSeconds: numberOrNull,
    isReasonRequired: flag,
    ticketForms: texts,
  }),
);
const role: Shape = { roleId: text, name: text, description: text, k8sGroups: texts, review };
const pair: Shape = { userId: text, clusterId: text };
const assignment: Shape = { ...pair, assignmentId: text, roleId: text };
const request: Shape = { ...pair, accessRequestId: text };
const reviewed: Shape = {
  ...request,
  roleId: text,
  roleRevision: number,
  reviewerId: text,
  shownAt: optional(instant),
};
const claims = record({
  issuer: text,
  subject: text,
  email: textOrNull,
  emailVerified: flag,
  preferredUsername: textOrNull,
  name: textOrNull,
  roles: texts,
  groups: texts,
});
const kubernetesRequest = record({
  method: text,
  path: text,
  verb: text,
  resource: textOrNull,
  namespace: textOrNull,
  container: optional(text),
  command: optional(texts),
});
const outcome = record({ status: numberOrNull, durationMs: number, end: text, errorCode: textOrNull });

const repeats = optional(record({ requestIds: texts, until: instant }));

const phases = kind((value) => value === 'started' || value === 'ended' || value === 'outcome_unknown');
// Only an end has an outcome, and it must have one.
const ending: Check = (value) => {
  if (!isRecord(value) || value['phase'] !== 'ended') return undefined;
  return pathOf('outcome', outcome(value['outcome'])) ?? pathOf('repeats', repeats(value['repeats']));
};
const proxyRequest = record({
  requestId: text,
  clusterId: text,
  userId: text,
  userRevision: number,
  roleId: text,
  roleRevision: number,
  accessRequestId: textOrNull,
  credentialId: text,
  request: kubernetesRequest,
  strict: flag,
  phase: phases,
  startedAt: instant,
});

const checks: Readonly<Record<FactType, Check>> = {
  'cluster.registered': record(clusterContent),
  'cluster.updated': record(clusterContent),
  'cluster.bootstrap_token_issued': record({ ...cluster, token: record({ hash: text, expiresAt: instant }) }),
  'cluster.agent_enrolled': record({ ...cluster, tokenVersion: number, certificate }),
  'cluster.agent_renewed': record({ ...cluster, tokenVersion: number, certificate: optional(certificate) }),
  'cluster.agent_revoked': record({ ...cluster, tokenVersion: number }),
  'cluster.connected': record({ ...cluster, agentVersion: text, kubernetesVersion: text }),
  'cluster.disconnected': record({ ...cluster, reason: text }),
  'cluster.deleted': record({ ...cluster, name: text }),
  'role.created': record(role),
  'role.updated': record(role),
  'role.deleted': record({ roleId: text, name: text }),
  'user.synced': record({
    userId: text,
    claims,
    kubernetesName: textOrNull,
    nameClass: text,
    signedInAt: instantOrNull,
  }),
  'user.disabled': record({ userId: text }),
  'user.enabled': record({ userId: text }),
  'user.role_assigned': record(assignment),
  'user.role_unassigned': record(assignment),
  'access_request.created': record({
    ...request,
    roleId: text,
    roleRevision: number,
    reason: text,
    durationSeconds: number,
    startsAt: instantOrNull,
    extends: textOrNull,
    suggestedReviewerEmails: texts,
    expiresAt: instant,
    review,
  }),
  'access_request.approval_given': record({ ...reviewed, durationSeconds: number }),
  'access_request.approved': record({
    ...reviewed,
    approverIds: optional(texts),
    durationSeconds: number,
    grantStartsAt: instant,
    grantExpiresAt: instant,
  }),
  'access_request.denied': record({ ...reviewed, reason: text }),
  'access_request.revoked': record({ ...request, reason: text }),
  'access_request.expired': record({ ...request, expiredAt: instant }),
  'access_request.withdrawn': record(request),
  'credential.issued': record({
    ...pair,
    credentialId: text,
    keyId: text,
    issuedAtSeconds: number,
    expiresAtSeconds: number,
  }),
  'credential.revoked': record({ ...pair, credentialId: text, reason: text }),
  'credential.revoke_denied': record({ credentialId: text, reason: text }),
  'credential.issue_failed': record({ ...pair, credentialId: text, reason: text }),
  'proxy.request': (value) => proxyRequest(value) ?? ending(value),
  'proxy.access_denied': record({
    requestId: text,
    clusterId: textOrNull,
    userId: textOrNull,
    credentialId: textOrNull,
    errorCode: text,
    status: number,
    method: text,
    path: text,
    count: number,
  }),
  'proxy.gap': record({ clusterId: textOrNull, from: instant, to: instant, reason: text }),
  'proxy.day_closed': record({ clusterId: textOrNull, day: text, count: number, sha256: text }),
  'proxy.day_deleted': record({ clusterId: textOrNull, day: text, count: number, sha256: text, keepSeconds: number }),
  'agent.auth_failed': record({ clusterId: textOrNull, reason: text, method: text, count: number }),
  'control_plane.took_over': record({ epoch: number, holder: text }),
};
