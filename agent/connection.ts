/**
 * One connection to the control plane: its `Control` stream, its pulse, and its lanes. With `Control` it lives and dies. It decides
 * nothing about the identity: what the control plane says of that is handed on. The rule it lives by (D35): silent for 15 s it
 * begins nothing new, silent for 30 s it is over, and leaving it lets what is under way finish.
 */
import type { ClientHttp2Session } from 'node:http2';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import {
  TunnelService,
  type ControlDown,
  type ControlHello,
  type ControlUpSchema,
} from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import { transportOn } from './control-plane-session.ts';
import { LaneSet, type LaneSetParts } from './lane-set.ts';
import { Outbox } from '@clustral/kernel/outbox.ts';
import { Pulse } from './pulse.ts';

const helloMs = 15_000;
/** How long a connection that leaves must have been without a request before it ends: one may still be on its way. */
const quietMs = 300;
/** How long one that leaves may take (D36: within the hour). */
const longestFarewellMs = 50 * 60_000;
const shortestHeartbeatMs = 1_000;

/** Who dials. */
export type AgentProcess = {
  readonly agentVersion: string;
  readonly kubernetesVersion: string;
  readonly instanceId: string;
};

/** How a connection came to its end, or that another shall take its place while this one finishes. */
export type Leaving =
  | { readonly kind: 'closed'; readonly error: unknown }
  | { readonly kind: 'replace'; readonly afterMs: number };

export type ConnectionParts = Omit<LaneSetParts, 'isSilent'> & {
  readonly session: ClientHttp2Session;
  readonly url: URL;
  readonly process: AgentProcess;
  readonly now: () => Date;
  readonly heartbeatIntervalMs: number;
  /** False when the control plane is not the newest seen: the connection ends then (D18). */
  readonly onEpoch: (epoch: bigint) => boolean;
  readonly onRevoked: (reason: string) => void;
  readonly onTrustBundle: (caBundlePem: string) => void;
};

type Up = MessageInitShape<typeof ControlUpSchema>;

export class Connection {
  readonly #parts: ConnectionParts;
  readonly #lanes: LaneSet;
  readonly #pulse: Pulse;
  readonly #outbox = new Outbox<Up>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #left = Promise.withResolvers<Leaving>();
  readonly #abort = new AbortController();
  #helloUntil: number;
  #heartbeatEveryMs: number;
  #heartbeatAt = 0;
  #isOpen = false;
  #draining: { readonly until: number } | undefined;
  #quietSince: number | undefined;
  epoch = -1n;

