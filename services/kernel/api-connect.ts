/** The Connect face of the admin API: each method of each service, answered by the same handler as REST. */
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { Refusal } from '@clustral/schemas/errors.ts';
import { routesOf } from '@clustral/schemas/services.ts';
import { positionHeader } from '@clustral/schemas/tokens.ts';
import { type AnyHandler, type Implementation } from './api.ts';
import { runCall, type ApiOptions } from './api-call.ts';
import { correlate } from './correlation.ts';
import { connectError } from './http-errors.ts';

/** The routes for `fastifyConnectPlugin` or `connectNodeAdapter`. */
export function connectRoutes(
  implementations: readonly Implementation[],
  options: ApiOptions,
): (router: ConnectRouter) => void {
  return (router) => {
    for (const { service, handlers } of implementations) {
      for (const route of routesOf([service])) {
        const handler = handlers[route.method.localName];
        if (!handler) throw new Error(`${service.typeName}/${route.method.name} has no handler`);
        router.rpc(route.method as DescMethodUnary, (message, context) =>
          respond(message, context, { route, handler, options }),
        );
      }
    }
  };
}

type Target = {
  readonly route: ReturnType<typeof routesOf>[number];
  readonly handler: AnyHandler;
  readonly options: ApiOptions;
};

async function respond(
  message: object,
  context: HandlerContext,
  { route, handler, options }: Target,
): Promise<Record<string, unknown>> {
  const headers = Object.fromEntries(context.requestHeader.entries());
  const correlation = correlate({ correlationId: headers['x-correlation-id'], traceparent: headers['traceparent'] });
  context.responseHeader.set('x-correlation-id', correlation.correlationId);
  try {
    const result = await runCall({ options, route, headers, correlation, signal: context.signal }, (call) =>
      handler(message as never, call),
    );
    if (result.position !== undefined) context.responseHeader.set(positionHeader, String(result.position));
    return result.message;
  } catch (thrown) {
    if (!(thrown instanceof Refusal) && !(thrown instanceof ConnectError)) {
      options.log.error(
        { err: thrown, correlationId: correlation.correlationId },
        `${route.method.name} failed in a way nobody foresaw`,
      );
    }
    throw connectError(thrown, { docsBaseUrl: options.docsBaseUrl, correlationId: correlation.correlationId });
  }
}
