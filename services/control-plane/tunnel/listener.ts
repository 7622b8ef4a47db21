/**
 * The tunnel's server on :5443: HTTP/2 over TLS 1.3, dialled by agents. Each stream is authenticated here, once, before either
 * the stock Connect path or the lanes see it (D34). A connection without an agent's certificate may do next to nothing and
 * not for long; one with it gets windows that let a bulk download run at the speed of the network.
 */
import { constants as tls } from 'node:crypto';
import http2, { type Http2SecureServer, type IncomingHttpHeaders, type ServerHttp2Session } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Refusal } from '@clustral/schemas/errors.ts';
import { connectError } from '@clustral/kernel/http-errors.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import type { CertificateAuthority, ServerCertificate } from '../certificate-authority.ts';
import type { Authenticator, Caller, PeerCertificate } from './authenticator.ts';
import { exchangePath } from './authenticator.ts';
import type { Connection } from './connection.ts';
import { refuseStream } from './refused-stream.ts';

/** What the server knows of a connection before, and after, its hello. */
export type SessionContext = {
  readonly session: ServerHttp2Session;
  readonly peer: PeerCertificate;
  readonly sourceAddress: string;
  readonly openedAt: number;
  connection: Connection | undefined;
};

export type TunnelServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly serverNames: readonly string[];
  readonly authority: CertificateAuthority;
  readonly authenticator: Authenticator;
  readonly docsBaseUrl: string;
  readonly now: () => Date;
  readonly monotonic: () => number;
  readonly log: Log;
  /** Answers the methods that are not lanes. */
  readonly answer: (call: TunnelCall) => void;
  /** A stream or an enrolment was refused. */
  readonly onRefused: (refused: RefusedCall) => void;
};

/** What was refused to whom. `claimedId` is the cluster that somebody without a certificate named. */
export type RefusedCall = {
  readonly refusal: Refusal;
  readonly context: SessionContext;
  readonly method: string;
  readonly claimedId?: string;
};

export type TunnelCall = {
  readonly request: http2.Http2ServerRequest;
  readonly response: http2.Http2ServerResponse;
  readonly context: SessionContext;
  readonly caller: Caller;
};

const helloDeadlineMs = 15_000;
/** What an agent may have in flight: 8 MiB a lane and 64 MiB a connection reach 50 MB/s at 50 ms. */
const agentWindows = { stream: 8 * 1024 * 1024, connection: 64 * 1024 * 1024 };
const agentStreams = 2_100;
const strangerStreams = 8;
const mostConnections = 10_000;
const renewBeforeMs = 30 * 86_400_000;
const lookAtCertificateEveryMs = 12 * 3_600_000;

export type TunnelServer = Running & {
  readonly port: number;
  /** Ends connections on which nobody said hello in time (TN-16). To be called about once a second. */
  enforceLimits(now: number): void;
};

/** Listens. `stop` destroys every connection. */
export async function startTunnelServer(options: TunnelServerOptions): Promise<TunnelServer> {
  let certificate = await options.authority.issueServerCertificate(options.serverNames);
  const server = http2.createSecureServer({
    ...secureContext(certificate, options.authority),
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
    allowHTTP1: false,
    requestCert: true,
    // Enrolment has no certificate yet: who has none is told so by the authenticator.
    rejectUnauthorized: false,
    // A resumed session would be one whose certificate nobody looked at.
    secureOptions: tls.SSL_OP_NO_TICKET,
    handshakeTimeout: 10_000,
    maxSessionMemory: 256,
    settings: { enablePush: false, maxConcurrentStreams: strangerStreams, maxHeaderListSize: 16_384 },
  });
  server.maxConnections = mostConnections;
  const contexts = new Set<SessionContext>();
  server.on('session', (session) => accept(session, contexts, options));
  server.on('sessionError', (error) => options.log.debug({ err: error }, 'a connection to the tunnel failed'));
  server.on('tlsClientError', (error) => options.log.debug({ err: error }, 'a TLS handshake with the tunnel failed'));
  const renewal = setInterval(() => {
    if (certificate.notAfter.getTime() - options.now().getTime() > renewBeforeMs) return;
    options.authority.issueServerCertificate(options.serverNames).then(
      (renewed) => {
        certificate = renewed;
        server.setSecureContext(secureContext(renewed, options.authority));
      },
      (cause: unknown) => options.log.error({ err: cause }, 'the certificate of :5443 could not be renewed'),
    );
  }, lookAtCertificateEveryMs).unref();
  const port = await listen(server, options);
  return {
    port,
    async stop() {
      clearInterval(renewal);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const { session } of contexts) session.destroy();
      await closed;
    },
    enforceLimits(now) {
      for (const { connection, openedAt, session } of contexts) {
        if (!connection && now - openedAt >= helloDeadlineMs) session.destroy();
      }
    },
  };
}

