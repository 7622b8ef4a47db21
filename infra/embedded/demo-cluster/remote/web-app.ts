/**
 * What answers on the ports of simulated pods: a small web server that listens nowhere. Connections are handed to it
 * by whoever forwards a port.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { limits } from '../limits.ts';

const pieceBytes = 64 * 1024;

/** A server for one pod; `emit('connection', duplex)` gives it a connection. */
export function createWebApp(podName: string): Server {
  return createServer((request, reply) => {
    // A connection that breaks in the middle of an answer has nobody to tell.
    answer(podName, request, reply).catch(() => reply.destroy());
  });
}

async function answer(podName: string, request: IncomingMessage, reply: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const asked = `${request.method} ${path}`;
  const bytes = /^GET \/bytes\/(\d{1,10})$/.exec(asked)?.[1];
  if (asked === 'POST /echo') {
    reply.setHeader('content-type', request.headers['content-type'] ?? 'application/octet-stream');
    await pipeline(request, reply);
  } else if (bytes !== undefined && Number(bytes) <= limits.webBytes) {
    reply.setHeader('content-type', 'application/octet-stream');
    reply.setHeader('content-length', bytes);
    await pipeline(Readable.from(madeUpBytes(Number(bytes))), reply);
  } else {
    const [code, text] = sentence(asked, podName);
    request.resume();
    reply.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' });
    reply.end(`${text}\n`);
  }
}

function sentence(asked: string, podName: string): [number, string] {
  if (asked === 'GET /') return [200, `hello from ${podName}`];
  if (asked === 'GET /healthz') return [200, 'ok'];
  return [404, `${asked}: this simulated pod knows GET /, GET /healthz, GET /bytes/N and POST /echo`];
}

/** So many bytes, always the same: at place n stands n times 31 modulo 251. */
export function* madeUpBytes(count: number): Generator<Buffer> {
  const period = Buffer.from(Array.from({ length: 251 }, (_, index) => (index * 31) % 251));
  const piece = Buffer.alloc(pieceBytes + period.length);
  for (let at = 0; at < piece.length; at += period.length) period.copy(piece, at);
  for (let at = 0; at < count; at += pieceBytes) {
    const from = at % period.length;
    yield piece.subarray(from, from + Math.min(pieceBytes, count - at));
  }
}
