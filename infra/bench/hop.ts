/**
 * One plain reverse-proxy hop, what the data path is compared with: node:http in front, undici behind, headers passed on both ways but those of the
 * connection, a bearer of its own, bodies streamed.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

const ofTheConnection = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'host',
  'authorization',
]);

const passedOn = (raw: readonly (string | Buffer)[]): string[] => {
  const kept: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = String(raw[index]);
    if (!ofTheConnection.has(name.toLowerCase())) kept.push(name, String(raw[index + 1]));
  }
  return kept;
};

// Nobody is left to measure for.
process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  const { target, caFile, bearer } = message as { target: string; caFile: string; bearer: string };
  const pool = new Pool(target, { connect: { ca: readFileSync(caFile) }, connections: null });
  const server = createServer((request, response) => {
    const headers = [...passedOn(request.rawHeaders), 'authorization', `Bearer ${bearer}`];
    const body =
      request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined
        ? null
        : request;
    pool.dispatch(
      { path: request.url ?? '/', method: (request.method ?? 'GET') as 'GET', headers, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (controller, status) =>
          void response.writeHead(status, passedOn((controller.rawHeaders ?? []) as readonly (string | Buffer)[])),
        onResponseData: (controller, chunk) => {
          if (response.write(chunk)) return;
          controller.pause();
          response.once('drain', () => controller.resume());
        },
        onResponseEnd: () => void response.end(),
        onResponseError: (_controller, error) => void response.destroy(error),
      },
    );
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
});
