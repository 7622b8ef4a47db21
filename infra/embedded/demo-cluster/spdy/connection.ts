/**
 * The server's end of a SPDY/3.1 connection, as kubectl's exec, attach and port-forward open it: the client opens
 * streams, both ends send on them. It knows nothing of what the streams are for.
 *
 * Invariant: what was received and not yet read is bounded for the whole connection; while it is over the bound,
 * nothing more is read from the peer.
 */
import type { Duplex } from 'node:stream';
import { BrokenPipe } from '../byte-queue.ts';
import { encodeFrame, type Frame, FrameReader, goawayStatus, resetStatus, SpdyError } from './frames.ts';
import { decodeHeaders, encodeHeaders } from './header-block.ts';
import { HeaderCompressor, HeaderDecompressor } from './header-compression.ts';
import { SpdyStream, type Wire } from './stream.ts';
import { WindowRules } from './window.ts';

/** The bounds of one connection. */
export interface SpdyBounds {
  /** Streams open at once; further ones are refused. */
  streams: number;
  /** Bytes received and not yet read. */
  waitingBytes: number;
  /** How often the peer is asked whether it is still there: a peer that died is noticed by writing to it. */
  heartbeatMs: number;
  /** Time the peer gets to read the last frames before the connection is cut. */
  lingerMs: number;
}

export class SpdyConnection implements Wire {
  readonly windows = new WindowRules();
  readonly #transport: Duplex;
  readonly #bounds: SpdyBounds;
  readonly #accept: (stream: SpdyStream) => void;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #frames = new FrameReader();
  readonly #compressor = new HeaderCompressor();
  readonly #decompressor = new HeaderDecompressor();
  readonly #over = Promise.withResolvers<void>();
  #waiting = 0;
  #moreRoom: (() => void) | undefined;
  #lastStreamId = 0;
  #leaving = false;
  #drain: Promise<void> | undefined;

