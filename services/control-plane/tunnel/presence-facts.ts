/**
 * Brings the log into line with which agents are connected: `cluster.connected` when it does not know yet, or a version or
 * certificate is new; `cluster.disconnected` after 45 s without any connection, also when it was this process that was away
 * (D35). A fact that the log does not take is tried again; no request ever waits for one.
 */
import { randomUUID } from 'node:crypto';
import { clusterStream, type ClusterFact } from '@clustral/schemas/events/cluster.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { agentConnected, agentDisconnected } from '../domain/cluster-agent.ts';
import { evolveCluster, initialCluster, type ClusterState } from '../domain/cluster.ts';
import type { Commands } from '../ports.ts';
import type { Connection } from './connection.ts';

const disconnectedAfterMs = 45_000;
const retryAfterMs = 5_000;

export type PresenceFactsOptions = {
  readonly commands: Commands;
  readonly connections: (clusterId: ClusterId) => Iterable<Connection>;
  readonly monotonic: () => number;
  readonly log: Log;
};

export class PresenceFacts {
  readonly #options: PresenceFactsOptions;
  /** Clusters without a connection, since when. */
  readonly #absent = new Map<ClusterId, number>();
  /** Clusters whose state the log may not have, and when to try next. */
  readonly #due = new Map<ClusterId, number>();
  readonly #running = new Set<ClusterId>();

  /** `clusters`: those that the log may still have as connected from before this process began. */
  constructor(options: PresenceFactsOptions, clusters: Iterable<ClusterState>) {
    this.#options = options;
    const now = options.monotonic();
    for (const cluster of clusters) {
      if (cluster.status === 'registered' && cluster.connection.status === 'connected')
        this.#absent.set(cluster.clusterId, now);
    }
  }

  /** A connection of the cluster's agent said hello. */
  came(clusterId: ClusterId): void {
    this.#absent.delete(clusterId);
    this.#due.set(clusterId, 0);
    this.tell(this.#options.monotonic());
  }

  /** The last connection of the cluster's agent is gone. */
  went(clusterId: ClusterId): void {
    this.#absent.set(clusterId, this.#options.monotonic());
  }

  /** Writes what is due. To be called about once a second. */
  tell(now: number): void {
    for (const [clusterId, since] of this.#absent) {
      if (now - since < disconnectedAfterMs) continue;
      this.#absent.delete(clusterId);
      this.#due.set(clusterId, 0);
    }
    for (const [clusterId, notBefore] of this.#due) {
      if (now < notBefore || this.#running.has(clusterId)) continue;
      this.#due.delete(clusterId);
      void this.#write(clusterId);
    }
  }

  async #write(clusterId: ClusterId): Promise<void> {
    const { commands, log, monotonic } = this.#options;
    this.#running.add(clusterId);
    try {
      await commands.run<ClusterState, ClusterFact>({
        stream: clusterStream(clusterId),
        initial: initialCluster,
        evolve: evolveCluster,
        decide: (state) => this.#factsFor(clusterId, state),
        cause: { actor: { kind: 'agent', id: clusterId }, $correlationId: randomUUID() },
      });
    } catch (cause) {
      log.warn({ err: cause, clusterId }, 'whether the agent is connected could not be recorded yet');
      this.#due.set(clusterId, monotonic() + retryAfterMs);
    } finally {
      this.#running.delete(clusterId);
    }
  }

  // Decided on what is connected now, not on what was when it was noted.
  #factsFor(clusterId: ClusterId, state: ClusterState): readonly ClusterFact[] {
    const connections = [...this.#options.connections(clusterId)];
    const latest = connections.at(-1);
    if (!latest) {
      if (this.#absent.has(clusterId)) return [];
      return agentDisconnected({ reason: 'no connection for 45 seconds' }, state);
    }
    const { process, identity } = latest.parts;
    const { agentVersion, kubernetesVersion } = process;
    return agentConnected({ agentVersion, kubernetesVersion, certificateFingerprint: identity.fingerprint }, state);
  }
}
