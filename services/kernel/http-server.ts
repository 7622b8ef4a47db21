/**
 * How every HTTP server of ours begins: limits, correlation ids, one error handler that answers problem+json. It adds no
 * route but health, and knows nothing of who is calling.
 */
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import fastify, {
  LogController,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { Refusal } from '@clustral/schemas/errors.ts';
import { correlate, type Correlation } from './correlation.ts';
import { problemAnswer } from './http-errors.ts';
import type { Log } from './log.ts';

declare module 'fastify' {
  interface FastifyRequest {
    correlation: Correlation;
  }
}

export type HttpServerOptions = {
  readonly log: Log;
  readonly docsBaseUrl: string;
  /** Makes the server when it must not be a plain one: TLS, or a path that is served ahead of the router. */
  readonly createServer?: (handler: RequestListener) => Server;
  /** Largest body in bytes; 10 MB when unset (D4). */
  readonly bodyLimit?: number;
  /** Networks whose `X-Forwarded-For` says where a request came from (`request.ip`); none when unset. */
  readonly trustedProxies?: string[];
  /** Says why the process cannot serve, or nothing when it can. */
  readonly notReady?: () => Promise<string | undefined>;
};

/** Limits of every HTTP/1.1 server of ours. A proxied request has no total timeout (D5); heads have (GW-09). */
export const serverLimits = {
  maxHeaderSize: 32_768,
  headersTimeout: 20_000,
  requestTimeout: 0,
  keepAliveTimeout: 65_000,
  // A request without a body has ended when it begins, instead of going through the life of a stream.
  optimizeEmptyRequests: true,
} as const;

/** A fastify server with the common behaviour. Listening is the caller's. */
export function buildHttpServer(options: HttpServerOptions): FastifyInstance {
  const make = options.createServer ?? ((handler: RequestListener) => createServer(serverLimits, handler));
  const app = fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimit ?? 10 * 1024 * 1024,
    trustProxy: options.trustedProxies ?? false,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false, caseSensitive: true },
    exposeHeadRoutes: false,
    serverFactory: (handler) => {
      const server = make(handler as RequestListener);
      // Node would silently drop the headers after the thousandth (GW-07); their size is limited instead.
      server.maxHeadersCount = 0;
      return server;
    },
    // Every answer to a malformed request is one sentence, without echo of what was sent.
    frameworkErrors: (error, request, reply) =>
      sendProblem(request, reply, { error, docsBaseUrl: options.docsBaseUrl }),
  }) as unknown as FastifyInstance;
  app.decorateRequest('correlation', undefined as unknown as Correlation);
  app.addHook('onRequest', (request, reply, done) => {
    request.correlation = correlationOf(request.raw);
    reply.header('x-correlation-id', request.correlation.correlationId);
    reply.header('traceresponse', request.correlation.traceresponse);
    done();
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (!(error instanceof Refusal) && (error.statusCode === undefined || error.statusCode >= 500)) {
      request.log.error(
        { err: error, correlationId: request.correlation.correlationId },
        'a request failed in a way nobody foresaw',
      );
    }
    sendProblem(request, reply, { error, docsBaseUrl: options.docsBaseUrl });
  });
  app.setNotFoundHandler((request, reply) => {
    const error = new Refusal('ROUTE_NOT_FOUND', `There is no ${request.method} here.`);
    sendProblem(request, reply, { error, docsBaseUrl: options.docsBaseUrl });
  });
  registerHealth(app, options.notReady);
  return app;
}

/**
 * Closes the server, and after `graceMs` cuts what is open: a request that still runs, or a connection on which nobody ever asked
 * for anything, which Node does not count among the idle ones (F-29).
 */
export async function closeWithin(app: FastifyInstance, graceMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
  await app.close();
  clearTimeout(cut);
}

function registerHealth(app: FastifyInstance, notReady: HttpServerOptions['notReady']): void {
  app.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/healthz/ready', async (_request, reply) => {
    const reason = await notReady?.();
    await reply
      .status(reason === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${reason ?? 'ok'}\n`);
  });
}

/** The correlation of a raw request: from its headers, or made now. */
export function correlationOf(request: IncomingMessage): Correlation {
  const { 'x-correlation-id': correlationId, traceparent } = request.headers;
  return correlate({
    correlationId: typeof correlationId === 'string' ? correlationId : undefined,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
  });
}

/** True when a body follows the head: one of the two headers that frame it says so (RFC 9112, section 6). */
export function announcesBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  return coding !== undefined || (length !== undefined && length !== '0');
}

function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  problem: { error: unknown; docsBaseUrl: string },
): void {
  // A request that the router could not even read has no correlation yet.
  const correlation = request.correlation ?? correlationOf(request.raw);
  const path = request.url.split('?')[0] ?? '/';
  const answer = problemAnswer(foreseen(problem.error), {
    docsBaseUrl: problem.docsBaseUrl,
    correlationId: correlation.correlationId,
    instance: path,
  });
  void reply.status(answer.status).headers(answer.headers).send(answer.body);
}

/** fastify's own refusals of a malformed request, in the words of our catalogue; everything else as it is. */
export function foreseen(error: unknown): unknown {
  if (error instanceof Refusal) return error;
  const status = (error as { statusCode?: unknown }).statusCode;
  switch (status) {
    case 413:
      return new Refusal('REQUEST_TOO_LARGE', 'The request body is larger than 10 MB.');
    case 415:
      return new Refusal('UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json.');
    case 405:
      return new Refusal('METHOD_NOT_ALLOWED', 'This method is not allowed here.');
    case 400:
    case 414:
    case 431:
      return new Refusal('BAD_REQUEST', 'The request cannot be read: its path or its body is malformed.');
    default:
      return error;
  }
}
