/** What the audit says of clusters, their agents, roles, and the installation itself. */
import type { ClusterFact } from '@clustral/schemas/events/cluster.ts';
import type { RoleFact } from '@clustral/schemas/events/role.ts';
import type { Names } from './names.ts';
import type { FactOf, Telling, Tellings } from './telling.ts';

type Told = ClusterFact['type'] | RoleFact['type'] | 'agent.auth_failed' | 'control_plane.took_over';

export const clusterTellings: Tellings<Told> = {
  'cluster.registered': (fact, names) => {
    const { name, description, labels } = fact.data;
    return cluster(fact, names, {
      message: `${names.actor} registered cluster '${name}'`,
      details: { description, labels },
    });
  },
  'cluster.updated': (fact, names) => {
    const { clusterId, name, description, labels } = fact.data;
    const before = names.cluster(clusterId);
    const renamed = before === name ? '' : `, which was called '${before}'`;
    return cluster(fact, names, {
      message: `${names.actor} changed cluster '${name}'${renamed}`,
      details: { description, labels },
    });
  },
  'cluster.bootstrap_token_issued': (fact, names) => {
    const { expiresAt } = fact.data.token;
    return cluster(fact, names, {
      message: `${names.actor} issued a bootstrap token for the agent of ${clusterName(fact, names)}, good until ${expiresAt}`,
      details: { expiresAt },
    });
  },
  'cluster.agent_enrolled': (fact, names) => {
    const { fingerprint, serialNumber, notAfter } = fact.data.certificate;
    return cluster(fact, names, {
      message: `The agent of ${clusterName(fact, names)} enrolled with a certificate good until ${notAfter}`,
      details: { fingerprint, serialNumber, notAfter },
    });
  },
  'cluster.agent_renewed': (fact, names) => {
    const { certificate, tokenExpiresAt } = fact.data;
    const what = certificate ? `certificate, now good until ${certificate.notAfter}` : 'token';
    const { fingerprint, serialNumber, notAfter } = certificate ?? {};
    return cluster(fact, names, {
      message: `The agent of ${clusterName(fact, names)} renewed its ${what}`,
      details: { fingerprint, serialNumber, notAfter, tokenExpiresAt },
    });
  },
  'cluster.agent_revoked': (fact, names) =>
    cluster(fact, names, { message: `${names.actor} revoked the agent of ${clusterName(fact, names)}` }),
  'cluster.connected': (fact, names) => {
    const { agentVersion, kubernetesVersion } = fact.data;
    return cluster(fact, names, {
      message: `The agent of ${clusterName(fact, names)} connected: agent ${agentVersion}, Kubernetes ${kubernetesVersion}`,
      details: { agentVersion, kubernetesVersion },
    });
  },
  'cluster.disconnected': (fact, names) => {
    const { reason } = fact.data;
    return cluster(fact, names, {
      message: `The agent of ${clusterName(fact, names)} is disconnected: ${reason}`,
      details: { reason },
    });
  },
  'cluster.deleted': (fact, names) =>
    cluster(fact, names, { message: `${names.actor} deleted cluster '${fact.data.name}'` }),
  'role.created': (fact, names) => role(fact, `${names.actor} created role '${fact.data.name}'`),
  'role.updated': (fact, names) => role(fact, `${names.actor} changed role '${fact.data.name}'`),
  'role.deleted': (fact, names) => role(fact, `${names.actor} deleted role '${fact.data.name}'`),
  'agent.auth_failed': (fact, names) => {
    const { clusterId, reason, method, count } = fact.data;
    const whose = clusterId === null ? 'an unknown cluster' : `cluster '${names.cluster(clusterId)}'`;
    return {
      resourceType: 'agent',
      resourceId: clusterId ?? '',
      resourceName: names.cluster(clusterId),
      clusterId,
      message: `An agent of ${whose} was refused ${method}${times(count)}: ${reason}`,
      details: { reason, method, count },
      error: reason,
    };
  },
  'control_plane.took_over': (fact) => {
    const { epoch, holder } = fact.data;
    return {
      resourceType: 'control_plane',
      resourceId: holder,
      resourceName: holder,
      clusterId: null,
      message: `A control plane took over as epoch ${epoch}`,
      details: { epoch, holder },
    };
  },
};

/** ` (3 times)` for more than one. */
export const times = (count: number): string => (count > 1 ? ` (${count} times)` : '');

type AboutCluster = { readonly data: { readonly clusterId: string } };

const clusterName = (fact: AboutCluster, names: Names): string => `cluster '${names.cluster(fact.data.clusterId)}'`;

function cluster(
  fact: FactOf<ClusterFact['type']>,
  names: Names,
  { message, details = {} }: { message: string; details?: Readonly<Record<string, unknown>> },
): Telling {
  const { clusterId } = fact.data;
  // A registration is told before the table of names has it.
  const resourceName = 'name' in fact.data ? fact.data.name : names.cluster(clusterId);
  return { resourceType: 'cluster', resourceId: clusterId, resourceName, clusterId, message, details };
}

function role(fact: FactOf<RoleFact['type']>, message: string): Telling {
  const { roleId, name } = fact.data;
  const details =
    'k8sGroups' in fact.data ? { description: fact.data.description, k8sGroups: fact.data.k8sGroups } : {};
  return { resourceType: 'role', resourceId: roleId, resourceName: name, clusterId: null, message, details };
}
