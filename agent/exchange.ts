/**
 * One request on a lane: its limits in time, its way to the API server and its reply's way back, each with back-pressure. A small
 * reply goes into one message: what came is collected until it ends or the event loop has turned once. After an upgrade the two
 * directions end each by itself, and the request is over when both have. The rule it lives by: a reply that cannot be finished ends
 * with an error, never with an end.
 */
import { LaneViolation, type LaneFailure, type ReplyHead, type RequestHead } from '@clustral/schemas/lane-codec.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { UpstreamHandlers, UpstreamRequest } from './upstream.ts';

/** The lane that a request came on. */
export type ExchangeOwner = {
  readonly kubernetes: Pick<Kubernetes, 'open' | 'upgrade'>;
  sendReply(parts: { head?: ReplyHead; data?: readonly Uint8Array[]; end?: boolean; error?: LaneFailure }): boolean;
  sendData(chunk: Uint8Array): boolean;
  resumeBody(): void;
  exchangeOver(): void;
  /** Ends the lane: after the end of a reply nothing else says that the other direction broke. */
  reset(): void;
};

/** So much of a reply is collected before it is sent, if the event loop has not turned before. */
const mostCollectedBytes = 16_384;

export class Exchange implements UpstreamHandlers {
  readonly #head: RequestHead;
  readonly #owner: ExchangeOwner;
  readonly #headUntil: number;
  readonly #until: number;
  #upstream: UpstreamRequest | undefined;
  #begun = false;
  /** Body pieces that came before the request was begun. */
  #early: Uint8Array[] = [];
  #bodyEnded = false;
  #headSeen = false;
  /** The API server has left HTTP: what comes is bytes for it. */
  #switched = false;
  /** The reply has ended, or its failure was told. */
  #replied = false;
  #cancelled = false;
  /** A reply's beginning that was not sent yet. */
  #collected: { readonly head: ReplyHead; readonly data: Buffer[]; bytes: number } | undefined;

  /** `now` is monotonic, milliseconds. */
  constructor(head: RequestHead, owner: ExchangeOwner, now: number) {
    this.#head = head;
    this.#owner = owner;
    this.#headUntil = head.headTimeoutMs > 0 ? now + head.headTimeoutMs : Infinity;
    this.#until = head.lifetimeMs > 0 ? now + head.lifetimeMs : Infinity;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** True when the whole request has come. */
  get bodyEnded(): boolean {
    return this.#bodyEnded;
  }

  /** Sends the request. To be called when all that came with its head was taken in. */
  begin(): void {
    this.#begun = true;
    const { kubernetes } = this.#owner;
    const early = this.#early;
    this.#early = [];
    const bodyless = this.#bodyEnded && early.length === 0 && !this.#head.upgrade;
    const upstream = this.#head.upgrade
      ? kubernetes.upgrade(this.#head, this)
      : kubernetes.open(this.#head, { bodyless }, this);
    // A failure known at once has been told already.
    if (this.#replied) return;
    this.#upstream = upstream;
    if (bodyless) return;
    for (const piece of early) upstream.write(piece);
    if (this.#bodyEnded) upstream.end();
  }

  /** Answers without asking the API server. */
  refuse(message: string): void {
    this.#begun = true;
    this.#fail({ code: 'TUNNEL_ERROR', message });
  }

  /**
   * A piece of the request's body, or of what an upgraded connection carries. False = no more until the lane is resumed. Throws
   * `LaneViolation` for bytes before the 101: were the upgrade refused, they would be a request of the agent's own (UP-01).
   */
  body(piece: Uint8Array): boolean {
    if (this.#head.upgrade && !this.#switched) throw new LaneViolation('data before an upgrade was answered');
    if (this.#upstream) return this.#upstream.write(piece);
    // A reply that did not wait for the body: the rest is not wanted.
    if (!this.#replied) this.#early.push(piece);
    return true;
  }

  bodyEnd(): void {
    this.#bodyEnded = true;
    this.#upstream?.end();
    if (this.#replied) this.#over();
  }

  /** The lane takes more of the reply. */
  drained(): void {
    this.#upstream?.resume();
  }

  /** The lane is gone: nobody waits for an answer. */
  cancel(): void {
    this.#cancelled = true;
    this.#replied = true;
    this.#collected = undefined;
    this.#early = [];
    this.#upstream?.cancel();
    this.#upstream = undefined;
  }

  /** To be called several times a second. */
  enforceLimits(now: number): void {
    if (!this.#upstream) return;
    if (now >= this.#until) {
      this.#give({ code: 'TUNNEL_ERROR', message: 'The access on which this request rested has ended.' });
    } else if (!this.#headSeen && now >= this.#headUntil) {
      const seconds = Math.ceil(this.#head.headTimeoutMs / 1000);
      this.#give({
        code: 'TUNNEL_TIMEOUT',
        message: `The cluster's API server did not begin to answer within ${seconds} s.`,
      });
    }
  }

  head(status: number, headers: readonly string[]): void {
    if (this.#replied) return;
    this.#headSeen = true;
    this.#switched = this.#head.upgrade && status === 101;
    this.#collected = { head: { status, headers }, data: [], bytes: 0 };
    setImmediate(flush, this);
  }

  data(chunk: Buffer): boolean {
    if (this.#replied) return true;
    const collected = this.#collected;
    if (!collected) return this.#owner.sendData(chunk);
    collected.data.push(chunk);
    collected.bytes += chunk.length;
    return collected.bytes <= mostCollectedBytes || this.flush();
  }

  end(): void {
    if (this.#replied) return;
    const collected = this.#collected;
    this.#collected = undefined;
    this.#owner.sendReply({ ...(collected && { head: collected.head, data: collected.data }), end: true });
    this.#replied = true;
    // The other direction of an upgraded connection goes on by itself.
    if (!this.#switched || this.#bodyEnded) this.#over();
  }

  fail(failure: LaneFailure): void {
    this.#fail(failure);
  }

  drain(): void {
    if (this.#upstream) this.#owner.resumeBody();
  }

  /** Sends what was collected. False = wait until the lane is drained. */
  flush(): boolean {
    const collected = this.#collected;
    if (!collected) return true;
    this.#collected = undefined;
    return this.#owner.sendReply({ head: collected.head, data: collected.data });
  }

  // Our own decision: the API server is told as well.
  #give(failure: LaneFailure): void {
    this.#upstream?.cancel();
    this.#fail(failure);
  }

  #fail(error: LaneFailure): void {
    if (this.#cancelled) return;
    if (this.#replied) return this.#breakOff();
    // A head that nobody has seen yet is worth less than the reason why nothing follows it.
    this.#collected = undefined;
    this.#owner.sendReply({ error });
    this.#over();
  }

  #breakOff(): void {
    if (!this.#upstream) return;
    this.#upstream = undefined;
    this.#owner.reset();
  }

  #over(): void {
    this.#replied = true;
    this.#upstream = undefined;
    this.#early = [];
    if (this.#bodyEnded) this.#owner.exchangeOver();
    else this.#owner.resumeBody();
  }
}

function flush(exchange: Exchange): void {
  exchange.flush();
}
