/**
 * The lanes of one cluster's agent over all its connections: takes a free one for each request, the last used first so that
 * few stay warm, from the connection with the fewest requests. When none is free the request waits, bounded in number and
 * time, and more lanes are asked for. It never sends a request twice and never takes a lane from a connection that has
 * been silent.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { RequestHead } from '@clustral/schemas/lane-codec.ts';
import type { LaneCall, LaneExchange, LaneHandlers } from '../ports.ts';
import type { Connection } from './connection.ts';
import type { Lane } from './lane.ts';
import { WaitingRequest, type WaitingParts } from './waiting-request.ts';

const mostWaiting = 1_000;
const longestWaitMs = 10_000;

export class ClusterLanes {
  readonly clusterId: ClusterId;
  readonly #monotonic: () => number;
  readonly #nameOf: (clusterId: ClusterId) => string;
  readonly #connections = new Set<Connection>();
  readonly #waiting = new Set<WaitingRequest>();

  constructor(
    clusterId: ClusterId,
    { monotonic, nameOf }: { readonly monotonic: () => number; readonly nameOf: (clusterId: ClusterId) => string },
  ) {
    this.#nameOf = nameOf;
    this.clusterId = clusterId;
    this.#monotonic = monotonic;
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
  }

  /** Forgets a connection. Whoever waits while no other is left is told at once. */
  remove(connection: Connection): void {
    this.#connections.delete(connection);
    this.#refuseWaitingUnlessUsable();
  }

  open(call: LaneCall, handlers: LaneHandlers): LaneExchange {
    const openedAt = this.#monotonic();
    if (call.lifetimeMs <= 0) return refusedExchange(handlers, accessEnded());
    const lane = this.#takeLane();
    if (lane) return this.#carry(lane, { call, handlers, openedAt });
    if (!this.#isUsable()) return refusedExchange(handlers, notConnected(this.clusterId, this.#nameOf(this.clusterId)));
    if (this.#waiting.size >= mostWaiting) return refusedExchange(handlers, tooMany(this.clusterId));
    const waitUntil = openedAt + Math.min(longestWaitMs, call.headTimeoutMs);
    const waiting = new WaitingRequest({ call, handlers, openedAt, waitUntil }, () => this.#waiting.delete(waiting));
    this.#waiting.add(waiting);
    this.#askForMore();
    return waiting;
  }

  /** There is a free lane: the oldest waiting request takes it. */
  serve(): void {
    for (const waiting of this.#waiting) {
      const lane = this.#takeLane();
      if (!lane) return;
      this.#waiting.delete(waiting);
      waiting.begin(this.#carry(lane, waiting.parts));
    }
  }

  /** Gives up what waited too long. To be called about once a second. */
  enforceLimits(now: number): void {
    for (const connection of this.#connections) connection.enforceLimits(now);
    this.#refuseWaitingUnlessUsable();
    for (const waiting of this.#waiting) {
      const { call, openedAt, waitUntil } = waiting.parts;
      const isOver = now - openedAt >= call.lifetimeMs;
      if (!isOver && now < waitUntil) continue;
      this.#waiting.delete(waiting);
      waiting.refuse(isOver ? accessEnded() : noLane(this.clusterId));
    }
    if (this.#waiting.size > 0) this.#askForMore();
  }

  /** A free lane of the usable connection with the fewest requests. */
  #takeLane(): Lane | undefined {
    const now = this.#monotonic();
    for (;;) {
      let best: Connection | undefined;
      for (const connection of this.#connections) {
        if (connection.freeLanes === 0 || !connection.isUsable(now)) continue;
        if (!best || connection.busyLanes < best.busyLanes) best = connection;
      }
      if (!best) return undefined;
      // Lanes that were closed a moment ago are passed over, and counted no more.
      const lane = best.takeLane();
      if (lane) return lane;
    }
  }

  #isUsable(): boolean {
    const now = this.#monotonic();
    for (const connection of this.#connections) {
      if (connection.isUsable(now)) return true;
    }
    return false;
  }

  #carry(lane: Lane, { call, handlers, openedAt }: Pick<WaitingParts, 'call' | 'handlers' | 'openedAt'>): LaneExchange {
    const head = headOf(call, this.#monotonic() - openedAt);
    return lane.carry({ head, handlers, bodyless: call.bodyless });
  }

  #askForMore(): void {
    const now = this.#monotonic();
    const usable = [...this.#connections].filter((connection) => connection.isUsable(now));
    const [least] = usable.toSorted((one, other) => one.lanes - other.lanes);
    least?.askForLanes(this.#waiting.size);
  }

  #refuseWaitingUnlessUsable(): void {
    if (this.#waiting.size === 0 || this.#isUsable()) return;
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting);
      waiting.refuse(notConnected(this.clusterId, this.#nameOf(this.clusterId)));
    }
  }
}

/** An exchange that never begins. Its handlers are called once their caller knows it. */
export function refusedExchange(handlers: LaneHandlers, refusal: Refusal): LaneExchange {
  let cancelled = false;
  queueMicrotask(() => {
    if (!cancelled) handlers.fail(refusal);
  });
  const nothing = (): void => undefined;
  return { write: () => true, end: nothing, resume: nothing, cancel: () => void (cancelled = true) };
}

function headOf(call: LaneCall, waitedMs: number): RequestHead {
  return {
    method: call.method,
    target: call.target,
    headers: call.headers,
    impersonateUser: call.impersonateUser,
    impersonateGroups: call.impersonateGroups,
    requestId: call.requestId,
    headTimeoutMs: Math.max(1, Math.ceil(call.headTimeoutMs - waitedMs)),
    // 0 would mean no limit.
    lifetimeMs: Math.max(1, Math.floor(call.lifetimeMs - waitedMs)),
    notAfterMs: call.notAfter.getTime(),
    upgrade: call.upgrade,
  };
}

const accessEnded = (): Refusal => new Refusal('TUNNEL_ERROR', 'The access on which this request rested has ended.');

/** The refusal while no agent of the cluster can take a request. */
export const notConnected = (clusterId: ClusterId, clusterName: string): Refusal =>
  new Refusal(
    'AGENT_NOT_CONNECTED',
    `The agent of cluster '${clusterName}' is not connected. Check 'kubectl -n clustral logs deploy/clustral-agent' there.`,
    { clusterId, clusterName },
  );

const tooMany = (clusterId: ClusterId): Refusal =>
  new Refusal(
    'TUNNEL_ERROR',
    `${mostWaiting} requests wait for the agent of cluster ${clusterId} already; this one was not sent. Try again in a few seconds.`,
    { clusterId },
  );

const noLane = (clusterId: ClusterId): Refusal =>
  new Refusal(
    'TUNNEL_TIMEOUT',
    `The agent of cluster ${clusterId} was busy with other requests for too long; this one was not sent. Try again.`,
    { clusterId },
  );
