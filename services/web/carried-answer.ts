/**
 * An answer of the gateway handed to the browser as it comes: its head at once, its body piece by piece, and cut off when it breaks off
 * behind, so that nothing cut short looks whole. Headers of the hop end here, and so do cookies: none is the gateway's to set.
 */
import { pipeline } from 'node:stream/promises';
import type { FastifyReply } from 'fastify';
import type { Dispatcher } from 'undici';

const endingHere = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'trailer',
  'upgrade',
  'set-cookie',
  'cache-control',
  'x-correlation-id',
  'traceresponse',
  'date',
]);

/** Sends the answer, or `content` as its body when that was read already; resolves when the browser has it or has gone. */
export async function sendCarried(
  reply: FastifyReply,
  answer: Dispatcher.ResponseData,
  content?: Buffer,
): Promise<void> {
  const ours = reply.getHeaders();
  const onward = Object.entries(answer.headers).filter(([name]) => !endingHere.has(name) && ours[name] === undefined);
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of [...onward, ...Object.entries(ours)]) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(answer.statusCode);
  if (content !== undefined) return void raw.end(content);
  // A stream may have its first word much later, but that it began must be seen.
  raw.flushHeaders();
  // Both ends are destroyed when one breaks off; there is nobody left to tell.
  await pipeline(answer.body, raw).catch(() => undefined);
}
