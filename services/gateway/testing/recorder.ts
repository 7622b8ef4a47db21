/** A service behind the gateway, for tests: it records every request as it came and answers as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Recorded = {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  /** What of the body arrived. */
  readonly body: () => Buffer;
  /** True when the body came to its end. */
  complete: boolean;
  /** True when the connection ended before the answer did. */
  aborted: boolean;
};

export type Recorder = {
  readonly url: string;
  readonly requests: Recorded[];
  /** Values of a header in the last request, in order. */
  header(name: string): string[];
  /** Told of each request; by default it answers when the body has ended. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  stop(): Promise<void>;
};

export async function startRecorder(name: string): Promise<Recorder> {
  const requests: Recorded[] = [];
  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    const { method = '', url = '', rawHeaders } = request;
    if (url === '/healthz/ready') return void response.end('ok\n');
    const chunks: Buffer[] = [];
    const recorded = {
      method,
      url,
      rawHeaders,
      complete: false,
      aborted: false,
      body: () => Buffer.concat(chunks),
    };
    requests.push(recorded);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => (recorded.complete = true));
    request.on('error', () => undefined);
    response.on('close', () => (recorded.aborted = !response.writableFinished));
    recorder.answer(request, response);
  });
  server.maxHeadersCount = 0;
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const recorder: Recorder = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    header: (wanted) => {
      const { rawHeaders = [] } = requests.at(-1) ?? {};
      return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted);
    },
    answer: (request, response) => {
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ answeredBy: name }));
      });
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return recorder;
}
