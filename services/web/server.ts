/**
 * What a browser or a CLI finds at the public address: the front page, the discovery document, a page for every error code, the
 * dashboard with its session, and the way of its calls to the gateway. Every answer carries the headers that keep it to this origin, and
 * may be stored by nobody unless its own route says otherwise (UI-02).
 */
import { isIP } from 'node:net';
import { fastifyCookie } from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { discoveryPath } from '@clustral/schemas/discovery.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { buildHttpServer } from '@clustral/kernel/http-server.ts';
import { registerAppPages } from './app-pages.ts';
import { registerAuth, type AuthParts } from './auth-routes.ts';
import { sessionIdOf } from './behalf.ts';
import { registerCalls } from './calls.ts';
import type { WebConfig } from './config.ts';
import { discoveryDocument } from './discovery.ts';
import { pageHeaders } from './page.ts';
import { errorCodePage, errorsPage, frontPage, notFoundPage } from './pages.ts';
import { registerSignOut } from './sign-out.ts';

/** The web service's server, not listening yet. */
export async function buildWebServer(config: WebConfig, parts: AuthParts): Promise<FastifyInstance> {
  const { docsBaseUrl, trustedProxies } = config;
  const app = buildHttpServer({ log: parts.log, docsBaseUrl, bodyLimit: 64 * 1024, trustedProxies });
  const headers = securityHeaders(config.publicUrl);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
  await app.register(fastifyCookie);
  registerPages(app, config, parts);
  registerAuth(app, parts);
  registerSignOut(app, parts);
  await registerCalls(app, { ...parts, docsBaseUrl, auditPath: config.gateway.auditPath });
  await registerAppPages(app, config.uiFolder);
  app.get('/*', (request, reply) => answerNotFound(request.headers.accept, reply));
  return app;
}

function registerPages(app: FastifyInstance, config: WebConfig, { sessions }: AuthParts): void {
  const document = discoveryDocument(config.discovery);
  const front = frontPage(config.publicUrl.origin);
  const errors = errorsPage();
  const isSignedIn = (request: FastifyRequest): boolean => sessions.find(sessionIdOf(request)) !== undefined;
  app.get(discoveryPath, (_request, reply) => reply.header('cache-control', 'no-cache').send(document));
  app.get('/', (request, reply) => (isSignedIn(request) ? reply.redirect('/home', 302) : sendPage(reply, front)));
  app.get('/errors/', (_request, reply) => sendPage(reply, errors));
  app.get('/errors', (_request, reply) => reply.redirect('/errors/', 301));
  app.get<{ Params: { code: string } }>('/errors/:code', (request, reply) => {
    const page = errorCodePage(request.params.code);
    return page === undefined ? answerNotFound(request.headers.accept, reply) : sendPage(reply, page);
  });
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.headers(pageHeaders).send(page);
}

// A browser names text/html; kubectl, curl and the CLI do not, and get what they can read.
function answerNotFound(accept: string | undefined, reply: FastifyReply): FastifyReply {
  if (accept?.toLowerCase().includes('text/html')) return sendPage(reply.status(404), notFoundPage());
  throw new Refusal('ROUTE_NOT_FOUND', 'There is no GET here.');
}

function securityHeaders({ hostname }: URL): Record<string, string> {
  // It binds a host on every port: on `localhost` it would take plain http away from everything else that runs there.
  const isOwnHost = hostname.includes('.') && isIP(hostname) === 0;
  return {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    ...(isOwnHost ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}
