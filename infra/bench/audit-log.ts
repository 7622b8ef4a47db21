/**
 * A log as an installation of some size would have after ninety days, told fact by fact and the same each time: few kinds of
 * things that happen all the time, and a few that are rare. It is never held as a whole.
 */
import { createHash } from 'node:crypto';
import type { AnyFact } from '@clustral/schemas/events/catalogue.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { proxyStream, utcDay } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';

export const counts = { clusters: 20, users: 500, roles: 40 } as const;
const days = 90;
const dayMs = 86_400_000;
/** Where the ninety days end. */
export const lastInstant = Date.parse('2026-11-24T00:00:00Z');

type Kind = 'cluster' | 'user' | 'role' | 'credential' | 'request' | 'grant' | 'trace' | 'fact';

/** The id of the nth of its kind. Those of requests rise with time, as the product's do; all others lie anywhere. */
export function idOf(kind: Kind, n: number): string {
  const anywhere = createHash('md5').update(`${kind} ${n}`).digest('hex');
  const hex = kind === 'request' ? n.toString(16).padStart(12, '0') + anywhere.slice(12) : anywhere;
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-');
}

const known = (kind: Kind, most: number): readonly string[] => Array.from({ length: most }, (_, n) => idOf(kind, n));
const clusters = known('cluster', counts.clusters) as readonly ClusterId[];
const users = known('user', counts.users) as readonly UserId[];
const roles = known('role', counts.roles) as readonly RoleId[];
const at = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

const verbs = ['get', 'list', 'watch', 'create', 'patch', 'delete'] as const;
const resources = ['pods', 'deployments', 'secrets', 'configmaps', 'services', 'events', 'jobs', 'nodes'] as const;
const names = ['web', 'api', 'worker', 'billing', 'ledger', 'search', 'mail', 'gateway', 'cache', 'reports'] as const;

/** `rows` audit rows in log order. Positions and revisions are those of a log that holds nothing else. */
export function* auditLog(rows: number): Generator<Recorded<AnyFact>> {
  const begin = lastInstant - days * dayMs;
  const revisions = new Map<string, number>();
  const beginnings = [...namedThings()];
  for (let n = 0; n < rows; n += 1) {
    const instant = new Date(begin + Math.floor(((lastInstant - begin) * n) / rows));
    const { stream, fact, userId } = beginnings[n] ?? happening(n, instant);
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    yield {
      ...fact,
      id: idOf('fact', n),
      stream,
      revision,
      position: BigInt(n + 1),
      recordedAt: instant,
      metadata: {
        schemaVersion: 1,
        actor: { kind: 'user', id: userId },
        epoch: 1,
        $correlationId: idOf('trace', Math.floor(n / 3)),
        requestId: idOf('request', n),
        sourceAddress: `198.51.100.${n % 250}`,
        userAgent: 'kubectl/v1.35.0 (linux/amd64) kubernetes/abc1234',
      },
    };
  }
}

type Told = { readonly stream: string; readonly fact: AnyFact; readonly userId: UserId };

function* namedThings(): Generator<Told> {
  const [admin] = users as [UserId];
  for (const [n, clusterId] of clusters.entries()) {
    const data = { clusterId, name: `cluster-${n}`, description: '', labels: {} };
    yield { stream: `cluster-${clusterId}`, userId: admin, fact: { type: 'cluster.registered', data } };
  }
  for (const [n, roleId] of roles.entries()) {
    const data = { roleId, name: `role-${n}`, description: '', k8sGroups: ['viewers'] };
    yield { stream: `role-${roleId}`, userId: admin, fact: { type: 'role.created', data } };
  }
  for (const [n, userId] of users.entries()) yield { stream: `user-${userId}`, userId, fact: signedIn(n, userId) };
}

