/** An API server that does nothing: HTTP/2 and HTTP/1.1 over TLS, 2 KB of JSON to every request. It stands behind both paths that are compared. */
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

const body = JSON.stringify({ kind: 'List', items: 'x'.repeat(2_000) });

// Nobody is left to measure for.
process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  const { certificateFile, keyFile } = message as { certificateFile: string; keyFile: string };
  const server = createSecureServer(
    { cert: readFileSync(certificateFile), key: readFileSync(keyFile), allowHTTP1: true },
    (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
      response.end(body);
    },
  );
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
});
