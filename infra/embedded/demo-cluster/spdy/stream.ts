/**
 * One stream of a SPDY connection: bytes both ways, either of which can end before the other.
 *
 * Invariant: nothing is sent after the end of our side or after a reset.
 */
import { BrokenPipe, ByteQueue, ignoreLeaving, type Input, type Output } from '../byte-queue.ts';
import { type Frame, resetStatus } from './frames.ts';
import type { StreamHeaders } from './header-block.ts';
import { SendWindow, type WindowRules } from './window.ts';

/** What a stream needs of its connection. */
export interface Wire {
  readonly windows: WindowRules;
  /** Sends a frame and waits while the peer is behind. @throws BrokenPipe when the connection is over */
  send(frame: Frame): Promise<void>;
  /** Told how many received bytes wait to be read, more or (below zero) fewer than before. */
  waiting(bytes: number): void;
  /** Told when both sides of the stream are over. */
  closed(stream: SpdyStream): void;
}

/** Data frames carry at most this; larger pieces are cut. */
const frameBytes = 32 * 1024;
/** The peer is told of room in steps of this. */
const creditBytes = 32 * 1024;

export class SpdyStream implements Input, Output {
  readonly id: number;
  readonly headers: StreamHeaders;
  readonly #wire: Wire;
  readonly #received: ByteQueue;
  readonly #window: SendWindow;
  #ourEnd = false;
  #theirEnd = false;
  #credit = 0;

  constructor(wire: Wire, id: number, headers: StreamHeaders) {
    this.id = id;
    this.headers = headers;
    this.#wire = wire;
    this.#window = new SendWindow(wire.windows);
    // The connection bounds what waits on all its streams together, so the queue does not.
    this.#received = new ByteQueue(Number.POSITIVE_INFINITY, (bytes) => this.#left(bytes));
  }

  async read(signal?: AbortSignal): Promise<Buffer | undefined> {
    return this.#received.read(signal);
  }

  async write(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const bytes = await this.#window.take(Math.min(frameBytes, chunk.length - at));
      if (this.#ourEnd || bytes === 0) throw new BrokenPipe();
      await this.#wire.send({ type: 'data', streamId: this.id, data: chunk.subarray(at, at + bytes), fin: false });
      at += bytes;
    }
  }

  /** Ends our side; the peer may go on. */
  async end(): Promise<void> {
    if (this.#ourEnd) return;
    this.#endOurs();
    await this.#wire.send({ type: 'data', streamId: this.id, data: Buffer.alloc(0), fin: true });
  }

  /** Ends both sides at once; what waits to be read is dropped. */
  async reset(status: number = resetStatus.cancel): Promise<void> {
    this.ignore();
    if (this.#ourEnd && this.#theirEnd) return;
    this.lose();
    await this.#wire.send({ type: 'rst-stream', streamId: this.id, status });
  }

  /** Nobody here reads the stream any more: what comes is dropped. */
  ignore(): void {
    this.#received.cancel();
  }

  /** The connection hands over what came; false when the peer had ended its side before. */
  receive(data: Buffer, fin: boolean): boolean {
    if (this.#theirEnd) return false;
    this.#wire.waiting(data.length);
    this.#received.push(data);
    if (fin) this.#endTheirs();
    return true;
  }

  /** The peer has room for more; false when it claims more than there can be. */
  addWindow(delta: number): boolean {
    return this.#window.add(delta);
  }

  /** Our side of the stream was never open. */
  endUnopened(): void {
    this.#endOurs();
  }

  /** The peer reset the stream, or the connection is over. */
  lose(): void {
    this.#received.cancel();
    this.#endOurs();
    this.#endTheirs();
  }

  #endOurs(): void {
    this.#ourEnd = true;
    this.#window.close();
    if (this.#theirEnd) this.#wire.closed(this);
  }

  #endTheirs(): void {
    if (this.#theirEnd) return;
    this.#theirEnd = true;
    this.#received.end();
    if (this.#ourEnd) this.#wire.closed(this);
  }

  #left(bytes: number): void {
    this.#wire.waiting(-bytes);
    this.#credit += bytes;
    if (this.#credit < creditBytes || this.#theirEnd) return;
    const delta = this.#credit;
    this.#credit = 0;
    // A connection that is over needs no more credit; whoever reads learns of its end by reading.
    this.#wire.send({ type: 'window-update', streamId: this.id, delta }).catch(ignoreLeaving);
  }
}
