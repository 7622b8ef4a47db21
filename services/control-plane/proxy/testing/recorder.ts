/**
 * A stand-in API server for tests that remembers what it was sent, and the way to it without a tunnel: an `Agents` that
 * really streams, so that what is tested is the proxy. It never follows, retries or repairs anything.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { Agents, LaneCall, LaneExchange, LaneHandlers } from '../../ports.ts';

/** One request as it arrived: everything as on the wire. */
export type Seen = {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  body: Buffer;
  /** True once the client has gone before the answer was whole. */
  closed: boolean;
};

export type Recorder = {
  readonly seen: Seen[];
  /** The flat values of a header of the last request. */
  last(name: string): string[];
  answerWith(answer: (request: IncomingMessage, response: ServerResponse) => void): void;
  readonly port: number;
  stop(): Promise<void>;
};

/** Listens on loopback; answers 200 `{}` until told otherwise. */
export async function startRecorder(): Promise<Recorder> {
  const seen: Seen[] = [];
  const plain = (_request: IncomingMessage, response: ServerResponse): void => void response.end('{}');
  let answer = plain;
  const server = createServer((request, response) => {
    const { method = '', url = '', rawHeaders } = request;
    const one: Seen = { method, target: url, rawHeaders, body: Buffer.alloc(0), closed: false };
    seen.push(one);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => (one.body = Buffer.concat(chunks)));
    response.on('close', () => (one.closed = !response.writableFinished));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    seen,
    last(name) {
      const raw = seen.at(-1)?.rawHeaders ?? [];
      return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name.toLowerCase());
    },
    answerWith: (next) => (answer = next),
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
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
  let answer: IncomingMessage | undefined;
  const groups = call.impersonateGroups.flatMap((group) => ['Impersonate-Group', group]);
  const upstream = httpRequest({
    port,
    host: '127.0.0.1',
    method: call.method,
    path: call.target,
    agent: false,
    headers: [
      ...call.headers,
      'Host',
      'rec',
      'Authorization',
      'Bearer agent',
      'Impersonate-User',
      call.impersonateUser,
      ...groups,
    ],
  });
  const fail = (refusal: Refusal): void => {
    if (over) return;
    over = true;
    clearTimeout(headLimit);
    upstream.destroy();
    handlers.fail(refusal);
  };
  const headLimit = setTimeout(
    () => fail(new Refusal('TUNNEL_TIMEOUT', 'The API server did not begin to answer in time.')),
    call.headTimeoutMs,
  );
  upstream.on('response', (response) => {
    clearTimeout(headLimit);
    if (over) return;
    answer = response;
    handlers.head(response.statusCode ?? 0, response.rawHeaders);
    response.on('data', (chunk: Buffer) => {
      if (!over && !handlers.data(chunk)) response.pause();
    });
    response.on('end', () => {
      if (over) return;
      over = true;
      handlers.end();
    });
    response.on('error', () => fail(new Refusal('AGENT_ERROR', 'The answer of the API server broke off.')));
  });
  upstream.on('error', () => fail(new Refusal('AGENT_ERROR', 'The API server cannot be reached.')));
  upstream.on('drain', () => handlers.drain());
  if (call.bodyless) upstream.end();
  return {
    write: (chunk) => upstream.write(chunk),
    end: () => void upstream.end(),
    resume: () => void answer?.resume(),
    cancel() {
      over = true;
      clearTimeout(headLimit);
      upstream.destroy();
    },
  };
}
