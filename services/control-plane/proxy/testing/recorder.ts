/**
 * A stand-in API server for tests that remembers what it was sent, and the way to it without a tunnel: an `Agents` that
 * really streams, so that what is tested is the proxy. It never follows, retries or repairs anything.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { Agents, LaneCall, LaneExchange, LaneHandlers } from '../../ports.ts';

/** One request as it arrived: everything as on the wire. */
export type Seen = {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  /** The body; of a request to leave HTTP whatever came behind its head, as it comes. */
  body: Buffer;
  /** True once the client has gone before the answer was whole. */
  closed: boolean;
};

export type Recorder = {
  readonly seen: Seen[];
  /** The flat values of a header of the last request. */
  last(name: string): string[];
  answerWith(answer: (request: IncomingMessage, response: ServerResponse) => void): void;
  /** Answers requests to leave HTTP on their bare socket; without it they are requests like all others. */
  upgradeWith(upgrade: ((socket: Socket, request: IncomingMessage) => void) | undefined): void;
  readonly port: number;
  stop(): Promise<void>;
};

/** Listens on loopback; answers 200 `{}` until told otherwise. */
export async function startRecorder(): Promise<Recorder> {
  const seen: Seen[] = [];
  const plain = (_request: IncomingMessage, response: ServerResponse): void => void response.end('{}');
  let answer = plain;
  let upgrade: Parameters<Recorder['upgradeWith']>[0];
  const sockets = new Set<Socket>();
  const server = createServer({ shouldUpgradeCallback: () => upgrade !== undefined }, (request, response) => {
    const { method = '', url = '', rawHeaders } = request;
    const one: Seen = { method, target: url, rawHeaders, body: Buffer.alloc(0), closed: false };
    seen.push(one);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => (one.body = Buffer.concat(chunks)));
    response.on('close', () => (one.closed = !response.writableFinished));
    answer(request, response);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    seen.push(leaving(request, socket, head));
    upgrade?.(socket, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    seen,
    last(name) {
      const raw = seen.at(-1)?.rawHeaders ?? [];
      return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name.toLowerCase());
    },
    answerWith: (next) => (answer = next),
    upgradeWith: (next) => (upgrade = next),
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function leaving(request: IncomingMessage, socket: Socket, head: Buffer): Seen {
  const { method = '', url = '', rawHeaders } = request;
  const chunks: Buffer[] = [];
  if (head.length > 0) socket.unshift(head);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const one = {
    method,
    target: url,
    rawHeaders,
    closed: false,
    get body() {
      return Buffer.concat(chunks);
    },
  };
  socket.on('close', () => (one.closed = true));
  return one;
}

/** Sends each call to the recorder of its cluster; a cluster that is not in the map has no agent. */
export function directAgents(ports: ReadonlyMap<ClusterId, number>): Pick<Agents, 'open'> {
  return {
    open(call, handlers) {
      const port = ports.get(call.clusterId);
      if (port !== undefined) return carry(call, handlers, port);
      handlers.fail(new Refusal('AGENT_NOT_CONNECTED', 'The agent of this cluster is not connected.'));
      return { write: () => true, end() {}, resume() {}, cancel() {} };
    },
  };
}

function carry(call: LaneCall, handlers: LaneHandlers, port: number): LaneExchange {
  let over = false;
  /** What the reply is read from. */
  let reply: Readable | undefined;
  /** Where the client's bytes go. */
  let sink: Writable;
  const where = { port, host: '127.0.0.1', method: call.method, path: call.target, agent: false };
  const upstream = httpRequest({ ...where, headers: headersOf(call) });
  sink = upstream;
  const fail = (refusal: Refusal): void => {
    if (over) return;
    over = true;
    clearTimeout(headLimit);
    sink.destroy();
    handlers.fail(refusal);
  };
  const headLimit = setTimeout(
    () => fail(new Refusal('TUNNEL_TIMEOUT', 'The API server did not begin to answer in time.')),
    call.headTimeoutMs,
  );
  const begin = (status: number, rawHeaders: readonly string[], source: Readable): boolean => {
    clearTimeout(headLimit);
    if (over) return false;
    reply = source;
    handlers.head(status, rawHeaders);
    source.on('data', (chunk: Buffer) => {
      if (!over && !handlers.data(chunk)) source.pause();
    });
    return true;
  };
  upstream.on('response', (response) => {
    if (!begin(response.statusCode ?? 0, response.rawHeaders, response)) return;
    response.on('end', () => {
      if (over) return;
      over = true;
      handlers.end();
    });
    response.on('error', () => fail(new Refusal('AGENT_ERROR', 'The answer of the API server broke off.')));
  });
  upstream.on('upgrade', (response: IncomingMessage, socket: Socket, head: Buffer) => {
    sink = socket;
    socket.allowHalfOpen = true;
    if (head.length > 0) socket.unshift(head);
    socket.on('error', () => undefined);
    if (!begin(101, response.rawHeaders, socket)) return;
    socket.on('end', () => void (over || handlers.end()));
    socket.on('drain', () => void (over || handlers.drain()));
    socket.on('close', () => {
      if (!socket.readableEnded) fail(new Refusal('AGENT_ERROR', 'The API server broke the connection off.'));
    });
  });
  upstream.on('error', () => fail(new Refusal('AGENT_ERROR', 'The API server cannot be reached.')));
  upstream.on('drain', () => handlers.drain());
  if (call.bodyless || call.upgrade) upstream.end();
  return {
    write(chunk) {
      if (call.upgrade && sink === upstream) throw new Error('bytes of a client before the 101');
      return sink.write(chunk);
    },
    end: () => void (sink.destroyed || sink.end()),
    resume: () => void reply?.resume(),
    cancel() {
      over = true;
      clearTimeout(headLimit);
      sink.destroy();
    },
  };
}

const headersOf = (call: LaneCall): string[] => [
  ...call.headers,
  ...(call.upgrade ? ['Connection', 'Upgrade'] : []),
  'Host',
  'rec',
  'Authorization',
  'Bearer agent',
  'Impersonate-User',
  call.impersonateUser,
  ...call.impersonateGroups.flatMap((group) => ['Impersonate-Group', group]),
  'Audit-ID',
  call.requestId,
];