function signedIn(n: number, userId: UserId): AnyFact {
  const email = `person${n}@corp.example`;
  const claims = {
    issuer: 'https://idp.example',
    subject: `s${n}`,
    email,
    emailVerified: true,
    preferredUsername: `person${n}`,
    name: null,
    roles: [],
    groups: [],
  };
  return {
    type: 'user.synced',
    data: { userId, claims, kubernetesName: email, nameClass: 'verified', signedInAt: '2026-08-26T00:00:00Z' },
  };
}

/** Of a thousand rows: nine refusals, twenty credentials, one that somebody asked for, the rest requests. */
function happening(n: number, instant: Date): Told {
  // Neither cluster nor person go in step with anything else; a few of both are busy, most are not.
  const draw = Math.imul(n, 2_654_435_761) >>> 0;
  const clusterId = at(clusters, Math.floor(counts.clusters * (draw / 4_294_967_296) ** 2));
  const userId = at(users, Math.floor(counts.users * (((n * 40_503) % 65_536) / 65_536) ** 2));
  const kind = n % 1_000;
  const pair = { userId, clusterId };
  if (kind === 7) return { ...asked(n, pair), userId };
  if (kind < 29 && kind > 8) {
    const credentialId = idOf('credential', n) as CredentialId;
    const data = { ...pair, credentialId, keyId: 'k', issuedAtSeconds: 1, expiresAtSeconds: 2 };
    return { stream: `credential-${credentialId}`, userId, fact: { type: 'credential.issued', data } };
  }
  const stream = proxyStream(clusterId, utcDay(instant));
  return { stream, userId, fact: kind < 9 ? refused(n, pair) : proxied(n, pair, instant) };
}

type Pair = { readonly userId: UserId; readonly clusterId: ClusterId };

function asked(n: number, pair: Pair): Omit<Told, 'userId'> {
  const data = {
    ...pair,
    accessRequestId: idOf('grant', Math.floor(n / 1_000)),
    roleId: at(roles, n),
    roleRevision: 0,
    reason: `incident ${n} in production`,
    durationSeconds: 3_600,
    startsAt: null,
    extends: null,
    suggestedReviewerEmails: [],
    expiresAt: '2026-11-24T09:00:00Z',
  };
  const stream = `access-${pair.userId}.${pair.clusterId}`;
  return { stream, fact: { type: 'access_request.created', data } };
}

function refused(n: number, pair: Pair): AnyFact {
  const path = `/api/v1/namespaces/default/pods/web-${n % 977}`;
  const said = { errorCode: 'NO_ROLE_ASSIGNMENT', status: 403, method: 'GET', path, count: 1 };
  return { type: 'proxy.access_denied', data: { ...pair, requestId: idOf('request', n), credentialId: null, ...said } };
}

function proxied(n: number, pair: Pair, instant: Date): AnyFact {
  const [verb, resource] = [at(verbs, n), at(resources, Math.floor(n / 7))];
  const namespace = `team-${n % 37}`;
  const name = verb === 'list' || verb === 'watch' ? null : `${at(names, Math.floor(n / 11))}-${n % 977}`;
  return {
    type: 'proxy.request',
    data: {
      ...pair,
      requestId: idOf('request', n),
      userRevision: 0,
      roleId: at(roles, n),
      roleRevision: 0,
      accessRequestId: n % 50 === 0 ? idOf('grant', Math.floor(n / 1_000)) : null,
      credentialId: idOf('credential', Math.floor(n / 50)) as CredentialId,
      request: {
        method: 'GET',
        path: `/api/v1/namespaces/${namespace}/${resource}/${name ?? ''}`,
        verb,
        group: '',
        version: 'v1',
        resource,
        subresource: null,
        namespace,
        name,
        recognised: true,
      },
      strict: false,
      phase: 'ended',
      startedAt: instant.toISOString(),
      outcome: {
        status: n % 19 === 0 ? 404 : 200,
        bytesSent: 120,
        bytesReceived: 4_000,
        durationMs: n % 90,
        end: 'completed',
        errorCode: null,
      },
    },
  };
}
