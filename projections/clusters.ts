/**
 * Clusters as they are shown. Nothing that opens anything is kept here: no bootstrap token, no token version, no
 * certificate. A deleted cluster stays as a name for what refers to it and is in no list.
 */
import {
  patch,
  positionOf,
  put,
  recordedAt,
  type Lookup,
  type Op,
  type ReadModel,
  type RecordedFact,
} from './model.ts';
import { pageOf, type Page, type PageRequest } from './page.ts';
import { collectionOf, type ReadStoreReader } from './read-store.ts';

/** Instants are milliseconds since the epoch. */
export type ClusterDocument = {
  readonly _id: string;
  readonly name: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `pending`: no agent has connected yet, or its identity was revoked. */
  readonly status: 'pending' | 'connected' | 'disconnected';
  readonly registeredAt: number;
  readonly lastSeenAt: number | null;
  readonly agentVersion: string;
  readonly kubernetesVersion: string;
  readonly certificateExpiresAt: number | null;
  readonly deleted: boolean;
  /** Log position of the last fact applied. */
  readonly position: number;
};

export const clusterCollection = collectionOf<ClusterDocument>({
  name: 'clusters',
  fields: { name: 'text', deleted: 'boolean' },
  indexes: [['deleted', 'name', '_id']],
});

export const clusters: ReadModel = {
  name: 'clusters',
  version: 1,
  collections: [clusterCollection],
  apply: ({ fact, isVoid }, lookup) => (isVoid ? [] : applyCluster(fact, lookup)),
};

/** Changes of cluster documents that follow from a fact. */
export async function applyCluster(fact: RecordedFact, lookup: Lookup): Promise<readonly Op[]> {
  if (!fact.type.startsWith('cluster.')) return [];
  const { clusterId } = fact.data as { clusterId: string };
  const known = await lookup.get(clusterCollection, clusterId);
  const position = positionOf(fact);
  if (known && (known.position >= position || known.deleted)) return [];
  if (fact.type === 'cluster.registered') return [put(clusterCollection, registered(fact))];
  const set = known && changeOf(fact, known);
  return set ? [patch(clusterCollection, clusterId, { ...set, position })] : [];
}

function registered(fact: Extract<RecordedFact, { type: 'cluster.registered' }>): ClusterDocument {
  const { clusterId, name, description, labels } = fact.data;
  return {
    _id: clusterId,
    name,
    description,
    labels,
    status: 'pending',
    registeredAt: recordedAt(fact),
    lastSeenAt: null,
    agentVersion: '',
    kubernetesVersion: '',
    certificateExpiresAt: null,
    deleted: false,
    position: positionOf(fact),
  };
}

function changeOf(fact: RecordedFact, known: ClusterDocument): Partial<ClusterDocument> | undefined {
  switch (fact.type) {
    case 'cluster.updated': {
      const { name, description, labels } = fact.data;
      return { name, description, labels };
    }
    case 'cluster.agent_enrolled':
      return { certificateExpiresAt: Date.parse(fact.data.certificate.notAfter) };
    case 'cluster.agent_renewed':
      return fact.data.certificate ? { certificateExpiresAt: Date.parse(fact.data.certificate.notAfter) } : undefined;
    case 'cluster.agent_revoked':
      return { status: 'pending', certificateExpiresAt: null };
    case 'cluster.connected': {
      const { agentVersion, kubernetesVersion } = fact.data;
      return { status: 'connected', lastSeenAt: recordedAt(fact), agentVersion, kubernetesVersion };
    }
    case 'cluster.disconnected':
      // A revoked agent loses its connection too, and stays revoked.
      return { lastSeenAt: recordedAt(fact), status: known.status === 'pending' ? 'pending' : 'disconnected' };
    case 'cluster.deleted':
      return { deleted: true, status: 'disconnected' };
    default:
      return undefined;
  }
}

/** Clusters by name; with `name`, exactly that one. */
export function listClusters(
  models: ReadStoreReader,
  { name, ...page }: PageRequest & { readonly name?: string },
): Promise<Page<ClusterDocument>> {
  return pageOf(models, clusterCollection, {
    filter: { deleted: { $eq: false }, ...(name === undefined ? {} : { name: { $eq: name } }) },
    sort: { fields: ['name', '_id'], direction: 'ascending' },
    ...page,
  });
}

/** One cluster; undefined when it is not there or was deleted. */
export async function getCluster(models: ReadStoreReader, id: string): Promise<ClusterDocument | undefined> {
  const cluster = await models.get(clusterCollection, id);
  return cluster?.deleted ? undefined : cluster;
}
