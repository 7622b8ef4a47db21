/**
 * The gateway's one server: what every request passes before anything of ours reads it, then the kubectl path by own code
 * or fastify for the rest. HTTP/1.1 with Node's strict parser, with TLS when a certificate is given. Nothing of a request
 * that asks to change the protocol, or that the parser refused, is ever read as a second request.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { buildHttpServer, correlationOf, serverLimits } from '@clustral/kernel/http-server.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { responseOn } from '@clustral/kernel/upgrade.ts';
import { noteWhenOver, type AccessLog, type Noted } from './access-log.ts';
import { answerOnSocket, malformedAnswer, sendAnswerAndClose } from './answers.ts';
import { registerGatewayHealth, type HealthOptions } from './health.ts';
import { valuesOf } from './headers.ts';
import type { KubectlProxy } from './proxy.ts';
import { malformed, parserProblem, type Malformed } from './request-hygiene.ts';
import { isProxyTarget } from './routes.ts';
import { registerSurfaces, type Deadlines, type SurfacesOptions } from './surfaces.ts';

export type GatewayServerOptions = SurfacesOptions &
  HealthOptions & {
    readonly proxy: KubectlProxy;
    readonly accessLog: AccessLog;
    readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
    readonly log: Log;
  };

/** Heads are smaller than what services behind take (GW-07), and must be whole by a deadline (GW-09). */
const limitsOf = ({ headMs, checkEveryMs }: Deadlines) =>
  ({
    ...serverLimits,
    maxHeaderSize: 16_384,
    headersTimeout: headMs,
    connectionsCheckingInterval: checkEveryMs,
  }) as const;

/** The gateway's server, not listening yet. */
export async function buildGatewayServer(options: GatewayServerOptions): Promise<FastifyInstance> {
  const app = buildHttpServer({
    log: options.log,
    docsBaseUrl: options.docsBaseUrl,
    notReady: options.notReady,
    createServer: (router) => createFront(router, options),
  });
  app.addHook('onRequest', (request, reply, done) => {
    const { noted } = reply.raw as NotedResponse;
    if (noted) noted.correlationId = request.correlation.correlationId;
    done();
  });
  registerGatewayHealth(app, options);
  await registerSurfaces(app, options);
  return app;
}

function createFront(router: RequestListener, options: GatewayServerOptions): Server {
  /** The last response that was begun on a connection. */
  const latest = new WeakMap<Duplex, ServerResponse>();
  const front = (request: IncomingMessage, response: ServerResponse): void => {
    latest.set(request.socket, response);
    const problem = malformed(request);
    if (problem) return refuse(problem, response, options);
    if (isProxyTarget(request.url ?? '')) return options.proxy.handle(request, response);
    (response as NotedResponse).noted = note(response, options);
    router(request, response);
  };
  const limits = limitsOf(options.deadlines);
  const server = options.tls
    ? createTlsServer(
        { ...limits, ...options.tls, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'], handshakeTimeout: 10_000 },
        front,
      )
    : createServer(limits, front);
  // Node promises a socket of the server's own in both events.
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const elsewhere: Malformed = { status: 400, message: 'No other protocol is spoken here.' };
    const problem = malformed(request) ?? (isProxyTarget(request.url ?? '') ? undefined : elsewhere);
    if (problem === undefined) return options.proxy.upgrade(request, socket as Socket, head);
    const response = responseOn(request, socket as Socket, head);
    if (response) refuse(problem, response, options);
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const problem: Malformed = { status: 405, message: 'CONNECT is not carried.' };
    const response = responseOn(request, socket as Socket, head);
    if (response) refuse(problem, response, options);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const problem = parserProblem(error.code);
    const response = latest.get(socket);
    // Bytes written now could be taken for the answer to another request: an answer is under way, or one is owed to a
    // request that was whole before the broken one began.
    const owed =
      response !== undefined && !response.writableFinished && (response.headersSent || response.req.complete);
    if (problem === undefined || owed) return void socket.destroy();
    const correlationId = newId();
    noteUnreadable({ status: problem.status, correlationId, peer: (socket as Socket).remoteAddress }, options);
    answerOnSocket(socket, malformedAnswer(problem, '/', { docsBaseUrl: options.docsBaseUrl, correlationId }));
  });
  return server as Server;
}

/** A response of the router, with what the access log will say of it. */
type NotedResponse = ServerResponse & { noted?: Noted };

function note(response: ServerResponse, { accessLog, addressOf }: GatewayServerOptions, correlationId?: string): Noted {
  const { req: request } = response;
  const sourceAddress = addressOf(request.socket.remoteAddress, valuesOf(request, 'x-forwarded-for'));
  const noted: Noted = { sourceAddress, correlationId, credentialId: null };
  noteWhenOver(accessLog, response, noted);
  return noted;
}

type Unreadable = { readonly status: number; readonly correlationId: string; readonly peer: string | undefined };

function noteUnreadable({ peer, ...told }: Unreadable, { accessLog, addressOf }: GatewayServerOptions): void {
  const unknown = { method: '-', target: '-', credentialId: null, isCut: false };
  accessLog.note({ ...unknown, ...told, sourceAddress: addressOf(peer, []), startedAtMs: performance.now() });
}

function refuse(problem: Malformed, response: ServerResponse, options: GatewayServerOptions): void {
  const { req: request } = response;
  const { correlationId } = correlationOf(request);
  note(response, options, correlationId);
  const context = { docsBaseUrl: options.docsBaseUrl, correlationId };
  sendAnswerAndClose(response, malformedAnswer(problem, request.url ?? '/', context));
}

const newId = (): string => crypto.randomUUID().replaceAll('-', '');
