/**
 * The streams of a session in one WebSocket: every message begins with the number of its channel
 * (`v4.channel.k8s.io`); since `v5.channel.k8s.io` the client can also say that a channel ended (KEP-4006).
 */
import type { WebSocket } from 'ws';
import { BrokenPipe, ByteQueue, type Output } from '../byte-queue.ts';
import { limits } from '../limits.ts';
import type { TerminalSize } from '../shell/terminal.ts';
import { exitStatus } from './exit-status.ts';
import type { ExitCode, RemoteStreams, WantedStreams } from './streams.ts';
import { SizeReader } from './terminal-size.ts';

/** The subprotocols, the better one first. */
export const channelProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const normalClosure = 1000;
const unsupportedData = 1003;
/** Messages carry at most this; larger pieces are cut. */
const messageBytes = 32 * 1024;

export class WebSocketStreams implements RemoteStreams {
  readonly stdin: ByteQueue | undefined;
  readonly stdout: Output | undefined;
  readonly stderr: Output | undefined;
  readonly #socket: WebSocket;
  readonly #sizes = new SizeReader();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #closed = Promise.withResolvers<void>();
  #waiting = 0;
  #size: TerminalSize | undefined;
  #resized: (size: TerminalSize) => void = () => undefined;

  constructor(socket: WebSocket, protocol: string, wanted: WantedStreams) {
    this.#socket = socket;
    this.stdin = wanted.stdin ? new ByteQueue(Number.POSITIVE_INFINITY, (bytes) => this.#left(bytes)) : undefined;
    this.stdout = wanted.stdout ? this.#output(channels.stdout) : undefined;
    this.stderr = wanted.stderr ? this.#output(channels.stderr) : undefined;
    this.#heartbeat = setInterval(() => this.#beat(), limits.remoteHeartbeatMs);
    const canClose = protocol === 'v5.channel.k8s.io';
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#receive(data, canClose);
      else socket.close(unsupportedData, 'channels are binary');
    });
    // What goes wrong with a WebSocket is its end.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(this.#heartbeat);
      this.stdin?.end();
      this.#closed.resolve();
    });
  }

  onResize(listener: (size: TerminalSize) => void): void {
    this.#resized = listener;
    if (this.#size !== undefined) listener(this.#size);
  }

  /** An empty message tells the client that its program has begun: Kubernetes sends one on the first channel it can. */
  async begin(): Promise<void> {
    await this.#send(
      this.stdout !== undefined ? channels.stdout : this.stderr !== undefined ? channels.stderr : channels.error,
    );
  }

  async finish(code: ExitCode): Promise<void> {
    this.stdin?.cancel();
    await this.#send(channels.error, Buffer.from(JSON.stringify(exitStatus(code))));
    const cut = setTimeout(() => this.#socket.terminate(), limits.remoteLingerMs);
    this.#socket.close(normalClosure);
    await this.#closed.promise;
    clearTimeout(cut);
  }

  #receive(message: Buffer, canClose: boolean): void {
    const payload = message.subarray(1);
    switch (message[0]) {
      case channels.stdin:
        this.#waiting += payload.length;
        if (this.stdin === undefined) this.#left(payload.length);
        else this.stdin.push(payload);
        if (this.#waiting > limits.remoteWaitingBytes) this.#socket.pause();
        return;
      case channels.resize:
        for (const size of this.#sizes.read(payload)) {
          this.#size = size;
          this.#resized(size);
        }
        return;
      case channels.close:
        if (canClose && payload[0] === channels.stdin) this.stdin?.end();
        return;
      default:
        // The channels of the server, and numbers nobody knows: a client has nothing to say there.
        return;
    }
  }

  #left(bytes: number): void {
    this.#waiting -= bytes;
    if (this.#socket.isPaused && this.#waiting <= limits.remoteWaitingBytes) this.#socket.resume();
  }

  #output(channel: number): Output {
    return {
      write: async (chunk) => {
        for (let at = 0; at < chunk.length; at += messageBytes) {
          await this.#send(channel, chunk.subarray(at, at + messageBytes));
        }
      },
    };
  }

  #send(channel: number, payload: Buffer = Buffer.alloc(0)): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== this.#socket.OPEN) return reject(new BrokenPipe());
      const message = Buffer.concat([Buffer.from([channel]), payload]);
      this.#socket.send(message, { binary: true }, (error) => (error ? reject(new BrokenPipe()) : resolve()));
    });
  }

  /** While stdin is not read, a client that died is noticed only by writing to it. */
  #beat(): void {
    if (this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount === 0)
      this.#socket.ping(undefined, undefined, () => undefined);
  }
}
