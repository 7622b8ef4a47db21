/**
 * The one HTTP server of the control plane: the kubectl path ahead of the router, then the admin API in its two faces,
 * then health. It decides nothing; who may call which method stands in the schema (`kernel/api.ts`).
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify';
import type { FastifyInstance } from 'fastify';
import type { Implementation } from '@clustral/kernel/api.ts';
import type { ApiOptions } from '@clustral/kernel/api-call.ts';
import { connectionOf, connectRoutes } from '@clustral/kernel/api-connect.ts';
import { registerRest } from '@clustral/kernel/api-rest.ts';
import { buildHttpServer, serverLimits } from '@clustral/kernel/http-server.ts';
import { responseOn } from '@clustral/kernel/upgrade.ts';
import { proxyPrefix } from './proxy/path.ts';

/** As for every HTTP body of the product (D4); what is smaller and still too much is refused by its field (ES-14). */
const largestMessageBytes = 10 * 1024 * 1024;

/** Whoever takes requests below `/api/proxy/`. */
export type ProxyHandler = {
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
};

export type ServerOptions = {
  readonly api: ApiOptions;
  readonly implementations: readonly Implementation[];
  readonly proxy: ProxyHandler;
  /** Says why the process cannot serve, or nothing when it can. */
  readonly notReady: () => Promise<string | undefined>;
};

/** The server. Listening is the caller's. */
export async function buildServer({ api, implementations, proxy, notReady }: ServerOptions): Promise<FastifyInstance> {
  const app = buildHttpServer({
    log: api.log,
    docsBaseUrl: api.docsBaseUrl,
    notReady,
    createServer: (handler) => serverBehindProxy(handler, proxy),
  });
  registerRest(app, implementations, api);
  await app.register(fastifyConnectPlugin, {
    routes: connectRoutes(implementations, api),
    contextValues: connectionOf,
    grpc: false,
    grpcWeb: false,
    acceptCompression: [],
    readMaxBytes: largestMessageBytes,
  });
  return app;
}

function serverBehindProxy(handler: RequestListener, proxy: ProxyHandler): Server {
  const isProxied = ({ url = '' }: IncomingMessage): boolean => url.startsWith(proxyPrefix);
  const server = createServer(serverLimits, (request, response) => {
    if (isProxied(request)) proxy.handle(request, response);
    else handler(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    // Node promises a socket of the server's own here.
    if (isProxied(request)) return proxy.upgrade(request, socket as Socket, head);
    // Nothing else here speaks another protocol, and what follows such a head is nobody's request (GW-05).
    responseOn(request, socket as Socket, head)
      ?.writeHead(400, { 'content-length': '0' })
      .end();
  });
  return server;
}
