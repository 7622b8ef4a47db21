/**
 * One connection of one agent process: its lanes, its pulse, and what is said to it on `Control`. It decides nothing about
 * identity. The rule it lives by (D35): silent for 15 s it gets no new request, silent for 30 s it is destroyed, and its end
 * ends nothing but itself.
 */
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Refusal } from '@clustral/schemas/errors.ts';
import type { ControlDownSchema } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import type { LaneEncoder } from '@clustral/schemas/lane-codec.ts';
import type { PresentedIdentity } from '../domain/cluster-agent.ts';
import type { Peer } from './authenticator.ts';
import { Lane, type LaneOwner } from './lane.ts';
import type { Outbox } from '@clustral/kernel/outbox.ts';
import { endOfStream } from './refused-stream.ts';

/** How many lanes an agent keeps free when little happens. Each open stream costs memory on both ends. */
export const idleLanes = 4;
/** How many lanes one connection may have. */
export const mostLanes = 2_000;

const pingEveryMs = 5_000;
const silentAfterMs = 15_000;
const deadAfterMs = 30_000;
const shrinkEveryMs = 30_000;
const farewellMs = 300;

export type ControlMessage = NonNullable<MessageInitShape<typeof ControlDownSchema>['message']>;

/** Who is at the other end, as it said in its hello; texts are cut already. */
export type AgentProcess = {
  readonly instanceId: string;
  readonly agentVersion: string;
  readonly kubernetesVersion: string;
};

export type ConnectionParts = {
  readonly session: ServerHttp2Session;
  readonly peer: Peer;
  readonly identity: PresentedIdentity;
  readonly process: AgentProcess;
  readonly outbox: Outbox<ControlMessage>;
  readonly connectedAt: Date;
  readonly encoder: LaneEncoder;
  readonly monotonic: () => number;
  /** A lane is free for the next request. */
  readonly onFreeLane: (connection: Connection) => void;
  readonly onViolation: (what: string) => void;
};

export class Connection implements LaneOwner {
  readonly parts: ConnectionParts;
  readonly encoder: LaneEncoder;
  readonly monotonic: () => number;
  readonly #lanes = new Set<Lane>();
  readonly #free: Lane[] = [];
  #open = true;
  #target = idleLanes;
  #askedSinceShrink = false;
  /** The fewest free lanes since the last shrinking: so many were never needed. */
  #leastFree = 0;
  #shrunkAt: number;
  #pingedAt: number;
  #heardAt: number;
  roundTripMs: number | undefined;
  lastHeartbeatAt: Date;
  tokenExpiresAt: Date;

  constructor(parts: ConnectionParts, tokenExpiresAt: Date) {
    this.parts = parts;
    this.encoder = parts.encoder;
    this.monotonic = parts.monotonic;
    this.lastHeartbeatAt = parts.connectedAt;
    this.tokenExpiresAt = tokenExpiresAt;
    const now = parts.monotonic();
    this.#shrunkAt = now;
    this.#pingedAt = now;
    this.#heardAt = now;
  }

  get freeLanes(): number {
    return this.#free.length;
  }
  get lanes(): number {
    return this.#lanes.size;
  }
  get busyLanes(): number {
    return this.#lanes.size - this.#free.length;
  }

  /** False while the agent is silent, and once either side wants to go. */
  isUsable(now: number): boolean {
    return this.#open && now - this.#heardAt < silentAfterMs;
  }

  /** Takes in a stream that the agent opened as a lane. */
  offer(stream: ServerHttp2Stream): void {
    if (!this.#open || this.#lanes.size >= mostLanes || stream.readableEnded) {
      stream.on('error', () => undefined);
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/connect+proto' });
    const lane = new Lane(stream, this);
    this.#lanes.add(lane);
    this.laneFree(lane);
  }

  /** A free lane, no longer free: the last used. Undefined when all that were free have just been closed. */
  takeLane(): Lane | undefined {
    for (let lane = this.#free.pop(); lane; lane = this.#free.pop()) {
      this.#leastFree = Math.min(this.#leastFree, this.#free.length);
      if (lane.isOpen) return lane;
    }
    return undefined;
  }

  laneFree(lane: Lane): void {
    this.#free.push(lane);
    if (this.#open) this.parts.onFreeLane(this);
  }

  laneGone(lane: Lane): void {
    this.#lanes.delete(lane);
    const place = this.#free.indexOf(lane);
    if (place >= 0) this.#free.splice(place, 1);
  }

  laneViolated(what: string): void {
    this.parts.onViolation(what);
  }

  /** Requests wait: asks for so many free lanes, at least twice as many as before. */
  askForLanes(count: number): void {
    this.#askedSinceShrink = true;
    if (count <= this.#target) return;
    const target = Math.min(mostLanes, Math.max(count, this.#target * 2));
    if (target === this.#target) return;
    this.#target = target;
    this.say({ case: 'lanes', value: { idle: target } });
  }

  say(message: ControlMessage): void {
    if (!this.parts.outbox.push(message)) this.parts.session.destroy();
  }

  /** To be called about once a second. */
  enforceLimits(now: number): void {
    for (const lane of this.#lanes) lane.enforceLimits(now);
    if (now - this.#heardAt >= deadAfterMs) {
      this.parts.session.destroy();
      return;
    }
    if (now - this.#pingedAt >= pingEveryMs) this.#ping(now);
    if (now - this.#shrunkAt >= shrinkEveryMs) this.#shrink(now);
  }

  /** The lanes whose replies wait for their callers. */
  *stalled(): Iterable<{ readonly lane: Lane; readonly since: number; readonly bytes: number }> {
    for (const lane of this.#lanes) {
      const stalled = lane.stalled;
      if (stalled) yield { lane, ...stalled };
    }
  }

  /** No new requests; those under way go on. */
  drain(): void {
    this.#open = false;
  }

  /** Ends every request with the refusal and the connection after a last word, at once for the callers. */
  end(refusal: Refusal, lastWord?: ControlMessage): void {
    this.#open = false;
    for (const lane of this.#lanes) lane.fail(refusal);
    if (lastWord) this.parts.outbox.push(lastWord);
    this.parts.outbox.close();
    setTimeout(() => this.parts.session.destroy(), farewellMs).unref();
  }

  #ping(now: number): void {
    const { session } = this.parts;
    if (session.destroyed) return;
    this.#pingedAt = now;
    session.ping((error, durationMs) => {
      if (error) return;
      this.roundTripMs = durationMs;
      this.#heardAt = this.monotonic();
    });
  }

  #shrink(now: number): void {
    this.#shrunkAt = now;
    const surplus = this.#leastFree - idleLanes;
    this.#leastFree = this.#free.length;
    if (!this.#askedSinceShrink && this.#target !== idleLanes) {
      this.#target = idleLanes;
      this.say({ case: 'lanes', value: { idle: idleLanes } });
    }
    this.#askedSinceShrink = false;
    // The last used are taken first, so the first in the list are those that nobody needed.
    for (const lane of this.#free.splice(0, Math.max(0, surplus))) lane.retire(farewell);
  }
}

const farewell = endOfStream();
