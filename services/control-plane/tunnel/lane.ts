/**
 * One lane: an HTTP/2 stream that the agent opened and that carries one kubectl request at a time and is then used again, so a
 * slow `kubectl logs -f` fills its own window, never its neighbours'.
 *
 *   control plane              agent
 *     head, data*, end  ----->
 *                       <-----  head, data*, end | error
 *     RST_STREAM        ----->  cancel: the lane is gone, the agent opens another
 *
 * A head 101 leaves HTTP: data and one end go each way, in any order, and the lane is free when both ends have been.
 *
 * Invariant: nothing is read from a lane between the end of one reply and the next head. Whatever comes out of turn resets
 * this lane and reaches nobody else (TN-12).
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { Refusal } from '@clustral/schemas/errors.ts';
import { LaneViolation, type LaneEncoder } from '@clustral/schemas/lane-codec.ts';
import { readFailure, readReplyHead } from '@clustral/schemas/lane-heads.ts';
import { LaneReader, type LaneSink } from '@clustral/schemas/lane-reader.ts';
import type { LaneExchange } from '../ports.ts';
import { CarriedRequest, type Cargo } from './carried-request.ts';
import { agentRefusal, isReplyHead } from './reply-check.ts';

/** Whom a lane tells what became of it. */
export type LaneOwner = {
  readonly encoder: LaneEncoder;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  /** It may carry the next request. */
  laneFree(lane: Lane): void;
  laneGone(lane: Lane): void;
  /** The agent broke the protocol on it. */
  laneViolated(what: string): void;
};

/** Body bytes up to here are copied into one message with their prefix; more are written behind it. */
const copiedBytes = 4096;

export class Lane implements LaneSink {
  readonly #stream: ServerHttp2Stream;
  readonly #owner: LaneOwner;
  readonly #reader: LaneReader;
  #carried: CarriedRequest | undefined;
  #isReading = false;
  #pausedAt: number | undefined;

