/**
 * The paths that are no resources: version, health, discovery and OpenAPI. They are read-only and the same for all.
 */
import { discoveryAt } from './discovery.ts';
import type { Exchange } from './exchange.ts';
import { gitVersion } from './identity.ts';
import type { JsonObject } from './objects.ts';
import { openApiAt } from './openapi.ts';
import { methodNotAllowed, unknownPath } from './status.ts';

/** kubectl 1.27 applies nothing without an OpenAPI v2 document, and is content with one that describes nothing. */
const openApiV2Path = '/openapi/v2';
const openApiV2Type = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const healthPaths = /^\/(healthz|livez|readyz)(\/ping)?\/?$/;

/**
 * Answers a request for a plain path.
 * @throws ApiError 404 for a path that does not exist, 405 for anything but reading
 */
export function answerPlainPath(exchange: Exchange, path: string, query: URLSearchParams): void {
  const health = healthPaths.exec(path);
  const discovery = discoveryAt(path, exchange.header('accept'));
  const openApi = openApiAt(path);
  const known = health !== null || discovery !== undefined || openApi !== undefined;
  if (!known && !['/version', openApiV2Path].includes(path)) throw unknownPath();
  if (!['GET', 'HEAD'].includes(exchange.method)) throw methodNotAllowed();
  exchange.setHeader('vary', 'Accept');
  if (discovery !== undefined) exchange.json(200, discovery.body, discovery.contentType);
  else if (openApi !== undefined) exchange.json(200, openApi);
  else if (path === openApiV2Path) answerOpenApiV2(exchange);
  else if (health === null) exchange.json(200, version());
  else exchange.text(200, query.has('verbose') ? `[+]ping ok\n${health[1] ?? ''} check passed\n` : 'ok');
}

/** The empty document, which as protobuf has no bytes. */
function answerOpenApiV2(exchange: Exchange): void {
  if (exchange.header('accept').includes('proto-openapi')) exchange.text(200, '', openApiV2Type);
  else exchange.json(200, { swagger: '2.0', info: { title: 'Clustral demo cluster', version: 'v1.35.0' }, paths: {} });
}

function version(): JsonObject {
  return {
    major: '1',
    minor: '35',
    gitVersion,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: 'node',
    platform: `${process.platform}/${process.arch}`,
  };
}
