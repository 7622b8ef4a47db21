/**
 * What `--debug` says: per call its method, address, status, time, correlation id and headers. A header's value is shown only when it is known to be
 * harmless, and an address without its query: a token has no way onto the screen (ID-16). Loaded only under `--debug`.
 */
import { subscribe } from 'node:diagnostics_channel';
import { ConnectError, type Interceptor } from '@connectrpc/connect';
import { correlationHeader, positionHeader } from '@clustral/schemas/tokens.ts';

/** Takes one line. */
export type Trace = (line: string) => void;

const harmless = new Set([
  'accept',
  'accept-encoding',
  'cache-control',
  'connect-protocol-version',
  'connect-timeout-ms',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'host',
  'retry-after',
  'server',
  'traceparent',
  'user-agent',
  'vary',
  correlationHeader,
  positionHeader,
]);

/** Headers in one line, the values of all but the harmless ones left out. */
export function shownHeaders(headers: Iterable<readonly [name: string, value: string]>): string {
  const shown = [...headers].map(([name, value]) => `${name}: ${harmless.has(name) ? value : '(redacted)'}`);
  return shown.length === 0 ? 'none' : shown.join('; ');
}

/** Says of each RPC how it went. */
export function tracing(trace: Trace): Interceptor {
  return (next) => async (request) => {
    const begun = performance.now();
    const say = (status: string, answered: Headers): void => {
      const reference = answered.get(correlationHeader) ?? 'none';
      trace(
        `${request.method.name}: ${request.requestMethod} ${withoutQuery(request.url)}: ${status} in ${since(begun)}, ref ${reference}`,
      );
      trace(`${request.method.name}: sent ${shownHeaders(request.header)}`);
      trace(`${request.method.name}: got ${shownHeaders(answered)}`);
    };
    try {
      const response = await next(request);
      say('ok', response.header);
      return response;
    } catch (cause) {
      const error = ConnectError.from(cause);
      say(`failed (${error.message})`, error.metadata);
      throw cause;
    }
  };
}

type HttpRequest = { readonly method: string; readonly origin?: string | URL; readonly path: string };
type HttpAnswer = { readonly statusCode: number; readonly headers: readonly Buffer[] };

/** Says of each request outside of RPC (discovery, identity provider) how it went, for the rest of the process. */
export function traceHttp(trace: Trace): void {
  const begun = new WeakMap<object, number>();
  const lineOf = (request: HttpRequest, status: string): string => {
    const address = withoutQuery(String(request.origin ?? '') + request.path);
    return `http: ${request.method} ${address}: ${status} in ${since(begun.get(request) ?? performance.now())}`;
  };
  subscribe('undici:request:create', (message) => {
    begun.set((message as { request: HttpRequest }).request, performance.now());
  });
  subscribe('undici:request:headers', (message) => {
    const { request, response } = message as { request: HttpRequest; response: HttpAnswer };
    trace(lineOf(request, String(response.statusCode)));
    trace(`http: got ${shownHeaders(pairsOf(response.headers))}`);
  });
  subscribe('undici:request:error', (message) => {
    const { request, error } = message as { request: HttpRequest; error: Error };
    trace(lineOf(request, `failed (${error.message})`));
  });
}

/** Headers as they came: name and value in turn. */
function pairsOf(raw: readonly Buffer[]): readonly (readonly [string, string])[] {
  return Array.from({ length: Math.floor(raw.length / 2) }, (_, index) => [
    String(raw[2 * index]).toLowerCase(),
    String(raw[2 * index + 1]),
  ]);
}

const withoutQuery = (address: string): string => address.split(/[?#]/, 1)[0] ?? '';
const since = (begun: number): string => `${Math.round(performance.now() - begun)} ms`;