function secureContext(certificate: ServerCertificate, authority: CertificateAuthority) {
  return { key: certificate.privateKeyPem, cert: certificate.chainPem, ca: [...authority.trusted] };
}

async function listen(server: Http2SecureServer, { host, port }: TunnelServerOptions): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  await promise;
  server.off('error', reject);
  return (server.address() as AddressInfo).port;
}

function accept(session: ServerHttp2Session, contexts: Set<SessionContext>, options: TunnelServerOptions): void {
  const socket = session.socket as TLSSocket;
  const peer = options.authenticator.peerOf(socket);
  const context: SessionContext = {
    session,
    peer,
    sourceAddress: socket.remoteAddress ?? 'unknown',
    openedAt: options.monotonic(),
    connection: undefined,
  };
  contexts.add(context);
  session.on('error', () => undefined);
  if (!(peer instanceof Refusal)) {
    session.settings({ initialWindowSize: agentWindows.stream, maxConcurrentStreams: agentStreams });
    session.setLocalWindowSize(agentWindows.connection);
  }
  session.on('close', () => contexts.delete(context));
  session.on('stream', (...[stream, headers, , rawHeaders]) => {
    // Node emits a stream's error when the peer resets it; its close says the rest.
    stream.on('error', () => undefined);
    void handle({ stream, headers, rawHeaders: rawHeaders as unknown as string[], context, options });
  });
}

type Incoming = {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly context: SessionContext;
  readonly options: TunnelServerOptions;
};

async function handle({ stream, headers, rawHeaders, context, options }: Incoming): Promise<void> {
  const { ':path': path, ':method': method, 'content-type': contentType, authorization } = headers;
  if (path === '/healthz' && method === 'GET') {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end('ok\n');
    return;
  }
  // Made before anything is waited for: a body that has ended until then would never be seen to end.
  const request = path === exchangePath ? undefined : new http2.Http2ServerRequest(stream, headers, {}, rawHeaders);
  try {
    const caller = await options.authenticator.authenticate({ peer: context.peer, method, path, authorization });
    if (stream.destroyed || stream.closed) return;
    if (request) options.answer({ request, response: new http2.Http2ServerResponse(stream), context, caller });
    else offerLane(stream, { contentType, context, caller });
  } catch (thrown) {
    if (thrown instanceof Refusal) options.onRefused({ refusal: thrown, context, method: methodName(path) });
    else options.log.error({ err: thrown }, 'a stream of the tunnel failed in a way nobody foresaw');
    const correlationId = crypto.randomUUID();
    refuseStream(stream, contentType, connectError(thrown, { docsBaseUrl: options.docsBaseUrl, correlationId }));
  }
}

type Offer = {
  readonly contentType: string | undefined;
  readonly context: SessionContext;
  readonly caller: Caller;
};

function offerLane(stream: ServerHttp2Stream, { contentType, context, caller }: Offer): void {
  const { connection } = context;
  if (contentType !== 'application/connect+proto' || !connection || caller.kind !== 'agent') {
    throw new Refusal(
      'BAD_REQUEST',
      'A lane must be opened with application/connect+proto, after the hello on Control.',
    );
  }
  if (caller.tokenExpiresAt > connection.tokenExpiresAt) connection.tokenExpiresAt = caller.tokenExpiresAt;
  connection.offer(stream);
}

// Only the method's own name is kept of a path that may be anything.
const methodName = (path: string | undefined): string => /\/([A-Za-z]{1,40})$/.exec(path ?? '')?.[1] ?? 'unknown';
