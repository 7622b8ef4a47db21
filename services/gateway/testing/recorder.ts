/** A service behind the gateway, for tests: it records every request as it came and answers as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type Recorded = {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  /** What of the body arrived; of a request to leave HTTP, what came behind its head. */
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
  /** Told of requests to leave HTTP, on their bare socket; without it they are requests like all others. */
  upgrade: ((socket: Socket, request: IncomingMessage) => void) | undefined;
  stop(): Promise<void>;
};

export async function startRecorder(name: string): Promise<Recorder> {
  const requests: Recorded[] = [];
  const shouldUpgradeCallback = (): boolean => recorder.upgrade !== undefined;
  const server = createServer({ maxHeaderSize: 65_536, shouldUpgradeCallback }, (request, response) => {
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
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    requests.push(leaving(request, socket, head));
    recorder.upgrade?.(socket, request);
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
    upgrade: undefined,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return recorder;
}

function leaving(request: IncomingMessage, socket: Socket, head: Buffer): Recorded {
  const { method = '', url = '', rawHeaders } = request;
  const chunks: Buffer[] = [];
  const recorded = { method, url, rawHeaders, complete: false, aborted: false, body: () => Buffer.concat(chunks) };
  if (head.length > 0) socket.unshift(head);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => (recorded.complete = true));
  socket.on('error', () => undefined);
  socket.on('close', () => (recorded.aborted = !socket.readableEnded || !socket.writableFinished));
  return recorded;
}
