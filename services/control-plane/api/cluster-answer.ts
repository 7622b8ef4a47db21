/**
 * A cluster as it is shown: what the log says of it, with what is known of its agent this moment. An agent that is
 * connected here is shown so at once; one that is not is shown as the log has it, which waits 45 s before it says so
 * (D35).
 */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ClusterDocument } from '@clustral/projections/clusters.ts';
import { ClusterSchema, ClusterStatus, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { RegisteredCluster } from '../domain/cluster.ts';
import type { Agents } from '../ports.ts';

type Presences = Pick<Agents, 'presence'>;

const statuses = {
  pending: ClusterStatus.PENDING,
  none: ClusterStatus.PENDING,
  connected: ClusterStatus.CONNECTED,
  disconnected: ClusterStatus.DISCONNECTED,
} as const;

/** From the read model. */
export function clusterOfDocument(document: ClusterDocument, agents: Presences): Cluster {
  const { _id, name, description, labels, agentVersion, kubernetesVersion } = document;
  const cluster = create(ClusterSchema, {
    id: _id,
    name,
    description,
    labels: { ...labels },
    status: statuses[document.status],
    registeredAt: timestampFromMs(document.registeredAt),
    agentVersion,
    kubernetesVersion,
    ...(document.lastSeenAt === null ? {} : { lastSeenAt: timestampFromMs(document.lastSeenAt) }),
    ...(document.certificateExpiresAt === null
      ? {}
      : { certificateExpiresAt: timestampFromMs(document.certificateExpiresAt) }),
  });
  return withPresence(cluster, agents);
}

/** From the state that a command left. */
export function clusterOfState(state: RegisteredCluster, agents: Presences): Cluster {
  const { clusterId, name, description, labels, registeredAt, connection, certificates } = state;
  const newest = certificates.at(-1);
  const cluster = create(ClusterSchema, {
    id: clusterId,
    name,
    description,
    labels: { ...labels },
    status: statuses[connection.status],
    registeredAt: timestampFromDate(registeredAt),
    ...(connection.status === 'none'
      ? {}
      : {
          agentVersion: connection.agentVersion,
          kubernetesVersion: connection.kubernetesVersion,
          lastSeenAt: timestampFromDate(connection.since),
        }),
    ...(newest === undefined ? {} : { certificateExpiresAt: timestampFromDate(new Date(newest.notAfter)) }),
  });
  return withPresence(cluster, agents);
}

function withPresence(cluster: Cluster, agents: Presences): Cluster {
  const presence = agents.presence(cluster.id as ClusterId);
  if (!presence) return cluster;
  cluster.status = ClusterStatus.CONNECTED;
  cluster.lastSeenAt = timestampFromDate(presence.lastHeartbeatAt);
  cluster.agentVersion = presence.agentVersion;
  cluster.kubernetesVersion = presence.kubernetesVersion;
  if (presence.roundTripMs !== undefined) cluster.roundTripMs = presence.roundTripMs;
  return cluster;
}
