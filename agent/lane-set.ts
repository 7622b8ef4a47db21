/**
 * The lanes of one connection: keeps as many idle as the control plane wants, opens one more whenever one is taken or lost, up to
 * the limit it named. Lanes that are refused are not asked for again at once: a control plane that says no is left in
 * peace for a while.
 */
import type { ClientHttp2Session } from 'node:http2';
import { endStreamFromJson } from '@connectrpc/connect/protocol-connect';
import { TunnelService } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import type { LaneEncoder } from '@clustral/schemas/lane-codec.ts';
import { backoff } from './backoff.ts';
import type { Kubernetes } from './kubernetes.ts';
import { Lane, type LaneEnding, type LaneOwner } from './lane.ts';
import { refusalIn, type ControlPlaneRefusal } from './refusal-code.ts';

const exchangePath = `/${TunnelService.typeName}/${TunnelService.method.exchange.name}`;
/** Whatever a control plane asks for, an agent holds no more lanes on a connection (design h: 1,000 to 4,000). */
const mostLanes = 4_000;

export type LaneSetParts = {
  readonly session: ClientHttp2Session;
  readonly kubernetes: Pick<Kubernetes, 'open' | 'upgrade'>;
  readonly encoder: LaneEncoder;
  readonly monotonic: () => number;
  readonly random: () => number;
  /** The agent's token as it is now: a new one counts from the next lane on. */
  readonly token: () => string;
  readonly isSilent: () => boolean;
  readonly onRefused: (refusal: ControlPlaneRefusal) => void;
};

export class LaneSet implements LaneOwner {
  readonly kubernetes: Pick<Kubernetes, 'open' | 'upgrade'>;
  readonly encoder: LaneEncoder;
  readonly monotonic: () => number;
  readonly #parts: LaneSetParts;
  readonly #lanes = new Set<Lane>();
  readonly #busy = new Set<Lane>();
  #idleTarget = 0;
  #most = 0;
  #closed = false;
  #refusals = 0;
  #notBefore = 0;

  constructor(parts: LaneSetParts) {
    this.#parts = parts;
    this.kubernetes = parts.kubernetes;
    this.encoder = parts.encoder;
    this.monotonic = parts.monotonic;
  }

  get busy(): number {
    return this.#busy.size;
  }

  /** How many lanes shall be idle, and how many there may be at most. */
  setTarget(idle: number, most: number): void {
    this.#most = Math.min(mostLanes, Math.max(0, most));
    this.aim(idle);
  }

  aim(idle: number): void {
    this.#idleTarget = Math.min(this.#most, Math.max(0, idle));
    this.#refill();
  }

  /** One lane beyond the target, so that the control plane sees the present token; it sends a surplus lane away itself. */
  openOne(): void {
    if (!this.#closed && this.#lanes.size < this.#most) this.#open();
  }

  /** Opens no more lanes. What is under way goes on. */
  close(): void {
    this.#closed = true;
  }

  /** To be called several times a second. */
  tick(now: number): void {
    for (const lane of this.#busy) lane.enforceLimits(now);
    this.#refill();
  }

  acceptsRequests(): boolean {
    return !this.#parts.isSilent();
  }

  laneBusy(lane: Lane): void {
    this.#busy.add(lane);
    this.#refusals = 0;
    this.#refill();
  }

  laneFree(lane: Lane): void {
    this.#busy.delete(lane);
  }

  laneGone(lane: Lane, { wasUsed, refusal }: LaneEnding): void {
    this.#lanes.delete(lane);
    this.#busy.delete(lane);
    const reason = refusal && refusalOf(refusal);
    const isRetired = refusal !== undefined && reason === undefined;
    if (!wasUsed && !isRetired) {
      this.#refusals += 1;
      this.#notBefore = this.monotonic() + backoff(this.#refusals, this.#parts.random);
    }
    if (reason) this.#parts.onRefused(reason);
    this.#refill();
  }

  #refill(): void {
    if (this.#closed || this.#parts.isSilent() || this.monotonic() < this.#notBefore) return;
    while (this.#lanes.size - this.#busy.size < this.#idleTarget && this.#lanes.size < this.#most) this.#open();
  }

  #open(): void {
    const { session, token } = this.#parts;
    if (session.destroyed || session.closed) return this.close();
    const stream = session.request({
      ':method': 'POST',
      ':path': exchangePath,
      'content-type': 'application/connect+proto',
      'connect-protocol-version': '1',
      authorization: `Bearer ${token()}`,
    });
    this.#lanes.add(new Lane(stream, this));
  }
}

function refusalOf(endOfStream: Uint8Array): ControlPlaneRefusal | undefined {
  try {
    return refusalIn(endStreamFromJson(endOfStream).error);
  } catch {
    // Not Connect's JSON: it came from something between, and says nothing.
    return undefined;
  }
}
