/**
 * The agent's end of a lane: an HTTP/2 stream that it opened and keeps, and on which the control plane sends one request at a
 * time. A reset from there is a cancel, felt at the API server at once; then the lane is gone and another is opened.
 *
 *   control plane              agent
 *                       <-----  (empty message: idle)
 *     head, data*, end  ----->
 *                       <-----  head, data*, end | error
 *     RST_STREAM        ----->  cancel
 *
 * Invariant: between the end of one reply, with the end of its request, and the next head nothing is sent. What comes out of
 * turn resets this lane and reaches nobody else (TN-12).
 */
import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import { LaneViolation, type LaneEncoder, type LaneFailure, type ReplyHead } from '@clustral/schemas/lane-codec.ts';
import { readRequestHead } from '@clustral/schemas/lane-heads.ts';
import { LaneReader, type LaneSink } from '@clustral/schemas/lane-reader.ts';
import { Exchange, type ExchangeOwner } from './exchange.ts';
import type { Kubernetes } from './kubernetes.ts';

/** Why a lane is gone. `refusal` is the end of the stream as the control plane wrote it, JSON. */
export type LaneEnding = { readonly wasUsed: boolean; readonly refusal: Uint8Array | undefined };

/** Whom a lane tells what becomes of it. */
export type LaneOwner = {
  readonly encoder: LaneEncoder;
  readonly kubernetes: Pick<Kubernetes, 'open' | 'upgrade'>;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  /** False while an answer may not reach the control plane: nothing new is begun then (F-18). */
  acceptsRequests(): boolean;
  laneBusy(lane: Lane): void;
  laneFree(lane: Lane): void;
  laneGone(lane: Lane, ending: LaneEnding): void;
};

/** Says that the lane is idle, so that the control plane's answer to its opening has something to go with. */
const idleNote = Buffer.alloc(5);
/** Reply bytes up to here are copied into one message with their prefix; more are written behind it. */
const copiedBytes = 4096;

export class Lane implements LaneSink, ExchangeOwner {
  readonly #stream: ClientHttp2Stream;
  readonly #owner: LaneOwner;
  readonly #reader: LaneReader;
  #exchange: Exchange | undefined;
  #wasUsed = false;
  #refusal: Uint8Array | undefined;

  constructor(stream: ClientHttp2Stream, owner: LaneOwner) {
    this.#stream = stream;
    this.#owner = owner;
    this.#reader = new LaneReader(this);
    stream.on('response', (headers) => this.#opened(headers));
    stream.on('drain', () => this.#exchange?.drained());
    // The control plane is gone without a word, or has said it in a trailer.
    stream.on('end', () => this.#ended());
    stream.on('close', () => this.#closed());
    // An error closes the stream too, and is told of there.
    stream.on('error', () => undefined);
    stream.write(idleNote);
  }

  get kubernetes(): Pick<Kubernetes, 'open' | 'upgrade'> {
    return this.#owner.kubernetes;
  }

  /** Ends the request when its time is over. To be called several times a second. */
  enforceLimits(now: number): void {
    this.#exchange?.enforceLimits(now);
  }

  /** Ends the lane and whatever is on it. */
  reset(code: number = constants.NGHTTP2_CANCEL): void {
    this.#reader.stop();
    this.#stream.close(code);
    // A stream that waits for its reader would not close.
    this.#stream.resume();
    this.#cancel();
  }

  head(message: Uint8Array): void {
    if (this.#exchange) throw new LaneViolation('a head while a request is under way');
    const head = readRequestHead(message);
    this.#wasUsed = true;
    this.#exchange = new Exchange(head, this, this.#owner.monotonic());
    this.#owner.laneBusy(this);
  }

  data(piece: Uint8Array): void {
    if (!this.#expect('data').body(piece)) this.#stream.pause();
  }

  end(): void {
    this.#expect('an end').bodyEnd();
  }

  error(): void {
    throw new LaneViolation('a failure, which is not for the control plane to send');
  }

  // The control plane has enough lanes, or refuses this one.
  trailer(json: Uint8Array): void {
    this.#refusal = Uint8Array.from(json);
  }

  /** One message of the reply. False = wait for `drained`. */
  sendReply(parts: { head?: ReplyHead; data?: readonly Uint8Array[]; end?: boolean; error?: LaneFailure }): boolean {
    return this.#canWrite() && this.#stream.write(Buffer.from(this.#owner.encoder.reply(parts)));
  }

  /** A piece of the reply's body. False = wait for `drained`. */
  sendData(chunk: Uint8Array): boolean {
    if (!this.#canWrite()) return true;
    if (chunk.length <= copiedBytes) return this.sendReply({ data: [chunk] });
    this.#stream.cork();
    this.#stream.write(Buffer.from(this.#owner.encoder.dataPrefix(chunk.length)));
    const more = this.#stream.write(chunk);
    this.#stream.uncork();
    return more;
  }

  /** More of the request's body is wanted. */
  resumeBody(): void {
    this.#stream.resume();
  }

  /** Request and reply have both ended: the lane may carry the next. */
  exchangeOver(): void {
    this.#exchange = undefined;
    this.#stream.resume();
    this.#owner.laneFree(this);
  }

  #expect(what: string): Exchange {
    if (!this.#exchange || this.#exchange.bodyEnded) throw new LaneViolation(`${what} without a request`);
    return this.#exchange;
  }

  #canWrite(): boolean {
    return !this.#stream.destroyed && !this.#stream.writableEnded;
  }

  #opened(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    if (headers[':status'] !== 200 || headers['content-type'] !== 'application/connect+proto') {
      this.reset();
      return;
    }
    // Not before: data may be announced ahead of the head that came with it.
    this.#stream.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  #read(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (violation) {
      if (!(violation instanceof LaneViolation)) throw violation;
      this.reset(constants.NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    const exchange = this.#exchange;
    if (!exchange || exchange.begun) return;
    if (this.#owner.acceptsRequests()) exchange.begin();
    else exchange.refuse('The agent has not heard from the control plane for too long to begin a request.');
  }

  #ended(): void {
    if (!this.#stream.writableEnded) this.#stream.end();
    this.#cancel();
  }

  #cancel(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.cancel();
  }

  #closed(): void {
    this.#reader.stop();
    this.#cancel();
    this.#owner.laneGone(this, { wasUsed: this.#wasUsed, refusal: this.#refusal });
  }
}
