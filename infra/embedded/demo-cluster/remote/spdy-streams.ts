/**
 * The streams of a session as streams of a SPDY connection: the client opens one for each it asked for, and says in a
 * header which one it is.
 */
import type { Duplex } from 'node:stream';
import { BrokenPipe, ignoreLeaving } from '../byte-queue.ts';
import { limits } from '../limits.ts';
import { type SpdyBounds, SpdyConnection } from '../spdy/connection.ts';
import { resetStatus } from '../spdy/frames.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import type { TerminalSize } from '../shell/terminal.ts';
import { exitSentence, exitStatus } from './exit-status.ts';
import type { ExitCode, RemoteStreams, WantedStreams } from './streams.ts';
import { SizeReader } from './terminal-size.ts';

/** The versions of the protocol: since 4 a Status tells the exit code, since 3 there are terminal sizes. */
export const streamProtocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'];

/** The bounds of every SPDY connection of the demo cluster. */
export const spdyBounds: SpdyBounds = {
  streams: limits.remoteStreams,
  waitingBytes: limits.remoteWaitingBytes,
  heartbeatMs: limits.remoteHeartbeatMs,
  lingerMs: limits.remoteLingerMs,
};

/**
 * Waits until the client has opened its streams.
 * @throws BrokenPipe when it leaves before, or takes too long
 */
export async function openSpdyStreams(
  transport: Duplex,
  protocol: string,
  wanted: WantedStreams,
): Promise<RemoteStreams> {
  const version = streamProtocols.length - streamProtocols.indexOf(protocol);
  const expected = streamTypes(wanted, version);
  const arrived = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<void>();
  const connection = new SpdyConnection(transport, spdyBounds, (stream) => {
    const type = stream.headers.get('streamtype') ?? '';
    if (!expected.includes(type) || arrived.has(type))
      void stream.reset(resetStatus.refusedStream).catch(ignoreLeaving);
    else arrived.set(type, stream);
    // A client has nothing to say on the others; what nobody reads would hold up the connection.
    if (type !== 'stdin' && type !== 'resize') stream.ignore();
    if (arrived.size === expected.length) complete.resolve();
  });
  const over = connection.run();
  // What broke is told by whoever finishes the session.
  over.catch(() => undefined);
  const late = setTimeout(complete.resolve, limits.remoteStreamsMs);
  await Promise.race([complete.promise, over]);
  clearTimeout(late);
  if (arrived.size < expected.length) {
    await connection.close();
    throw new BrokenPipe();
  }
  return new SpdyStreams({ connection, over, statusIsText: version < 4 }, arrived);
}

function streamTypes({ stdin, stdout, stderr, tty }: WantedStreams, version: number): string[] {
  const asked = { error: true, stdin, stdout, stderr, resize: tty && version >= 3 };
  return Object.entries(asked).flatMap(([type, isAsked]) => (isAsked ? [type] : []));
}

class SpdyStreams implements RemoteStreams {
  readonly stdin: SpdyStream | undefined;
  readonly stdout: SpdyStream | undefined;
  readonly stderr: SpdyStream | undefined;
  readonly #error: SpdyStream | undefined;
  readonly #carrier: { connection: SpdyConnection; over: Promise<void>; statusIsText: boolean };
  #size: TerminalSize | undefined;
  #resized: (size: TerminalSize) => void = () => undefined;

  constructor(
    carrier: { connection: SpdyConnection; over: Promise<void>; statusIsText: boolean },
    streams: ReadonlyMap<string, SpdyStream>,
  ) {
    this.#carrier = carrier;
    this.stdin = streams.get('stdin');
    this.stdout = streams.get('stdout');
    this.stderr = streams.get('stderr');
    this.#error = streams.get('error');
    const resize = streams.get('resize');
    if (resize !== undefined) void this.#readSizes(resize);
  }

  onResize(listener: (size: TerminalSize) => void): void {
    this.#resized = listener;
    if (this.#size !== undefined) listener(this.#size);
  }

  async finish(code: ExitCode): Promise<void> {
    const { connection, over, statusIsText } = this.#carrier;
    const said = statusIsText ? (code === 0 ? '' : exitSentence(code)) : JSON.stringify(exitStatus(code));
    await this.#error?.write(Buffer.from(said));
    for (const stream of [this.stdout, this.stderr, this.#error]) await stream?.end();
    await connection.close();
    await over;
  }

  async #readSizes(resize: SpdyStream): Promise<void> {
    const sizes = new SizeReader();
    for (let chunk = await resize.read(); chunk !== undefined; chunk = await resize.read()) {
      for (const size of sizes.read(chunk)) {
        this.#size = size;
        this.#resized(size);
      }
    }
  }
}
