/**
 * A cluster: its name, and the identity that its agent may come with. What an administrator decides about it is here, what
 * its agent may ask is in `cluster-agent.ts`. It knows nothing of open connections. The rules it lives by: a bootstrap token
 * is good once, and a raised token version ends every identity given out before it.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { BootstrapToken, ClusterFact } from '@clustral/schemas/events/cluster.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { held, remembered, used, type HeldCertificate } from './cluster-certificates.ts';

/** The newest bootstrap token. `redeemed` says by which key, so that the same key may ask again (F-06). */
export type BootstrapRecord = BootstrapToken & {
  readonly redeemed: { readonly at: Date; readonly publicKeyHash: string } | null;
};

/** What the log says of the agent's connection. `none` = never connected since it was enrolled. */
export type AgentConnection =
  | { readonly status: 'none' }
  | {
      readonly status: 'connected' | 'disconnected';
      readonly since: Date;
      readonly agentVersion: string;
      readonly kubernetesVersion: string;
    };

export type RegisteredCluster = {
  readonly status: 'registered';
  readonly clusterId: ClusterId;
  readonly name: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly registeredAt: Date;
  readonly bootstrap: BootstrapRecord | null;
  /** An agent's token of another version is refused. */
  readonly tokenVersion: number;
  /** Oldest first. */
  readonly certificates: readonly HeldCertificate[];
  readonly connection: AgentConnection;
  /** Revision of the last fact. */
  readonly revision: number;
};

export type ClusterState =
  | { readonly status: 'absent' }
  | RegisteredCluster
  | { readonly status: 'deleted'; readonly clusterId: ClusterId; readonly name: string; readonly revision: number };

export const initialCluster: ClusterState = { status: 'absent' };

/** Folds one fact of the stream `cluster-{id}`. */
export function evolveCluster(state: ClusterState, fact: Recorded<ClusterFact>): ClusterState {
  if (fact.type === 'cluster.registered') return registered(fact);
  if (state.status !== 'registered') return state;
  if (fact.type === 'cluster.deleted') {
    return { status: 'deleted', clusterId: state.clusterId, name: state.name, revision: fact.revision };
  }
  return { ...evolveRegistered(state, fact), revision: fact.revision };
}

type Registered = Extract<ClusterFact, { type: 'cluster.registered' }>;
type Deleted = Extract<ClusterFact, { type: 'cluster.deleted' }>;

function registered({ data, recordedAt, revision }: Recorded<Registered>): RegisteredCluster {
  const { clusterId, name, description, labels } = data;
  return {
    status: 'registered',
    clusterId,
    name,
    description,
    labels,
    registeredAt: recordedAt,
    bootstrap: null,
    tokenVersion: 1,
    certificates: [],
    connection: { status: 'none' },
    revision,
  };
}

function evolveRegistered(
  state: RegisteredCluster,
  fact: Recorded<Exclude<ClusterFact, Registered | Deleted>>,
): RegisteredCluster {
  switch (fact.type) {
    case 'cluster.updated': {
      const { name, description, labels } = fact.data;
      return { ...state, name, description, labels };
    }
    case 'cluster.bootstrap_token_issued':
      return { ...state, bootstrap: { ...fact.data.token, redeemed: null } };
    case 'cluster.agent_enrolled': {
      const { certificate, tokenVersion, tokenHash } = fact.data;
      const redeemed = { at: fact.recordedAt, publicKeyHash: certificate.publicKeyHash };
      const bootstrap = state.bootstrap?.hash === tokenHash ? { ...state.bootstrap, redeemed } : state.bootstrap;
      // Whoever was enrolled before is no longer the agent.
      return { ...state, bootstrap, tokenVersion, certificates: [held(certificate, fact.recordedAt)] };
    }
    case 'cluster.agent_renewed': {
      const { certificate, tokenVersion } = fact.data;
      if (!certificate) return { ...state, tokenVersion };
      const certificates = remembered([...state.certificates, held(certificate, fact.recordedAt)], fact.recordedAt);
      return { ...state, tokenVersion, certificates };
    }
    case 'cluster.agent_revoked':
      return {
        ...state,
        tokenVersion: fact.data.tokenVersion,
        bootstrap: null,
        certificates: [],
        connection: { status: 'none' },
      };
    case 'cluster.connected': {
      const { agentVersion, kubernetesVersion, certificateFingerprint } = fact.data;
      return {
        ...state,
        connection: { status: 'connected', since: fact.recordedAt, agentVersion, kubernetesVersion },
        certificates: remembered(used(state.certificates, certificateFingerprint, fact.recordedAt), fact.recordedAt),
      };
    }
    case 'cluster.disconnected':
      if (state.connection.status === 'none') return state;
      return { ...state, connection: { ...state.connection, status: 'disconnected', since: fact.recordedAt } };
    default:
      return fact satisfies never;
  }
}

