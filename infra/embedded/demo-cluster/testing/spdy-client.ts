/**
 * The client's end of a SPDY/3.1 connection over any duplex stream, for tests: it sends any frame and keeps what
 * came.
 */
import type { Duplex } from 'node:stream';
import { encodeFrame, type Frame, FrameReader } from '../spdy/frames.ts';
import { encodeHeaders } from '../spdy/header-block.ts';
import { HeaderCompressor } from '../spdy/header-compression.ts';

export class SpdyClient {
  readonly received: Frame[] = [];
  readonly #transport: Duplex;
  readonly #compressor = new HeaderCompressor();
  readonly #reader = new FrameReader();
  #nextId = 1;
  #changed: () => void = () => undefined;
  #ended = false;

  constructor(transport: Duplex) {
    this.#transport = transport;
    transport.on('data', (chunk: Buffer) => {
      this.received.push(...this.#reader.read(chunk));
      this.#changed();
    });
    transport.on('end', () => this.#noteEnd());
    transport.on('close', () => this.#noteEnd());
    transport.on('error', () => undefined);
  }

  /** Opens a stream and answers its id, the next one unless another is asked for. */
  async open(
    headers: Record<string, string>,
    given: { fin?: boolean; unidirectional?: boolean; streamId?: number } = {},
  ): Promise<number> {
    const frame = { streamId: this.#nextId, fin: false, unidirectional: false, ...given };
    this.#nextId = Math.max(this.#nextId, frame.streamId) + 2;
    const headerBlock = await this.#compressor.compress(encodeHeaders(new Map(Object.entries(headers))));
    this.send({ type: 'syn-stream', ...frame, headerBlock });
    return frame.streamId;
  }

  send(frame: Frame): void {
    this.#transport.write(encodeFrame(frame));
  }

  /** Sends data on a stream. */
  data(streamId: number, data: string | Buffer, fin = false): void {
    this.send({ type: 'data', streamId, data: Buffer.from(data), fin });
  }

  /** What a stream brought so far. */
  text(streamId: number): string {
    const pieces = this.received
      .filter((frame) => frame.type === 'data')
      .filter((frame) => frame.streamId === streamId);
    return Buffer.concat(pieces.map(({ data }) => data)).toString();
  }

  /** Whether the server ended a stream. */
  hasEnded(streamId: number): boolean {
    return this.received.some((frame) => frame.type === 'data' && frame.streamId === streamId && frame.fin);
  }

  /** The first frame of this kind, once it is there. */
  async frame<T extends Frame['type']>(
    type: T,
    fits = (_frame: Frame & { type: T }): boolean => true,
  ): Promise<Frame & { type: T }> {
    const find = (): (Frame & { type: T }) | undefined =>
      this.received.filter((frame): frame is Frame & { type: T } => frame.type === type).find(fits);
    await this.until(() => find() !== undefined);
    return find() as Frame & { type: T };
  }

  /** Waits until something holds; looks after every frame. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#ended) throw new Error('the connection ended before');
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  /** Answers when the server has ended the connection. */
  async ended(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  close(): void {
    this.#compressor.close();
    this.#transport.destroy();
  }

  #noteEnd(): void {
    this.#ended = true;
    this.#changed();
  }
}
