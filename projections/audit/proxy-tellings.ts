/** What the audit says of proxied requests, refused ones, and what is known to be missing. */
import type { KubernetesRequest, ProxyFact, ProxyOutcome, RepeatedReads } from '@clustral/schemas/events/proxy.ts';
import { times } from './cluster-tellings.ts';
import type { Names } from './names.ts';
import type { FactOf, Telling, Tellings } from './telling.ts';

export const proxyTellings: Tellings<ProxyFact['type']> = {
  'proxy.request': (fact, names) => {
    const { data } = fact;
    const { outcome, repeats } = data.phase === 'ended' ? data : {};
    const who = names.user(data.userId, data.userRevision);
    const what = `${data.request.verb} ${objectOf(data.request)} on cluster '${names.cluster(data.clusterId)}'`;
    return {
      resourceType: 'kubernetes_request',
      resourceId: data.requestId,
      resourceName: objectOf(data.request),
      clusterId: data.clusterId,
      message: `${who}: ${what} ${endOf(data.phase, outcome)}${repeatedly(repeats)}`,
      details: {
        ...basisOf(fact, names),
        ...data.request,
        strict: data.strict,
        phase: data.phase,
        startedAt: data.startedAt,
        ...outcome,
        ...(repeats && { count: repeats.requestIds.length + 1, ...repeats }),
      },
      failed: data.phase === 'outcome_unknown' || (outcome !== undefined && isFailure(outcome)),
      ...errorOf(data.phase, outcome),
      ...(data.accessRequestId === null ? {} : { accessRequestId: data.accessRequestId }),
    };
  },
  'proxy.access_denied': ({ data }, names) => {
    const { requestId, clusterId, userId, credentialId, errorCode, status, method, path, count } = data;
    const who = userId === null ? 'Somebody' : names.user(userId);
    const where = clusterId === null ? '' : ` on cluster '${names.cluster(clusterId)}'`;
    return {
      resourceType: 'kubernetes_request',
      resourceId: requestId,
      resourceName: path,
      clusterId,
      message: `${who} was refused ${method} ${path}${where}${times(count)}: ${errorCode} (${status})`,
      details: { requestId, credentialId, method, path, status, errorCode, count },
      error: errorCode,
    };
  },
  'proxy.gap': ({ data }, names) => {
    const { clusterId, from, to, reason } = data;
    const where = clusterId === null ? 'requests' : `requests to cluster '${names.cluster(clusterId)}'`;
    return {
      ...records(clusterId, names),
      message: `Records of ${where} may be missing from ${from} to ${to}: ${reason}`,
      details: { from, to, reason },
      error: reason,
    };
  },
  'proxy.day_closed': ({ data }, names) => {
    const { clusterId, day, count, firstPosition, lastPosition, sha256 } = data;
    const where = clusterId === null ? 'without a cluster' : `of cluster '${names.cluster(clusterId)}'`;
    return {
      ...records(clusterId, names),
      message: `The ${count} records ${where} of ${day} were closed`,
      details: { day, count, firstPosition, lastPosition, sha256 },
    };
  },
  'proxy.day_deleted': ({ data }, names) => {
    const { clusterId, day, count, sha256, keepSeconds } = data;
    const where = clusterId === null ? 'without a cluster' : `of cluster '${names.cluster(clusterId)}'`;
    return {
      ...records(clusterId, names),
      message: `The ${count} records ${where} of ${day} were deleted: they are kept for ${Math.floor(keepSeconds / 86_400)} days`,
      details: { day, count, sha256, keepSeconds },
    };
  },
};

/** True for an answer of 400 and above, or one that was cut short by something of ours. */
const isFailure = ({ status, errorCode }: ProxyOutcome): boolean =>
  errorCode !== null || (status !== null && status >= 400);

function endOf(phase: FactOf<'proxy.request'>['data']['phase'], outcome: ProxyOutcome | undefined): string {
  if (phase === 'started') return 'began';
  if (outcome === undefined) return 'has an unknown outcome';
  const status = outcome.status === null ? 'no answer' : String(outcome.status);
  const how = outcome.end === 'completed' ? '' : `, ${outcome.end.replaceAll('_', ' ')}`;
  return `gave ${status} after ${outcome.durationMs} ms${how}`;
}

const repeatedly = (repeats: RepeatedReads | undefined): string =>
  repeats === undefined ? '' : ` (${repeats.requestIds.length + 1} times until ${repeats.until})`;

function errorOf(
  phase: FactOf<'proxy.request'>['data']['phase'],
  outcome: ProxyOutcome | undefined,
): { readonly error?: string } {
  if (phase === 'outcome_unknown') return { error: 'outcome unknown' };
  if (outcome === undefined || !isFailure(outcome)) return {};
  return { error: outcome.errorCode ?? `HTTP ${outcome.status}` };
}

/** `pods/nginx in default`, `pods/nginx/exec in default`, or the path when it says nothing of a resource. */
function objectOf({ resource, subresource, name, namespace, path }: KubernetesRequest): string {
  if (resource === null) return path;
  const parts = [resource, name, subresource].filter((part) => part !== null);
  return `${parts.join('/')}${namespace === null ? '' : ` in ${namespace}`}`;
}

function basisOf({ data }: FactOf<'proxy.request'>, names: Names): Readonly<Record<string, unknown>> {
  const { requestId, userRevision, roleId, roleRevision, accessRequestId, credentialId } = data;
  const roleName = names.role(roleId, roleRevision);
  return { requestId, userRevision, roleId, roleName, roleRevision, accessRequestId, credentialId };
}

function records(
  clusterId: string | null,
  names: Names,
): Pick<Telling, 'resourceType' | 'resourceId' | 'resourceName' | 'clusterId'> {
  const resourceName = names.cluster(clusterId);
  return { resourceType: 'audit_records', resourceId: clusterId ?? '', resourceName, clusterId };
}
