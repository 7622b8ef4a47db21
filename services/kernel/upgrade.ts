/**
 * Connections whose client asks to leave HTTP (RFC 9110, section 7.8: kubectl's exec, attach, port-forward and cp), as every
 * hop of ours treats them: which requests may ask, how they are answered, and how such a connection is broken off. After the
 * head Node's parser is off the connection; the rule this lives by: what came behind the head is never read as a request, and
 * goes on only after a 101 (UP-01). What the bytes mean is for the two ends to know.
 */
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Refusal } from '@clustral/schemas/errors.ts';
import { announcesBody } from './http-server.ts';

/** What API servers switch to. HTTP/2 in clear text (`h2c`) is a switch too, and would hide requests from us (GW-05). */
const carried: ReadonlySet<string> = new Set(['websocket', 'spdy/3.1']);

/** A peer that is gone without a word is found out by the kernel; the stream itself may be quiet for hours (UP-09). */
const keepAliveMs = 30_000;
/** How long what is still being sent to a refused client's connection is read away after its answer. */
const lingerMs = 1_000;

/** The protocol that a request asks for, as its client wrote it. Throws `BAD_REQUEST` for one that is not carried (GW-05). */
export function askedProtocol(request: IncomingMessage): string {
  const { headers, method, httpVersion } = request;
  const { upgrade = '' } = headers;
  const mayAsk = (method === 'GET' || method === 'POST') && httpVersion === '1.1' && !announcesBody(request);
  if (mayAsk && carried.has(upgrade.toLowerCase())) return upgrade;
  throw new Refusal(
    'BAD_REQUEST',
    'Only websocket and SPDY/3.1 can be asked for here, in HTTP/1.1, by GET or POST and without a body.',
  );
}

/**
 * The response on the connection of such a request. Any answer but a 101 is written to it as to every other response, and then
 * the connection ends; what the client sent behind the head is thrown away, for a second at most, since closing at once could
 * destroy the answer on its way. Until then Node holds what came, and stops reading when 64 KiB of it wait.
 * Undefined when the connection still owes the answer to an earlier request: it was cut, for another answer now could be
 * taken for that one.
 */
export function responseOn(request: IncomingMessage, socket: Socket, head: Buffer): ServerResponse | undefined {
  // A client that ends its side has not ended the other; of node:https's connections that must be said.
  socket.allowHalfOpen = true;
  // Node took its own handlers off; a reset by the peer must not end the process. 'close' follows every error.
  socket.on('error', () => undefined);
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  try {
    response.assignSocket(socket);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_HTTP_SOCKET_ASSIGNED') throw thrown;
    socket.destroy();
    return undefined;
  }
  // Now: nothing can be put back once a client that ended its side was seen to have ended it.
  if (head.length > 0) socket.unshift(head);
  socket.on('drain', () => response.emit('drain'));
  // As with every request: who ends before being answered is gone.
  socket.once('end', () => {
    if (response.statusCode !== 101) socket.destroy();
  });
  response.once('finish', () => {
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
  });
  return response;
}

/** Readies the connection for bytes that somebody waits for, one by one, and that may pause for hours. */
export function carryBytes(socket: Socket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
}

/** Ends a connection in a way that its peer cannot take for a good end: with a reset, in TLS without close_notify. */
export function breakOff(socket: Socket): void {
  if (socket.destroyed) return;
  // What was ended and written out has its good end already, after which libuv refuses a reset and keeps the handle.
  const hasEnded = socket.writableEnded && socket.writableLength === 0;
  if (hasEnded || socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
