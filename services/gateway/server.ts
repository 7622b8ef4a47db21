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
import { answerOnSocket, malformedAnswer, sendAnswerAndClose } from './answers.ts';
import { registerGatewayHealth, type HealthOptions } from './health.ts';
import type { KubectlProxy } from './proxy.ts';
import { malformed, parserProblem, type Malformed } from './request-hygiene.ts';
import { isProxyTarget } from './routes.ts';
import { registerSurfaces, type SurfacesOptions } from './surfaces.ts';

export type GatewayServerOptions = SurfacesOptions &
  HealthOptions & {
    readonly proxy: KubectlProxy;
    readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
    readonly log: Log;
  };

/** Heads must be whole within 15 s, looked at every 2.5 s (GW-09), and are smaller than what services behind take (GW-07). */
const limits = {
  ...serverLimits,
  maxHeaderSize: 16_384,
  headersTimeout: 15_000,
  connectionsCheckingInterval: 2_500,
} as const;

/** The gateway's server, not listening yet. */
export async function buildGatewayServer(options: GatewayServerOptions): Promise<FastifyInstance> {
  const app = buildHttpServer({
    log: options.log,
    docsBaseUrl: options.docsBaseUrl,
    notReady: options.notReady,
    createServer: (router) => createFront(router, options),
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
    if (problem) return sendAnswerAndClose(response, answerTo(problem, request, options));
    if (isProxyTarget(request.url ?? '')) return options.proxy.handle(request, response);
    router(request, response);
  };
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
    if (response) sendAnswerAndClose(response, answerTo(problem, request, options));
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const problem: Malformed = { status: 405, message: 'CONNECT is not carried.' };
    const response = responseOn(request, socket as Socket, head);
    if (response) sendAnswerAndClose(response, answerTo(problem, request, options));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const problem = parserProblem(error.code);
    const response = latest.get(socket);
    // Bytes written now could be taken for the answer to another request: an answer is under way, or one is owed to a
    // request that was whole before the broken one began.
    const owed =
      response !== undefined && !response.writableFinished && (response.headersSent || response.req.complete);
    if (problem === undefined || owed) return void socket.destroy();
    answerOnSocket(socket, malformedAnswer(problem, '/', { docsBaseUrl: options.docsBaseUrl, correlationId: newId() }));
  });
  return server as Server;
}

const answerTo = (problem: Malformed, request: IncomingMessage, options: GatewayServerOptions) =>
  malformedAnswer(problem, request.url ?? '/', {
    docsBaseUrl: options.docsBaseUrl,
    correlationId: correlationOf(request).correlationId,
  });

const newId = (): string => crypto.randomUUID().replaceAll('-', '');
