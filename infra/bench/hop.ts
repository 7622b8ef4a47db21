/** One plain reverse-proxy hop: node:http in front, undici behind, a bearer added, bodies streamed. What the data path is compared with. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

// Nobody is left to measure for.
process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  const { target, caFile, bearer } = message as { target: string; caFile: string; bearer: string };
  const pool = new Pool(target, { connect: { ca: readFileSync(caFile) }, connections: null });
  const server = createServer((request, response) => {
    const headers = { accept: request.headers.accept ?? '*/*', authorization: `Bearer ${bearer}` };
    pool.dispatch(
      { path: request.url ?? '/', method: 'GET', headers },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, status, head) => void response.writeHead(status, head as Record<string, string>),
        onResponseData: (_controller, chunk) => void response.write(chunk),
        onResponseEnd: () => void response.end(),
        onResponseError: (_controller, error) => void response.destroy(error),
      },
    );
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
});
