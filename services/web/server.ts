/**
 * What a browser or a CLI finds at the public address before anybody signed in: the front page, the discovery document and
 * a page for every error code. It has no session yet, keeps nothing and asks no other service.
 */
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { discoveryPath } from '@clustral/schemas/discovery.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { buildHttpServer } from '@clustral/kernel/http-server.ts';
import type { Log } from '@clustral/kernel/log.ts';
import type { WebConfig } from './config.ts';
import { discoveryDocument } from './discovery.ts';
import { pageHeaders } from './page.ts';
import { errorCodePage, errorsPage, frontPage, notFoundPage } from './pages.ts';

/** The web service's server, not listening yet. */
export function buildWebServer(config: WebConfig, log: Log): FastifyInstance {
  const app = buildHttpServer({ log, docsBaseUrl: config.docsBaseUrl, bodyLimit: 64 * 1024 });
  const document = discoveryDocument(config);
  const front = frontPage(config.publicUrl.origin);
  const errors = errorsPage();
  const headers = securityHeaders(config.publicUrl);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
  app.get(discoveryPath, (_request, reply) => reply.header('cache-control', 'no-cache').send(document));
  app.get('/', (_request, reply) => sendPage(reply, front));
  app.get('/errors/', (_request, reply) => sendPage(reply, errors));
  app.get('/errors', (_request, reply) => reply.redirect('/errors/', 301));
  app.get<{ Params: { code: string } }>('/errors/:code', (request, reply) => {
    const page = errorCodePage(request.params.code);
    return page === undefined ? answerNotFound(request.headers.accept, reply) : sendPage(reply, page);
  });
  app.get('/*', (request, reply) => answerNotFound(request.headers.accept, reply));
  return app;
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.headers(pageHeaders).send(page);
}

// A browser names text/html; kubectl, curl and the CLI do not, and get what they can read.
function answerNotFound(accept: string | undefined, reply: FastifyReply): FastifyReply {
  if (accept?.toLowerCase().includes('text/html')) return sendPage(reply.status(404), notFoundPage());
  throw new Refusal('ROUTE_NOT_FOUND', 'There is no GET here.');
}

function securityHeaders({ protocol, hostname }: URL): Record<string, string> {
  // It binds a host on every port: on `localhost` it would take plain http away from everything else that runs there.
  const isOwnHost = protocol === 'https:' && hostname.includes('.') && isIP(hostname) === 0;
  return {
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    ...(isOwnHost ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}