  constructor(parts: ConnectionParts) {
    const { session, monotonic } = parts;
    this.#parts = parts;
    this.#pulse = new Pulse(session, monotonic());
    this.#lanes = new LaneSet({ ...parts, isSilent: () => this.#pulse.isSilent(monotonic()) });
    this.#helloUntil = monotonic() + helloMs;
    this.#heartbeatEveryMs = parts.heartbeatIntervalMs;
    // Whoever waits for the opening hears of a failure; nobody must.
    this.#opened.promise.catch(() => undefined);
    session.once('close', () => this.#end(closedBy('the connection was lost')));
    session.once('goaway', () => this.replace(0));
    void this.#speak();
  }

  /** Resolves when the control plane has answered the hello; rejects when it never will. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Resolves when another connection is needed in this one's place. */
  get left(): Promise<Leaving> {
    return this.#left.promise;
  }

  get isUsable(): boolean {
    return this.#isOpen && !this.#draining && !this.#pulse.isSilent(this.#parts.monotonic());
  }

  /** Resolves when nothing is left of it. */
  get closed(): Promise<void> {
    const { session } = this.#parts;
    return session.destroyed ? Promise.resolve() : new Promise((resolve) => session.once('close', () => resolve()));
  }

  /** To be called several times a second. */
  tick(now: number): void {
    this.#pulse.tick(now);
    this.#lanes.tick(now);
    if (!this.#isOpen && now >= this.#helloUntil) {
      this.destroy(Object.assign(new Error('no hello from the control plane'), { code: 'ETIMEDOUT' }));
      return;
    }
    if (this.#isOpen && now - this.#heartbeatAt >= this.#heartbeatEveryMs) this.#beat(now);
    this.#leaveWhenQuiet(now);
  }

  /** Asks for another connection in this one's place. */
  replace(afterMs: number): void {
    this.#left.resolve({ kind: 'replace', afterMs });
  }

  /** Takes no new requests, lets those under way finish, and ends. `limitMs` cuts that short. */
  drain(limitMs = longestFarewellMs): void {
    const until = this.#parts.monotonic() + limitMs;
    if (this.#draining && this.#draining.until <= until) return;
    if (!this.#draining) this.#outbox.push({ message: { case: 'drain', value: {} } });
    this.#draining = { until };
    this.#lanes.close();
  }

  /** Shows the present token to the control plane. */
  showToken(): void {
    if (this.isUsable) this.#lanes.openOne();
  }

  /** Ends it with all that is under way. */
  destroy(error: unknown): void {
    this.#end(error);
    this.#parts.session.destroy();
  }

  async #speak(): Promise<void> {
    const { session, url, process, token } = this.#parts;
    this.#outbox.push({ message: { case: 'hello', value: { ...process } } });
    try {
      const client = createClient(TunnelService, transportOn(session, url));
      const options = { headers: { authorization: `Bearer ${token()}` }, signal: this.#abort.signal };
      for await (const { message } of client.control(this.#outbox, options)) this.#take(message);
      this.destroy(closedBy('the control plane ended the connection'));
    } catch (error) {
      this.destroy(error);
    }
  }

  #take(message: ControlDown['message']): void {
    switch (message.case) {
      case 'hello':
        this.#hello(message.value);
        break;
      case 'lanes':
        this.#lanes.aim(message.value.idle);
        break;
      case 'drain':
        this.replace(Math.max(0, message.value.reconnectAfterMs));
        break;
      case 'revoked':
        this.#parts.onRevoked(message.value.reason);
        break;
      case 'trustBundle':
        this.#parts.onTrustBundle(message.value.caBundlePem);
        break;
      // What a newer control plane says and this build does not know.
      default:
    }
  }

  #hello({ epoch, heartbeatIntervalMs, idleLanes, maxLanes }: ControlHello): void {
    this.epoch = epoch;
    if (!this.#parts.onEpoch(epoch)) {
      this.destroy(new Error('the control plane was replaced by a newer one'));
      return;
    }
    if (heartbeatIntervalMs > 0) {
      this.#heartbeatEveryMs = Math.max(shortestHeartbeatMs, Math.min(heartbeatIntervalMs, this.#heartbeatEveryMs));
    }
    this.#heartbeatAt = this.#parts.monotonic();
    this.#isOpen = true;
    this.#lanes.setTarget(idleLanes, maxLanes);
    this.#opened.resolve();
  }

  #beat(now: number): void {
    this.#heartbeatAt = now;
    const value = { sentAt: timestampFromDate(this.#parts.now()), openRequests: this.#lanes.busy };
    this.#outbox.push({ message: { case: 'heartbeat', value } });
  }

  #leaveWhenQuiet(now: number): void {
    if (!this.#draining) return;
    this.#quietSince = this.#lanes.busy > 0 ? undefined : (this.#quietSince ?? now);
    // A request may have been sent before the control plane read that this connection leaves.
    const rest = Math.max(quietMs, 2 * (this.#pulse.roundTripMs ?? 0));
    const isQuiet = this.#quietSince !== undefined && now - this.#quietSince >= rest;
    if (isQuiet || now >= this.#draining.until) this.destroy(closedBy('it left'));
  }

  #end(error: unknown): void {
    this.#isOpen = false;
    this.#lanes.close();
    this.#outbox.close();
    this.#abort.abort();
    this.#opened.reject(error);
    this.#left.resolve({ kind: 'closed', error });
  }
}

const closedBy = (what: string): Error => Object.assign(new Error(what), { code: 'ECONNRESET' });
