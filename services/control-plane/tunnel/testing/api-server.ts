/**
 * A stand-in for a cluster's API server, with a CA of its own: HTTP/2 over TLS, or HTTP/1.1 only. It records each request as it
 * arrived and answers as it is told. What it saw is what reached the cluster.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCaCertificate, createKeyPair, issueCertificate, spkiOf } from '@clustral/kernel/x509.ts';

export type Seen = {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value as on the wire, one char per byte. */
  readonly rawHeaders: readonly string[];
  readonly chunks: Buffer[];
  /** The body was ended by the client. */
  ended: boolean;
  /** The client gave the request up before it was answered. */
  cancelled: boolean;
};

export type Answer = (request: Http2ServerRequest, response: Http2ServerResponse, seen: Seen) => void;

export type ApiServer = {
  readonly url: string;
  readonly caPath: string;
  readonly tokenPath: string;
  readonly token: string;
  readonly seen: Seen[];
  /** All values of a header of a request, in order. */
  values(seen: Seen | undefined, name: string): readonly string[];
  answerWith(answer: Answer): void;
  /** Breaks every connection without a word. */
  breakConnections(): void;
  stop(): Promise<void>;
};

const day = 86_400_000;
// A real API server counts no resets and writes as fast as it is read; node's would refuse requests over both.
const generous = { streamResetBurst: 1e6, streamResetRate: 1e6, maxSessionMemory: 1_000 };
const ok: Answer = (_request, response) => void response.end('{}');

/** Listens on loopback; answers 200 `{}` until told otherwise. */
export async function startApiServer(
  options: { readonly http1?: boolean; readonly streams?: number } = {},
): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  const paths = { caPath: join(folder, 'ca.crt'), tokenPath: join(folder, 'token') };
  const token = 'service-account-token';
  const { cert, key, caPem } = await certificate();
  writeFileSync(paths.caPath, caPem);
  writeFileSync(paths.tokenPath, token);
  const seen: Seen[] = [];
  let answer = ok;
  const handle = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    const one = record(request, response);
    seen.push(one);
    answer(request, response, one);
  };
  const settings = options.streams === undefined ? {} : { maxConcurrentStreams: options.streams };
  const server: Http2SecureServer | Server = options.http1
    ? createServer({ cert, key }, handle as never)
    : createSecureServer({ cert, key, ...generous, settings }, handle);
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  server.on('secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    ...paths,
    token,
    seen,
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    values: (of, name) =>
      (of?.rawHeaders ?? []).filter((_, at, raw) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name),
    answerWith: (next) => void (answer = next),
    breakConnections() {
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function record(request: Http2ServerRequest, response: Http2ServerResponse): Seen {
  const { method, url, rawHeaders } = request;
  const one: Seen = { method, target: url, rawHeaders: [...rawHeaders], chunks: [], ended: false, cancelled: false };
  request.on('data', (chunk: Buffer) => one.chunks.push(chunk));
  request.on('end', () => void (one.ended = !request.aborted));
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  response.on('close', () => void (one.cancelled = !response.writableEnded));
  return one;
}

async function certificate(): Promise<{ cert: string; key: string; caPem: string }> {
  const [authority, keys] = await Promise.all([createKeyPair('P-256'), createKeyPair('P-256')]);
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const caPem = await createCaCertificate({ keys: authority, commonName: 'cluster CA', ...validity });
  const cert = await issueCertificate({
    ...validity,
    issuer: { certificatePem: caPem, privateKeyPem: authority.privateKeyPem },
    publicKey: spkiOf(keys.publicKeyPem),
    commonName: 'kubernetes',
    names: { hosts: ['127.0.0.1', 'localhost'] },
    use: 'server',
  });
  return { cert, key: keys.privateKeyPem, caPem };
}
