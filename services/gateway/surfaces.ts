/**
 * Everything but the kubectl path, through fastify and @fastify/http-proxy: the admin API (REST and Connect), the audit,
 * the pages and, in the embedded default, the identity provider. One hook decides where a request goes, who is calling and
 * whether it may go now, before a byte of the body is read. Bodies are taken whole (at most 10 MB, D4), so a service behind
 * never sees half of one that is refused.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastifyHttpProxy } from '@fastify/http-proxy';
import type { Dispatcher } from 'undici';
import { Refusal } from '@clustral/schemas/errors.ts';
import { correlationHeader, internalTokenHeader, positionHeader } from '@clustral/schemas/tokens.ts';
import { connectAnswer, textAnswer } from '@clustral/kernel/http-errors.ts';
import { announcesBody, foreseen } from '@clustral/kernel/http-server.ts';
import { answerOnSocket, malformedAnswer } from './answers.ts';
import { StrayKubeconfigToken, type Authenticator } from './authenticate.ts';
import { refusalOfFailure } from './carry.ts';
import type { Upstreams } from './config.ts';
import { answerHeadersOf, connectionListed, endsHere, valuesOf } from './headers.ts';
import { refuseRepeatedKeys } from './json-bodies.ts';
import { countStranger, type RateLimits } from './rate-limit.ts';
import { pathOf, routeOf, type Route } from './routes.ts';
import { addressGroup, type AddressOf } from './source-address.ts';

/** What the hook found out, for the handler. */
type Admission = {
  readonly route: Route;
  readonly upstream: string;
  readonly path: string;
  readonly internalToken: string | undefined;
  readonly sourceAddress: string;
};

declare module 'fastify' {
  interface FastifyRequest {
    admission: Admission | undefined;
  }
}

export type SurfacesOptions = {
  readonly dispatcher: Dispatcher;
  readonly upstreams: Upstreams;
  readonly authenticator: Authenticator;
  readonly limits: RateLimits;
  readonly addressOf: AddressOf;
  readonly publicUrl: URL;
  readonly docsBaseUrl: string;
  readonly deadlines: Deadlines;
};

/** By when a client must have sent what it began (GW-09). */
export type Deadlines = {
  /** For a request's head; it is looked at every `checkEveryMs`. */
  readonly headMs: number;
  readonly checkEveryMs: number;
  /** For the body of a call of the admin API: 408. */
  readonly bodyMs: number;
};

export const usualDeadlines: Deadlines = { headMs: 15_000, checkEveryMs: 2_500, bodyMs: 60_000 };

/** Registers the routes. Health must be registered outside. */
export async function registerSurfaces(app: FastifyInstance, options: SurfacesOptions): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.decorateRequest('admission', undefined);
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request) => {
      watchBody(request, options);
      request.admission = await admit(request, options);
    });
    scope.setErrorHandler((error: FastifyError, request, reply) => answerError(error, { request, reply, options }));
    await scope.register(fastifyHttpProxy, {
      upstream: '',
      proxyPayloads: false,
      undici: options.dispatcher as never,
      // D22: its default is to ask again for GETs, ten times after a 503.
      retryMethods: [],
      disableRequestLogging: true,
      disableCache: true,
      internalRewriteLocationHeader: false,
      replyOptions: {
        getUpstream: (request) => admissionOf(request as FastifyRequest).upstream,
        rewriteRequestHeaders: (request, headers) => onwardHeaders(request as FastifyRequest, headers, options),
        rewriteHeaders: (headers) => answerHeadersOf(headers as IncomingHttpHeaders),
        onError: (reply, { error }) =>
          void (reply as unknown as FastifyReply).send(
            refusalOfFailure(causeOf(error), 'The service behind the gateway'),
          ),
      },
      handler: (request, reply, ...[, replyOptions]) => {
        const { path, route } = admissionOf(request);
        if (route.kind === 'api') refuseRepeatedKeys(request.body, request.headers['content-type']);
        return reply.from(path, { ...replyOptions, ...bodyOf(request) });
      },
    });
  });
}

async function admit(request: FastifyRequest, options: SurfacesOptions): Promise<Admission> {
  const { raw } = request;
  const sourceAddress = options.addressOf(raw.socket.remoteAddress, valuesOf(raw, 'x-forwarded-for'));
  const identityProvider = options.upstreams.identityProvider;
  const route = routeOf(request.method, raw.url ?? '/', { identityProvider: identityProvider !== undefined });
  const base = { route, path: pathOf(raw.url ?? '/'), internalToken: undefined, sourceAddress };
  switch (route.kind) {
    case 'api': {
      const onward = { ...base, path: route.path, upstream: options.upstreams[route.upstream] };
      if (!route.anonymous) return { ...onward, internalToken: await personToken(request, sourceAddress, options) };
      options.limits.anonymous(addressGroup(sourceAddress));
      return onward;
    }
    case 'lookalike':
      await personToken(request, sourceAddress, options);
      throw notFound(request);
    case 'web':
      await options.authenticator.refuseStray(raw);
      return { ...base, upstream: options.upstreams.web };
    case 'identityProvider':
      if (identityProvider === undefined) throw notFound(request);
      return { ...base, upstream: identityProvider };
    // The kubectl path is served ahead of the router and health by routes of its own; what is left of both is nothing.
    case 'proxy':
    case 'own':
    case 'hidden':
      throw notFound(request);
    default:
      return route satisfies never;
  }
}

