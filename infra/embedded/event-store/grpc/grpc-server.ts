/**
 * gRPC over HTTP/2, straight on `node:http2`: as much of it as a server of one service needs. It refuses what could grow
 * without end (connections, calls, bytes held) and what it does not serve (other paths, compressed messages), each with the
 * answer that gRPC has for it.
 *
 * Why not the server of `@grpc/grpc-js`: it frames and flushes each message of a read by itself, decodes into objects before
 * anything can be refused, and has no limit on the bytes of unfinished messages. A page of events here is one write.
 */
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type Http2SecureServer,
  type ServerHttp2Session,
} from 'node:http2';
import { chmodSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Budget } from './budget.ts';
import { Connections, usualPatience, type Patience } from './connections.ts';
import { GrpcCall } from './grpc-call.ts';
import { status } from './status.ts';

const maxConnections = 64;
const maxCallsPerConnection = 512;
const maxBytesInHand = 128 * 1024 * 1024;
const handshakeMs = 10_000;
const stopGraceMs = 1_000;
const windowBytes = 1024 * 1024;

/** Serves the calls of one path. It must call `receive` and see to it that the call ends. */
export type Method = (call: GrpcCall) => void;

export type Listen =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls?: { readonly cert: string; readonly key: string };
    };

export type GrpcServerOptions = {
  readonly methods: ReadonlyMap<string, Method>;
  readonly maxMessageBytes: number;
  readonly passwordWanted: boolean;
  /** With connections that say nothing. */
  readonly patience?: Patience;
  /** A bug of ours: the process must end. */
  readonly fatal: (error: Error) => void;
};

export class GrpcServer {
  /** What arrives and what waits to be written. */
  readonly budget = new Budget(maxBytesInHand);
  readonly connections: Connections;
  readonly #options: GrpcServerOptions;
  readonly #servers: (Http2Server | Http2SecureServer)[] = [];
  readonly #calls = new Set<GrpcCall>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    const { passwordWanted, patience = usualPatience } = options;
    this.connections = new Connections({ most: maxConnections, passwordWanted, patience });
    this.#timer = setInterval(() => this.#endLateCalls(), 250);
    this.#timer.unref();
  }

  get openCalls(): number {
    return this.#calls.size;
  }

  /** Resolves with the port (0 for a socket). A socket file that a crash left behind is replaced: who owns the log owns it. */
  async listen(where: Listen): Promise<number> {
    const server = where.kind === 'tcp' && where.tls !== undefined ? secure(where.tls) : createServer(http2Options);
    server.on('session', (session) => this.#welcome(session));
    // What is no HTTP/2 ends its own connection and nothing else.
    server.on('sessionError', () => undefined);
    server.on('stream', (stream, headers) => {
      const connection = this.connections.of(stream.session as ServerHttp2Session | undefined);
      const { maxMessageBytes, fatal } = this.#options;
      if (connection === undefined) {
        stream.destroy();
        return;
      }
      const context = { headers, connection, maxMessageBytes, budget: this.budget, fatal };
      this.#serve(new GrpcCall(stream, context), String(headers[':path']));
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    if (where.kind === 'socket') {
      rmSync(where.path, { force: true });
      server.listen(where.path, resolve);
    } else {
      server.listen(where.port, where.host, resolve);
    }
    await promise;
    // A descriptor that cannot be had for a new connection is that connection's trouble, not the server's.
    server.off('error', reject).on('error', () => undefined);
    if (where.kind === 'socket') chmodSync(where.path, 0o600);
    this.#servers.push(server);
    return where.kind === 'socket' ? 0 : (server.address() as AddressInfo).port;
  }

  /** Takes no more connections, ends every open call with UNAVAILABLE, and resolves when all is closed, at most a second later. */
  async stop(whileCallsEnd: Promise<void>): Promise<void> {
    clearInterval(this.#timer);
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    await whileCallsEnd;
    for (const call of this.#calls) call.fail(status.unavailable, 'the event store is stopping');
    this.connections.goAway();
    await Promise.race([Promise.all(closed), sleep(stopGraceMs, undefined, { ref: false })]);
    this.connections.destroy();
  }

  #welcome(session: ServerHttp2Session): void {
    session.on('error', () => undefined);
    // Windows wide enough that an append of the usual limit comes in one go.
    if (this.connections.enter(session) !== undefined) session.setLocalWindowSize(4 * windowBytes);
  }

  #serve(call: GrpcCall, path: string): void {
    this.#calls.add(call);
    call.onGone(() => this.#calls.delete(call));
    const method = this.#options.methods.get(path);
    try {
      if (method === undefined) call.fail(status.unimplemented, `${path} is not served by the embedded event store`);
      else method(call);
    } catch (error) {
      call.failWith(error);
    }
  }

  #endLateCalls(): void {
    const now = performance.now();
    for (const call of this.#calls) {
      if (call.deadlineAt < now) call.fail(status.deadlineExceeded, 'the call was not over at its deadline');
    }
  }
}

const http2Options = {
  settings: { maxConcurrentStreams: maxCallsPerConnection, initialWindowSize: windowBytes, enablePush: false },
  /** In megabytes; what calls hold is bounded by the budget and by the page that each read writes. */
  maxSessionMemory: 256,
  unknownProtocolTimeout: handshakeMs,
};

function secure({ cert, key }: { cert: string; key: string }): Http2SecureServer {
  const server = createSecureServer({
    ...http2Options,
    cert,
    key,
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeMs,
  });
  server.on('tlsClientError', () => undefined);
  server.on('unknownProtocol', (socket) => socket.destroy());
  return server;
}
