/**
 * Whether this agent is well, for whoever runs it: `/healthz` says that it lives, `/healthz/ready` that requests reach it through its
 * tunnel. It says nothing else, takes no body, and tells nobody where its control plane is.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Health = { readonly port: number; stop(): Promise<void> };

const mostConnections = 32;
const requestMs = 5_000;

/** Listens on every address, since a pod is asked at its own. Rejects with node's error. */
export async function startHealth(port: number, isReady: () => boolean): Promise<Health> {
  const limits = { requestTimeout: requestMs, headersTimeout: requestMs, maxHeaderSize: 4_096 };
  const server = createServer(limits, ({ method, url }, response) => {
    const isKnown = method === 'GET' && (url === '/healthz' || url === '/healthz/ready');
    const isWell = url === '/healthz' || isReady();
    response.writeHead(isKnown ? (isWell ? 200 : 503) : 404, { 'content-type': 'text/plain', connection: 'close' });
    response.end(isKnown ? (isWell ? 'ok\n' : 'no connection to the control plane\n') : '');
  });
  server.maxConnections = mostConnections;
  server.listen(port);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
