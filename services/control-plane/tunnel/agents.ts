/**
 * Which agents are connected, by cluster: the one implementation of `Agents`, and behind that interface the only place that
 * would change for several active control planes (D18). Connections of one process and processes of one cluster add up, up
 * to a limit (D35). It holds no policy: whether an identity still counts is asked of whoever is given as `recheck`.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { AgentPresence, Agents, LaneCall, LaneExchange, LaneHandlers } from '../ports.ts';
import { ClusterLanes, notConnected, refusedExchange } from './cluster-lanes.ts';
import type { Connection } from './connection.ts';

const mostConnectionsPerProcess = 4;
const mostProcesses = 4;

export type AgentRegistryOptions = {
  readonly monotonic: () => number;
  /** What people call the cluster. */
  readonly nameOf: (clusterId: ClusterId) => string;
  /** Throws the refusal when the connection's identity no longer counts. */
  readonly recheck: (connection: Connection) => void;
  /** So many bytes may agents have sent that callers do not read, over all lanes (D41). */
  readonly mostStalledBytes: number;
};

export class AgentRegistry implements Agents {
  readonly #clusters = new Map<ClusterId, ClusterLanes>();
  readonly #options: AgentRegistryOptions;

  constructor(options: AgentRegistryOptions) {
    this.#options = options;
  }

  open(call: LaneCall, handlers: LaneHandlers): LaneExchange {
    const { clusterId } = call;
    const lanes = this.#clusters.get(clusterId);
    if (lanes) return lanes.open(call, handlers);
    return refusedExchange(handlers, notConnected(clusterId, this.#options.nameOf(clusterId)));
  }

  presence(clusterId: ClusterId): AgentPresence | undefined {
    const connections = [...this.connections(clusterId)];
    const latest = connections.at(-1);
    if (!latest) return undefined;
    const { agentVersion, kubernetesVersion } = latest.parts.process;
    const roundTrips = connections.flatMap(({ roundTripMs }) => roundTripMs ?? []);
    return {
      connectedAt: new Date(Math.min(...connections.map(({ parts }) => parts.connectedAt.getTime()))),
      lastHeartbeatAt: new Date(Math.max(...connections.map(({ lastHeartbeatAt }) => lastHeartbeatAt.getTime()))),
      roundTripMs: roundTrips.length === 0 ? undefined : Math.min(...roundTrips),
      agentVersion,
      kubernetesVersion,
    };
  }

  /** The connections of a cluster's agent, in the order in which they came. */
  connections(clusterId: ClusterId): Iterable<Connection> {
    return this.#clusters.get(clusterId)?.connections ?? [];
  }

  /** Takes a connection in. Refuses with `RATE_LIMITED` beyond 4 processes of a cluster or 4 connections of a process. */
  attach(connection: Connection): void {
    const { clusterId } = connection.parts.identity;
    const { instanceId } = connection.parts.process;
    const present = [...this.connections(clusterId)].map(({ parts }) => parts.process.instanceId);
    const processes = new Set(present).add(instanceId);
    if (
      processes.size > mostProcesses ||
      present.filter((id) => id === instanceId).length >= mostConnectionsPerProcess
    ) {
      throw new Refusal(
        'RATE_LIMITED',
        `Cluster ${clusterId} has as many agent connections as it may have: ${mostProcesses} processes, ${mostConnectionsPerProcess} connections each.`,
        { clusterId, retryAfterSeconds: '30' },
      );
    }
    const lanes = this.#clusters.get(clusterId) ?? new ClusterLanes(clusterId, this.#options);
    this.#clusters.set(clusterId, lanes);
    lanes.add(connection);
  }

  /** Forgets a connection that is gone. True when it was the cluster's last. */
  detach(connection: Connection): boolean {
    const { clusterId } = connection.parts.identity;
    const lanes = this.#clusters.get(clusterId);
    if (!lanes?.connections.has(connection)) return false;
    lanes.remove(connection);
    if (lanes.connections.size > 0) return false;
    this.#clusters.delete(clusterId);
    return true;
  }

  /** A lane of the connection is free. */
  serve(connection: Connection): void {
    this.#clusters.get(connection.parts.identity.clusterId)?.serve();
  }

  /** Ends the connections of the cluster, or of all, whose identity no longer counts (D2). */
  recheck(clusterId?: ClusterId): void {
    const clusters = clusterId === undefined ? [...this.#clusters.keys()] : [clusterId];
    for (const connection of clusters.flatMap((id) => [...this.connections(id)])) {
      try {
        this.#options.recheck(connection);
      } catch (refusal) {
        if (!(refusal instanceof Refusal)) throw refusal;
        // Not to know is no reason to cut anybody off: nothing new is let through meanwhile.
        if (refusal.code === 'STORE_UNAVAILABLE') continue;
        const revoked = refusal.code === 'AGENT_REVOKED';
        connection.end(
          cutOff(),
          revoked ? { case: 'revoked', value: { reason: refusal.message } } : { case: 'drain', value: {} },
        );
      }
    }
  }

  /** To be called about once a second. */
  enforceLimits(now: number): void {
    for (const lanes of this.#clusters.values()) lanes.enforceLimits(now);
    this.#resetLongestStalled();
  }

  all(): readonly Connection[] {
    return [...this.#clusters.values()].flatMap(({ connections }) => [...connections]);
  }

  #resetLongestStalled(): void {
    const stalled = this.all().flatMap((connection) => [...connection.stalled()]);
    let bytes = stalled.reduce((sum, one) => sum + one.bytes, 0);
    for (const one of stalled.toSorted((a, b) => a.since - b.since)) {
      if (bytes <= this.#options.mostStalledBytes) return;
      bytes -= one.bytes;
      one.lane.fail(
        new Refusal('TUNNEL_ERROR', 'The answer was given up: its reader has not taken anything for too long.', {
          reason: 'stalled',
        }),
      );
    }
  }
}

const cutOff = (): Refusal =>
  new Refusal(
    'TUNNEL_ERROR',
    'The agent of the cluster was cut off while this request was under way: it may or may not have reached the cluster.',
  );
