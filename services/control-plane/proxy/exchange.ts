/**
 * One allowed request from the decision to its end: on record first where it must be, then through a lane of the cluster's
 * agent and back, both ways with back-pressure, each at most once (D22). It ends exactly once, whoever ends it: the agent,
 * the client, the clock, or a fact that took the permission away; and what it ended as is on record. A request that leaves
 * HTTP is the same request: only, after its 101 each direction has an end of its own.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { errorCatalogue, Refusal } from '@clustral/schemas/errors.ts';
import type { ProxyOutcome } from '@clustral/schemas/events/proxy.ts';
import type { ErrorAnswer } from '@clustral/kernel/http-errors.ts';
import type { Agents, LaneExchange, LaneHandlers, Policy } from '../ports.ts';
import type { Admitted } from './admission.ts';
import type { AuditTrail } from './audit-trail.ts';
import { isServiceProxy } from './kubernetes-request.ts';
import { laneCall, type Switching } from './lane-call.ts';
import type { EndReason, OpenPlace, OpenRequests } from './open-requests.ts';
import { endOf, unfinished } from './unfinished.ts';
import { isOpenApiIndex, prefixedIndex } from './openapi-index.ts';
import { proxyPrefix } from './path.ts';
import type { RequestRecord } from './proxy-records.ts';
import { replyHead, type ReplyHead } from './reply-head.ts';
import { Reply } from './reply.ts';

/** A request that is open this long is on record while it lasts (D30). */
const longMs = 5_000;

export type ExchangeOptions = {
  readonly policy: Pick<Policy, 'assertFresh'>;
  readonly agents: Pick<Agents, 'open'>;
  readonly trail: AuditTrail;
  readonly open: OpenRequests;
  readonly headTimeoutMs: number;
  readonly now: () => Date;
};

/** One request, its answer, and what both are called. */
export type ExchangeParts = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client's connection when it asked to leave HTTP. */
  readonly switching: Switching | undefined;
  readonly admitted: Admitted;
  readonly record: RequestRecord;
  answerOf(refusal: Refusal): ErrorAnswer;
};

/** Carries the request. Throws `RATE_LIMITED` or `STORE_UNAVAILABLE` when it was not begun; from then on it never throws. */
export async function carry(parts: ExchangeParts, options: ExchangeOptions): Promise<void> {
  const exchange = new Exchange(parts, options);
  // Before it is recorded, so that a revocation meanwhile finds it.
  exchange.register();
  await exchange.begin();
}

class Exchange implements LaneHandlers {
  readonly #parts: ExchangeParts;
  readonly #options: ExchangeOptions;
  readonly #reply: Reply;
  readonly #began = performance.now();
  #place: OpenPlace | undefined;
  #lane: LaneExchange | undefined;
  /** Where the client's bytes come from, once they are wanted. */
  #source: Readable | undefined;
  #length: number | undefined;
  #received = 0;
  #done = false;
  #onRecord = false;
  #startNoted = false;

  constructor(parts: ExchangeParts, options: ExchangeOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#reply = new Reply(parts.request, parts.response);
  }

