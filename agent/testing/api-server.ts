/**
 * An API server for tests ("REC"): real TLS, HTTP/2 and HTTP/1.1, that records exactly what arrived and answers as a test says. It
 * knows nothing of Kubernetes but its version.
 */
import type { IncomingMessage } from 'node:http';
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import https from 'node:https';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createCaCertificate, createKeyPair, issueCertificate, spkiOf } from '@clustral/kernel/x509.ts';
import { RecordedUpgrade } from './upgrades.ts';

/** One request as it arrived. */
export type Recorded = {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  /** Name, value, name, value, as on the wire; pseudo headers left out. */
  readonly headers: readonly string[];
  readonly connection: number;
  body: Buffer;
  bodyEnded: boolean;
  closed: boolean;
  readonly response: Http2ServerResponse;
};

export type Answer = (request: Recorded, incoming: Http2ServerRequest) => void;

export type ApiServerOptions = {
  readonly http1Only?: boolean;
  readonly maxConcurrentStreams?: number;
  /** PEM of a CA by whose certificates clients must be known; nobody is let in without one. */
  readonly clientCa?: string;
};

const day = 86_400_000;

/** A CA and a certificate for 127.0.0.1. */
export async function createServerIdentity(): Promise<{ ca: string; cert: string; key: string }> {
  const [caKeys, keys] = await Promise.all([createKeyPair('P-256'), createKeyPair('P-256')]);
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const ca = await createCaCertificate({ keys: caKeys, commonName: `CA ${randomUUID()}`, ...validity });
  const cert = await issueCertificate({
    ...validity,
    issuer: { certificatePem: ca, privateKeyPem: caKeys.privateKeyPem },
    publicKey: spkiOf(keys.publicKeyPem),
    commonName: 'localhost',
    names: { hosts: ['localhost', '127.0.0.1'] },
    use: 'server',
  });
  return { ca, cert, key: keys.privateKeyPem };
}

export class ApiServer {
  readonly requests: Recorded[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), 'rec-'));
  readonly tokenPath = join(this.folder, 'token');
  readonly caPath = join(this.folder, 'ca.crt');
  readonly upgrades: RecordedUpgrade[] = [];
  answer: Answer = ({ response }) => response.end('ok');
  upgrade: (request: RecordedUpgrade) => void = (request) => request.echo();
  connections = 0;
  readonly #sockets = new Set<Socket>();
  readonly #rawSockets = new Set<Socket>();
  readonly #server: http2.Http2SecureServer | https.Server;

  constructor(identity: { ca: string; cert: string; key: string }, options: ApiServerOptions) {
    writeFileSync(this.tokenPath, 'service-account-token');
    writeFileSync(this.caPath, identity.ca);
    const known = options.clientCa === undefined ? {} : { ca: options.clientCa, requestCert: true };
    const tls = { key: identity.key, cert: identity.cert, allowHalfOpen: true, ...known };
    this.#server = options.http1Only
      ? https.createServer(tls)
      : http2.createSecureServer({
          ...tls,
          allowHTTP1: true,
          // A real API server does not count resets; node's would end the connection after a thousand.
          streamResetBurst: 1_000_000,
          streamResetRate: 1_000_000,
          maxSessionMemory: 100,
          settings: { maxConcurrentStreams: options.maxConcurrentStreams ?? 250 },
        });
    const numbers = new WeakMap<object, number>();
    this.#server.on('secureConnection', (socket: Socket) => {
      numbers.set(socket, this.connections++);
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#rawSockets.add(socket);
      socket.on('close', () => this.#rawSockets.delete(socket));
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
      const raw = [...this.#rawSockets].find(({ remotePort }) => remotePort === socket.remotePort);
      const recorded = new RecordedUpgrade(request, socket, { head, raw });
      this.upgrades.push(recorded);
      this.upgrade(recorded);
    });
    this.#server.on('sessionError', () => undefined);
    this.#server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
      const socket = request.httpVersion === '2.0' ? this.#plain(request) : (request.socket as unknown as object);
      this.#take(request, response, numbers.get(socket) ?? -1);
    });
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get openConnections(): number {
    return this.#sockets.size;
  }
  /** The requests but those for the version. */
  get proxied(): readonly Recorded[] {
    return this.requests.filter(({ target }) => target !== '/version');
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  /** Ends all connections at once, and listens no more. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Ends all connections at once. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    // Those whose handshake failed.
    for (const socket of this.#rawSockets) socket.destroy();
  }

  #plain(request: Http2ServerRequest): object {
    // The session's socket is a proxy; the listener above saw the socket itself.
    const local = request.stream.session?.socket.remotePort;
    return [...this.#sockets].find(({ remotePort }) => remotePort === local) ?? {};
  }

  #take(request: Http2ServerRequest, response: Http2ServerResponse, connection: number): void {
    const recorded: Recorded = {
      method: request.method,
      target: request.url,
      httpVersion: request.httpVersion,
      headers: withoutPseudo(request.rawHeaders),
      connection,
      body: Buffer.alloc(0),
      bodyEnded: false,
      closed: false,
      response,
    };
    this.requests.push(recorded);
    // A request that was reset ends as well.
    request.on('end', () => (recorded.bodyEnded = !request.aborted && !request.stream?.rstCode));
    request.on('error', () => undefined);
    response.on('close', () => (recorded.closed = true));
    response.on('error', () => undefined);
    if (recorded.target === '/version') {
      response.end('{"gitVersion":"v1.33.1"}');
      return;
    }
    this.answer(recorded, request);
  }
}

/** Reads the body and then answers. */
export function afterBody(answer: (request: Recorded) => void): Answer {
  return (recorded, incoming) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      recorded.body = Buffer.concat(chunks);
      answer(recorded);
    });
  };
}

function withoutPseudo(raw: readonly string[]): readonly string[] {
  return raw.filter((line, index) => !(index % 2 === 0 ? line : (raw[index - 1] ?? '')).startsWith(':'));
}

export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  return new ApiServer(await createServerIdentity(), options).listen();
}
