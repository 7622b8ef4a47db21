/** The Connect face of the admin API: each method of each service, answered by the same handler as REST. */
import {
  ConnectError,
  createContextKey,
  createContextValues,
  type ConnectRouter,
  type ContextValues,
  type HandlerContext,
} from '@connectrpc/connect';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '@clustral/schemas/errors.ts';
import { routesOf, streamsOf, type Route, type StreamRoute } from '@clustral/schemas/services.ts';
import type { AnyHandler, AnyStreamHandler, Implementation } from './api.ts';
import { admitCall, runCall, type ApiOptions } from './api-call.ts';
import { correlate, type Correlation } from './correlation.ts';
import { connectError } from './http-errors.ts';

/** The routes for `fastifyConnectPlugin`, which must be given `connectionOf` too where there are streams. */
export function connectRoutes(
  implementations: readonly Implementation[],
  options: ApiOptions,
): (router: ConnectRouter) => void {
  return (router) => {
    for (const { service, handlers, streams } of implementations) {
      for (const route of routesOf([service])) {
        const handler = handlerOf(handlers, route);
        router.rpc(route.method, (message, context) => respond(message, context, { route, handler, options }));
      }
      for (const route of streamsOf([service])) {
        const handler = handlerOf(streams, route);
        router.rpc(route.method, (message, context) => respondInStream(message, context, { route, handler, options }));
      }
    }
  };
}

function handlerOf<Handler>(
  handlers: Readonly<Record<string, Handler>>,
  { service, method }: Route | StreamRoute,
): Handler {
  const handler = handlers[method.localName];
  if (!handler) throw new Error(`${service.typeName}/${method.name} has no handler`);
  return handler;
}

type Target<OfRoute, Handler> = { readonly route: OfRoute; readonly handler: Handler; readonly options: ApiOptions };

async function respond(
  message: object,
  context: HandlerContext,
  { route, handler, options }: Target<Route, AnyHandler>,
): Promise<Record<string, unknown>> {
  const { headers, correlation, signal } = incoming(context);
  try {
    const result = await runCall({ options, route, headers, correlation, signal }, (call) =>
      handler(message as never, call),
    );
    for (const [name, value] of Object.entries(result.headers)) context.responseHeader.set(name, value);
    return result.message;
  } catch (thrown) {
    throw failed(thrown, { route, options, correlation });
  }
}

async function* respondInStream(
  message: object,
  context: HandlerContext,
  { route, handler, options }: Target<StreamRoute, AnyStreamHandler>,
): AsyncGenerator<Record<string, unknown>> {
  const { headers, correlation, signal } = incoming(context);
  // What a proxy in between holds back is no stream.
  context.responseHeader.set('cache-control', 'no-store');
  context.responseHeader.set('x-accel-buffering', 'no');
  try {
    const call = await admitCall({ options, route, headers, correlation, signal });
    yield* handler(message as never, { ...call, cut: context.values.get(connection).cut });
  } catch (thrown) {
    throw failed(thrown, { route, options, correlation });
  }
}

/** The connection of a call, as far as a handler may touch it. */
const connection = createContextKey<{ readonly cut: () => void }>(
  { cut: () => undefined },
  { description: 'the connection that the call came by' },
);

/** For `contextValues` of `fastifyConnectPlugin`. */
export const connectionOf = (request: FastifyRequest): ContextValues =>
  createContextValues().set(connection, { cut: () => void request.raw.socket.destroy() });

function incoming(context: HandlerContext): {
  readonly headers: Readonly<Record<string, string>>;
  readonly correlation: Correlation;
  readonly signal: AbortSignal;
} {
  const headers = Object.fromEntries(context.requestHeader.entries());
  const correlation = correlate({ correlationId: headers['x-correlation-id'], traceparent: headers['traceparent'] });
  context.responseHeader.set('x-correlation-id', correlation.correlationId);
  return { headers, correlation, signal: context.signal };
}

type Failing = {
  readonly route: Route | StreamRoute;
  readonly options: ApiOptions;
  readonly correlation: Correlation;
};

function failed(thrown: unknown, { route, options, correlation: { correlationId } }: Failing): ConnectError {
  if (!(thrown instanceof Refusal) && !(thrown instanceof ConnectError)) {
    options.log.error({ err: thrown, correlationId }, `${route.method.name} failed in a way nobody foresaw`);
  }
  return connectError(thrown, { docsBaseUrl: options.docsBaseUrl, correlationId });
}