  constructor(stream: ServerHttp2Stream, owner: LaneOwner) {
    this.#stream = stream;
    this.#owner = owner;
    this.#reader = new LaneReader(this);
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('drain', () => this.#carried?.handlers.drain());
    // An agent that ends its side of a lane has left it.
    stream.on('end', () => this.fail(lost()));
    stream.on('close', () => this.#closed());
    // An error closes the stream too, and is told of there.
    stream.on('error', () => undefined);
  }

  get isOpen(): boolean {
    return !this.#stream.closed && !this.#stream.destroyed;
  }

  /** Since when the caller has not wanted more of the reply, and how much of it waits; undefined when nothing waits. */
  get stalled(): { readonly since: number; readonly bytes: number } | undefined {
    return this.#pausedAt === undefined ? undefined : { since: this.#pausedAt, bytes: this.#stream.readableLength };
  }

  /** Sends a request on a free lane. */
  carry(cargo: Cargo): LaneExchange {
    const carried = new CarriedRequest(cargo, this.#owner.monotonic());
    this.#carried = carried;
    this.#stream.write(Buffer.from(this.#owner.encoder.request({ head: cargo.head, end: cargo.bodyless })));
    const isCurrent = (): boolean => this.#carried === carried;
    return {
      write: (chunk) => !isCurrent() || carried.sent || this.#writeData(chunk),
      end: () => void (isCurrent() && !carried.sent && this.#writeEnd(carried)),
      resume: () => void (isCurrent() && this.#resume()),
      cancel: () => void (isCurrent() && this.reset()),
    };
  }

  /** Fails the request with the refusal, if there is one, and resets the lane. */
  fail(refusal: Refusal): void {
    const carried = this.#carried;
    this.reset();
    carried?.handlers.fail(refusal);
  }

  /** Drops the lane without a word to whoever used it. */
  reset(code: number = constants.NGHTTP2_CANCEL): void {
    this.#carried = undefined;
    this.#reader.stop();
    this.#stream.close(code);
  }

  /** Ends a free lane in good order: the agent opens no other for it. */
  retire(endOfStream: Buffer): void {
    this.#stream.end(endOfStream);
  }

  /** Fails the request when its time is over. To be called about once a second. */
  enforceLimits(now: number): void {
    const refusal = this.#carried?.overdue(now);
    if (refusal) this.fail(refusal);
  }

  head(message: Uint8Array): void {
    const carried = this.#expect('a head');
    if (carried.headSeen) throw new LaneViolation('a second head');
    const { status, headers } = readReplyHead(message);
    if (!isReplyHead(status, headers, carried.upgrade)) throw new LaneViolation('a head that no HTTP answer can have');
    carried.headSeen = true;
    carried.switched = status === 101;
    carried.handlers.head(status, headers);
  }

  data(piece: Uint8Array): void {
    const { handlers, headSeen } = this.#expect('data');
    if (!headSeen) throw new LaneViolation('data before a head');
    if (handlers.data(asBuffer(piece)) || this.#carried?.handlers !== handlers) return;
    this.#pausedAt ??= this.#owner.monotonic();
    this.#stream.pause();
  }

  end(): void {
    const carried = this.#expect('an end');
    if (!carried.headSeen) throw new LaneViolation('an end before a head');
    carried.answered = true;
    if (carried.isOver) this.#over(carried);
    carried.handlers.end();
  }

  error(message: Uint8Array): void {
    // The way to the cluster may also break after the other way has ended.
    const carried = this.#carried ?? this.#expect('a failure');
    const refusal = agentRefusal(readFailure(message));
    this.#over(carried);
    carried.handlers.fail(refusal);
  }

  trailer(): void {
    throw new LaneViolation('the end of a stream that is not the agent’s to end');
  }

  #expect(what: string): CarriedRequest {
    if (!this.#carried || this.#carried.answered) throw new LaneViolation(`${what} without a request`);
    return this.#carried;
  }

  #over(carried: CarriedRequest): void {
    this.#carried = undefined;
    this.#resume();
    // The rest of a body that nobody wants cannot be told from the next request's.
    if (!carried.sent) this.reset();
  }

  #read(chunk: Buffer): void {
    const before = this.#carried;
    this.#isReading = true;
    try {
      this.#reader.push(chunk);
      // Nothing but whole empty messages may come while there is no request (an agent may say that the lane is idle).
      if (!this.#carried && !this.#stream.closed && !this.#reader.isBetweenMessages) {
        throw new LaneViolation('bytes without a request');
      }
    } catch (violation) {
      if (!(violation instanceof LaneViolation)) throw violation;
      this.#violated(violation.message);
      return;
    } finally {
      this.#isReading = false;
    }
    if (before && !this.#carried && !this.#stream.closed) this.#owner.laneFree(this);
  }

  #violated(what: string): void {
    const carried = this.#carried;
    this.#owner.laneViolated(what);
    this.reset(constants.NGHTTP2_PROTOCOL_ERROR);
    carried?.handlers.fail(
      new Refusal('TUNNEL_ERROR', 'The agent sent something out of turn; this request was given up.'),
    );
  }

  #closed(): void {
    const carried = this.#carried;
    this.#carried = undefined;
    this.#reader.stop();
    this.#owner.laneGone(this);
    carried?.handlers.fail(lost());
  }

  #writeData(chunk: Buffer): boolean {
    const { encoder } = this.#owner;
    if (chunk.length <= copiedBytes) return this.#stream.write(Buffer.from(encoder.request({ data: chunk })));
    this.#stream.cork();
    this.#stream.write(Buffer.from(encoder.dataPrefix(chunk.length)));
    const more = this.#stream.write(chunk);
    this.#stream.uncork();
    return more;
  }

  #writeEnd(carried: CarriedRequest): void {
    carried.sent = true;
    this.#stream.write(Buffer.from(this.#owner.encoder.request({ end: true })));
    if (!carried.isOver) return;
    this.#over(carried);
    // What is being read is read to its end first.
    if (!this.#isReading) this.#owner.laneFree(this);
  }

  #resume(): void {
    if (this.#pausedAt === undefined) return;
    this.#pausedAt = undefined;
    this.#stream.resume();
  }
}

const lost = (): Refusal =>
  new Refusal(
    'TUNNEL_ERROR',
    'The connection to the agent was lost after the request was sent: it may or may not have reached the cluster.',
  );

// What the reader had to put together is not a view of a Buffer.
const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