/** What a cluster shall be called. `nameHolder` is the live cluster that has the name now, if any. */
export type ClusterContent = {
  readonly clusterId: ClusterId;
  readonly name: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly nameHolder: ClusterId | undefined;
};

/** Registers it and issues its first bootstrap token. Refuses with `DUPLICATE_CLUSTER_NAME`. */
export function registerCluster(
  command: ClusterContent & { readonly token: BootstrapToken },
  state: ClusterState,
): readonly ClusterFact[] {
  if (state.status !== 'absent')
    throw new Refusal('CONFLICT', `A cluster ${command.clusterId} exists already: send a new Idempotency-Key.`);
  refuseTakenName(command);
  const { clusterId, token } = command;
  return [
    { type: 'cluster.registered', data: contentOf(command) },
    { type: 'cluster.bootstrap_token_issued', data: { clusterId, token } },
  ];
}

/** Replaces name, description and labels; no fact when nothing changes. Refuses with `CLUSTER_NOT_FOUND`, `DUPLICATE_CLUSTER_NAME`. */
export function updateCluster(command: ClusterContent, state: ClusterState): readonly ClusterFact[] {
  const cluster = requireCluster(command.clusterId, state);
  refuseTakenName(command);
  const content = contentOf(command);
  return sameContent(content, cluster) ? [] : [{ type: 'cluster.updated', data: content }];
}

/** A new bootstrap token; an older one that nobody redeemed dies with it. Refuses with `CLUSTER_NOT_FOUND`. */
export function issueBootstrapToken(
  { clusterId, token }: { readonly clusterId: ClusterId; readonly token: BootstrapToken },
  state: ClusterState,
): readonly ClusterFact[] {
  requireCluster(clusterId, state);
  return [{ type: 'cluster.bootstrap_token_issued', data: { clusterId, token } }];
}

/**
 * Ends the agent's identity and any bootstrap token that is still out; id, roles and assignments stay (D1). No fact when there
 * is nothing left to end. Refuses with `CLUSTER_NOT_FOUND`.
 */
export function revokeAgent(
  { clusterId }: { readonly clusterId: ClusterId },
  state: ClusterState,
): readonly ClusterFact[] {
  const cluster = requireCluster(clusterId, state);
  if (cluster.certificates.length === 0 && cluster.bootstrap === null) return [];
  return [{ type: 'cluster.agent_revoked', data: { clusterId, tokenVersion: cluster.tokenVersion + 1 } }];
}

/** Deletes it. Refuses with `CLUSTER_NOT_FOUND`. */
export function deleteCluster(
  { clusterId }: { readonly clusterId: ClusterId },
  state: ClusterState,
): readonly ClusterFact[] {
  const { name } = requireCluster(clusterId, state);
  return [{ type: 'cluster.deleted', data: { clusterId, name } }];
}

/** The cluster, or `CLUSTER_NOT_FOUND`. */
export function requireCluster(clusterId: ClusterId, state: ClusterState | undefined): RegisteredCluster {
  if (state?.status === 'registered') return state;
  const why =
    state?.status === 'deleted' ? `Cluster '${state.name}' was deleted.` : `There is no cluster ${clusterId}.`;
  throw new Refusal('CLUSTER_NOT_FOUND', `${why} 'clustral clusters list' shows the clusters.`, { clusterId });
}

function refuseTakenName({ name, nameHolder, clusterId }: ClusterContent): void {
  if (nameHolder === undefined || nameHolder === clusterId) return;
  throw new Refusal('DUPLICATE_CLUSTER_NAME', `A cluster named '${name}' exists already. Choose another name.`, {
    name,
    clusterId: nameHolder,
  });
}

const contentOf = ({ clusterId, name, description, labels }: ClusterContent) => ({
  clusterId,
  name,
  description,
  labels,
});

function sameContent(content: ReturnType<typeof contentOf>, cluster: RegisteredCluster): boolean {
  const names = Object.keys(content.labels);
  return (
    content.name === cluster.name &&
    content.description === cluster.description &&
    names.length === Object.keys(cluster.labels).length &&
    names.every((name) => Object.hasOwn(cluster.labels, name) && content.labels[name] === cluster.labels[name])
  );
}