async function personToken(request: FastifyRequest, sourceAddress: string, options: SurfacesOptions): Promise<string> {
  const { authenticator, limits } = options;
  const session = await authenticator.person(request.raw).catch(countStranger(limits, sourceAddress));
  limits.person(session.key);
  return session.internalToken();
}

const notFound = (request: FastifyRequest): Refusal =>
  new Refusal('ROUTE_NOT_FOUND', `There is no ${request.method} here.`);

function admissionOf(request: FastifyRequest): Admission {
  if (!request.admission) throw new Error('a request reached its handler without having been let in');
  return request.admission;
}

/** What of the client's headers a service behind is told, and what the gateway says itself. */
function onwardHeaders(
  request: FastifyRequest,
  headers: IncomingHttpHeaders | Record<string, string | string[] | undefined>,
  { publicUrl }: SurfacesOptions,
): IncomingHttpHeaders {
  const { route, internalToken, sourceAddress } = admissionOf(request);
  const listed = connectionListed(request.raw.rawHeaders);
  const onward: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (mayGoOn(name, route, listed)) onward[name] = value;
  }
  const { correlationId, traceparent } = request.correlation;
  return {
    ...onward,
    'x-forwarded-for': sourceAddress,
    // Always the configured origin: what a client says of it must never get into a link, a redirect or a cookie (GW-22).
    'x-forwarded-proto': publicUrl.protocol.slice(0, -1),
    'x-forwarded-host': publicUrl.host,
    [correlationHeader]: correlationId,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(internalToken === undefined ? {} : { [internalTokenHeader]: internalToken }),
  };
}

function mayGoOn(name: string, route: Route, listed: ReadonlySet<string>): boolean {
  if (name === positionHeader) return true;
  if (endsHere(name, listed)) return false;
  // The browser's session is the web service's, bearer tokens are ours; the identity provider has clients of its own.
  if (name === 'authorization') return route.kind === 'identityProvider';
  if (name === 'cookie') return route.kind === 'identityProvider' || route.kind === 'web';
  return true;
}

/**
 * The body as it came. http-proxy would encode a buffer of JSON once more if it were not told, and would drop the content type of
 * an empty one, which is a whole message in binary protobuf.
 */
function bodyOf(request: FastifyRequest): { body?: Buffer | null; contentType?: string } {
  const contentType = request.headers['content-type'];
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
  if (body.length > 0) return { body, contentType: contentType ?? 'application/octet-stream' };
  if (request.method === 'POST' && contentType !== undefined) return { body, contentType };
  return request.body instanceof Buffer ? { body: null } : {};
}

function watchBody(request: FastifyRequest, { docsBaseUrl, deadlines }: SurfacesOptions): void {
  const { raw } = request;
  if (!announcesBody(raw)) return;
  const timer = setTimeout(() => {
    const problem = { status: 408, message: 'The body did not arrive in time.' } as const;
    const context = { docsBaseUrl, correlationId: request.correlation.correlationId };
    answerOnSocket(raw.socket, malformedAnswer(problem, raw.url ?? '/', context));
  }, deadlines.bodyMs);
  const done = (): void => clearTimeout(timer);
  raw.once('end', done).once('close', done);
}

type Failing = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly options: SurfacesOptions };

function answerError(error: FastifyError, { request, reply, options }: Failing): void {
  const context = { docsBaseUrl: options.docsBaseUrl, correlationId: request.correlation.correlationId };
  if (error instanceof StrayKubeconfigToken) {
    const answer = textAnswer(error, context);
    return void reply.status(answer.status).headers(answer.headers).send(answer.body);
  }
  if (!pathOf(request.raw.url ?? '/').startsWith('/clustral.v1.')) throw error;
  const foreseenError = foreseen(error);
  if (!(foreseenError instanceof Refusal)) {
    request.log.error({ err: error, correlationId: context.correlationId }, 'a call failed in a way nobody foresaw');
  }
  const answer = connectAnswer(foreseenError, context);
  void reply.status(answer.status).headers(answer.headers).send(answer.body);
}

const causeOf = (error: unknown): unknown => (error as Error).cause ?? error;
