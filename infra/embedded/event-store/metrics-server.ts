/** `GET /metrics` on a loopback port, for Prometheus on the same machine. It answers nothing else. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricsSnapshot } from './metrics.ts';
import { metricsText } from './metrics-text.ts';

const maxConnections = 16;

export type MetricsServer = { readonly address: string; stop(): Promise<void> };

/** Resolves when it listens. The caller sees to it that the host is this machine's. */
export async function serveMetrics(
  where: { readonly host: string; readonly port: number },
  snapshot: () => MetricsSnapshot,
): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
    const isAsked = request.method === 'GET' && request.url === '/metrics';
    response.writeHead(isAsked ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(isAsked ? metricsText(snapshot()) : 'GET /metrics\n');
  });
  server.maxConnections = maxConnections;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(where.port, where.host, resolve);
  await promise;
  return {
    address: `http://${where.host}:${(server.address() as AddressInfo).port}/metrics`,
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        server.closeAllConnections();
      }),
  };
}