  register(): void {
    const { admitted, response, switching } = this.#parts;
    const { clusterId, impersonation, decideAgain } = admitted;
    this.#place = this.#options.open.add({
      clusterId,
      upgraded: switching !== undefined,
      impersonation,
      decideAgain,
      cut: (reason, refusal) => this.#cut(reason, refusal),
      tick: () => this.#tick(),
    });
    response.once('close', () => this.#finish(this.#reply.endedBothWays ? 'completed' : 'client_closed', null));
    // The client may have gone while its token was verified.
    if (response.destroyed) this.#finish('client_closed', null);
  }

  async begin(): Promise<void> {
    const { trail, policy } = this.#options;
    const { record } = this.#parts;
    try {
      if (trail.isFull()) await trail.room();
      if (record.strict && !this.#done) {
        this.#onRecord = true;
        await trail.started(record);
      }
      // Ended while it waited: by a fact, the clock, or its client.
      if (this.#done) return;
      policy.assertFresh();
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      this.fail(thrown);
      return;
    }
    this.#send();
  }

  head(status: number, headers: readonly string[]): void {
    if (this.#done) return;
    if (this.#reply.status !== null) return this.#refuse(unfinished('began to answer twice'));
    const { admitted, request, switching } = this.#parts;
    const prefix = proxyPrefix + admitted.clusterId;
    const service = isServiceProxy(admitted.request);
    const context = { method: request.method ?? '', prefix, service, asked: switching?.protocol };
    try {
      const head = replyHead(status, headers, context);
      this.#length = head.length;
      this.#answer(head);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      this.#refuse(thrown);
    }
  }

  data(chunk: Buffer): boolean {
    if (this.#done) return true;
    if (this.#reply.status === null) {
      this.#refuse(unfinished('sent a body without a head'));
      return true;
    }
    if (this.#length !== undefined && this.#reply.bytes + chunk.length > this.#length) {
      this.#refuse(unfinished('sent more than it announced'));
      return true;
    }
    return this.#reply.data(chunk);
  }

  end(): void {
    if (this.#done) return;
    if (this.#reply.status === null) return this.#refuse(unfinished('ended before it began to answer'));
    if (this.#length !== undefined && this.#reply.bytes < this.#length) {
      return this.#refuse(unfinished('sent less than it announced'));
    }
    if (this.#reply.status === 101) return this.#reply.end();
    this.#parts.response.once('finish', () => this.#finish('completed', null));
    this.#reply.end();
    // Whatever is still being sent is not wanted any more.
    if (!this.#parts.request.complete) this.#parts.request.removeAllListeners('data').resume();
  }

  fail(refusal: Refusal): void {
    if (this.#done) return;
    this.#lane = undefined;
    this.#refuse(refusal);
  }

  drain(): void {
    if (!this.#done) this.#source?.resume();
  }

  #send(): void {
    const { request, response, admitted, record, switching } = this.#parts;
    const { headTimeoutMs, now } = this.#options;
    const { requestId } = record;
    this.#onRecord = true;
    const call = laneCall({ request, admitted, requestId, switching, headTimeoutMs, now: now() });
    const isIndex = isOpenApiIndex(call.method, call.target);
    const handlers = isIndex ? prefixedIndex(this, proxyPrefix + admitted.clusterId) : this;
    const lane = this.#options.agents.open(call, handlers);
    // A failure known at once has been told already.
    if (this.#done) return;
    this.#lane = lane;
    response.on('drain', () => {
      if (!this.#done) lane.resume();
    });
    if (!call.upgrade && !call.bodyless) this.#carryFrom(request, lane);
  }

  #answer(head: ReplyHead): void {
    const { switching } = this.#parts;
    if (switching === undefined) return this.#reply.head(head);
    if (head.status === 101) {
      this.#reply.switch(head, switching.socket);
      if (this.#lane) this.#carryFrom(switching.socket, this.#lane);
    } else {
      this.#reply.head(head);
      // What its client sent for another protocol is nothing to the cluster now (UP-01).
      this.#lane?.end();
    }
  }

  /** The client's bytes go to the lane as fast as it takes them, and then their end. */
  #carryFrom(source: Readable, lane: LaneExchange): void {
    this.#source = source;
    source.on('data', (chunk: Buffer) => {
      this.#received += chunk.length;
      if (!this.#done && !lane.write(chunk)) source.pause();
    });
    const end = (): void => void (this.#done || lane.end());
    if (source.readableEnded) end();
    else source.once('end', end);
  }

  #tick(): void {
    const { record } = this.#parts;
    const isLong = performance.now() - this.#began >= longMs;
    if (!isLong || record.strict || this.#startNoted || !this.#onRecord || this.#done) return;
    this.#startNoted = true;
    this.#options.trail.noteStarted(record);
  }

  /** A fact or the clock ended it. */
  #cut(reason: EndReason, refusal: Refusal): void {
    if (this.#done) return;
    this.#finish(reason, refusal);
    this.#tell(refusal);
  }

  /** It cannot be carried, or not to its end. */
  #refuse(refusal: Refusal): void {
    const over = this.#parts.admitted.impersonation.notAfter <= this.#options.now();
    this.#finish(over ? 'expired' : endOf(refusal), refusal);
    this.#tell(refusal);
  }

  #tell(refusal: Refusal): void {
    if (this.#reply.begun) this.#reply.abort();
    else this.#reply.answer(this.#parts.answerOf(refusal));
  }

  #finish(end: ProxyOutcome['end'], refusal: Refusal | null): void {
    if (this.#done) return;
    this.#done = true;
    if (this.#place) this.#options.open.remove(this.#place);
    this.#lane?.cancel();
    // What was never sent out: a strict request has no start then, and of others there may be no room for a record.
    const { record } = this.#parts;
    if (!this.#onRecord && (record.strict || this.#options.trail.isFull())) return;
    const status = this.#reply.begun || refusal === null ? this.#reply.status : errorCatalogue[refusal.code].http;
    this.#options.trail.ended(record, {
      status,
      bytesSent: this.#reply.bytes,
      bytesReceived: this.#received,
      durationMs: Math.round(performance.now() - this.#began),
      end,
      errorCode: refusal?.code ?? null,
    });
  }
}