  /** @param accept told of every stream the client opens; it must not throw */
  constructor(transport: Duplex, bounds: SpdyBounds, accept: (stream: SpdyStream) => void) {
    this.#transport = transport;
    this.#bounds = bounds;
    this.#accept = accept;
    // What goes wrong with the transport is its end, told by the reading loop.
    transport.on('error', () => undefined);
    transport.once('close', () => this.#moreRoom?.());
  }

  /** Reads until the client is gone or breaks the protocol; answers when the connection is over. */
  async run(): Promise<void> {
    const heartbeat = setInterval(() => this.#beat(), this.#bounds.heartbeatMs);
    try {
      for await (const chunk of chunksOf(this.#transport)) {
        for (const frame of this.#frames.read(chunk)) await this.#handle(frame);
        while (this.#isFull()) await new Promise<void>((resolve) => (this.#moreRoom = resolve));
      }
    } catch (error) {
      if (error instanceof SpdyError) this.#sayGoodbye(goawayStatus.protocolError);
      else if (!(error instanceof BrokenPipe)) throw error;
    } finally {
      clearInterval(heartbeat);
      this.#finish();
    }
  }

  /** Says goodbye, lets the client read what was sent, and ends the connection. */
  async close(): Promise<void> {
    if (!this.#leaving) this.#sayGoodbye(goawayStatus.ok);
    for (const stream of this.#streams.values()) stream.ignore();
    this.#moreRoom?.();
    const cut = setTimeout(() => this.#transport.destroy(), this.#bounds.lingerMs);
    await this.#over.promise;
    clearTimeout(cut);
  }

  async send(frame: Frame): Promise<void> {
    if (this.#transport.destroyed || this.#transport.writableEnded) throw new BrokenPipe();
    if (this.#transport.write(encodeFrame(frame))) return;
    await (this.#drain ??= this.#drained());
    if (this.#transport.destroyed) throw new BrokenPipe();
  }

  waiting(bytes: number): void {
    this.#waiting += bytes;
    if (this.#waiting <= this.#bounds.waitingBytes) this.#moreRoom?.();
  }

  closed({ id }: SpdyStream): void {
    this.#streams.delete(id);
  }

  async #handle(frame: Frame): Promise<void> {
    switch (frame.type) {
      case 'data':
        return this.#receive(frame);
      case 'syn-stream':
        return this.#open(frame);
      case 'syn-reply':
        throw new SpdyError('an answer to a stream that was never opened');
      case 'rst-stream':
        return this.#streams.get(frame.streamId)?.lose();
      case 'settings': {
        const change = this.windows.apply(frame.entries);
        for (const stream of this.#streams.values()) stream.addWindow(change);
        return;
      }
      case 'ping':
        // Odd ids are the client's questions, even ones answers to ours.
        return frame.id % 2 === 1 ? this.send(frame) : undefined;
      case 'goaway':
        // The client opens no more streams; those that are open go on.
        return;
      case 'headers':
        // Nothing here uses later headers, but the next block cannot be read without this one.
        await this.#decompressor.decompress(frame.headerBlock);
        if (frame.fin) this.#streams.get(frame.streamId)?.receive(Buffer.alloc(0), true);
        return;
      case 'window-update': {
        this.windows.kept = true;
        const stream = this.#streams.get(frame.streamId);
        if (stream?.addWindow(frame.delta) === false) await stream.reset(resetStatus.flowControlError);
        return;
      }
    }
  }

  async #open(frame: Frame & { type: 'syn-stream' }): Promise<void> {
    const headers = decodeHeaders(await this.#decompressor.decompress(frame.headerBlock));
    const { streamId } = frame;
    if (streamId % 2 === 0 || streamId <= this.#lastStreamId) throw new SpdyError(`stream id ${streamId} out of order`);
    this.#lastStreamId = streamId;
    if (this.#leaving) return;
    if (this.#streams.size >= this.#bounds.streams) {
      return this.send({ type: 'rst-stream', streamId, status: resetStatus.refusedStream });
    }
    const stream = new SpdyStream(this, streamId, headers);
    this.#streams.set(streamId, stream);
    if (frame.unidirectional) stream.endUnopened();
    else {
      const headerBlock = await this.#compressor.compress(encodeHeaders(new Map()));
      await this.send({ type: 'syn-reply', streamId, fin: false, headerBlock });
    }
    if (frame.fin) stream.receive(Buffer.alloc(0), true);
    this.#accept(stream);
  }

  async #receive({ streamId, data, fin }: Frame & { type: 'data' }): Promise<void> {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      // Data of a stream that was reset a moment ago is still on its way; of one that never was, a mistake.
      const never = streamId > this.#lastStreamId || streamId % 2 === 0;
      if (never) await this.send({ type: 'rst-stream', streamId, status: resetStatus.invalidStream });
    } else if (!stream.receive(data, fin)) await stream.reset(resetStatus.streamAlreadyClosed);
  }

  #isFull(): boolean {
    return this.#waiting > this.#bounds.waitingBytes && !this.#leaving && !this.#transport.destroyed;
  }

  #sayGoodbye(status: number): void {
    this.#leaving = true;
    if (this.#transport.writable) {
      this.#transport.write(encodeFrame({ type: 'goaway', lastStreamId: this.#lastStreamId, status }));
    }
  }

  #beat(): void {
    if (this.#transport.writable && !this.#transport.writableNeedDrain) {
      this.#transport.write(encodeFrame({ type: 'ping', id: 2 }));
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#drain = undefined;
        this.#transport.removeListener('drain', done);
        this.#transport.removeListener('close', done);
        resolve();
      };
      this.#transport.on('drain', done);
      this.#transport.on('close', done);
    });
  }

  #finish(): void {
    for (const stream of this.#streams.values()) stream.lose();
    this.#compressor.close();
    this.#decompressor.close();
    this.#over.resolve();
    if (this.#transport.closed) return;
    this.#transport.end(() => this.#transport.destroy());
    const cut = setTimeout(() => this.#transport.destroy(), this.#bounds.lingerMs);
    this.#transport.once('close', () => clearTimeout(cut));
  }
}

/** What arrives on a transport; a transport that fails has ended. */
async function* chunksOf(transport: Duplex): AsyncGenerator<Buffer> {
  try {
    // Leaving the loop must not cut the connection: a goodbye may have to be sent.
    for await (const chunk of transport.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  } catch {
    // Cut connections are everyday: what they carried ends here.
  }
}
