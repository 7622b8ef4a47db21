/**
 * From HTTP/1.1 to the protocol a session speaks: WebSocket (RFC 6455) or SPDY/3.1. Whoever upgrades chooses the first
 * of the client's subprotocols that it knows.
 */
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { BrokenPipe } from '../byte-queue.ts';
import type { Exchange } from '../exchange.ts';
import { limits } from '../limits.ts';
import { ApiError, badRequest } from '../status.ts';

const spdyVersionHeader = 'x-stream-protocol-version';

/** Whether a client asked for a WebSocket; the only other protocol is SPDY/3.1. */
export function isWebSocket(exchange: Exchange): boolean {
  return exchange.header('upgrade').toLowerCase() === 'websocket';
}

/**
 * Agrees to a WebSocket.
 * @throws ApiError 400 for a handshake that is none or offers nothing that is known; BrokenPipe when the client is gone
 */
export async function acceptWebSocket(
  exchange: Exchange,
  known: readonly string[],
): Promise<{ socket: WebSocket; protocol: string }> {
  const offered = listed(exchange, 'sec-websocket-protocol');
  const protocol = offered.find((candidate) => known.includes(candidate));
  const keyed = /^[+/0-9A-Za-z]{22}==$/.test(exchange.header('sec-websocket-key'));
  if (exchange.method !== 'GET' || !keyed || exchange.header('sec-websocket-version') !== '13')
    throw badRequest('the WebSocket handshake is not one of RFC 6455, version 13');
  if (protocol === undefined) throw badRequest(noCommonProtocol(offered, known));
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.webSocketMessageBytes,
  });
  const { request, socket, head } = exchange.takeOver();
  // The slash in Kubernetes' `SPDY/3.1+…` makes it no token, which the library refuses: so it does not see the names.
  delete request.headers['sec-websocket-protocol'];
  server.on('headers', (lines) => lines.push(`Sec-WebSocket-Protocol: ${protocol}`));
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new BrokenPipe());
    socket.once('close', gone);
    server.handleUpgrade(request, socket, head, (accepted) => {
      socket.removeListener('close', gone);
      resolve({ socket: accepted, protocol });
    });
  });
}

/**
 * Agrees to SPDY/3.1.
 * @throws ApiError 400 for another protocol, 403 when the client offers no version that is known, as Kubernetes says it
 */
export function acceptSpdy(exchange: Exchange, known: readonly string[]): { transport: Duplex; protocol: string } {
  if (exchange.header('upgrade').toLowerCase() !== 'spdy/3.1')
    throw badRequest(`unable to upgrade: the protocols are websocket and SPDY/3.1`);
  const offered = listed(exchange, spdyVersionHeader);
  const protocol = offered.find((candidate) => known.includes(candidate));
  if (protocol === undefined) throw new ApiError(403, 'Forbidden', { message: noCommonProtocol(offered, known) });
  const { socket, head } = exchange.takeOver();
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n' +
      `X-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  return { transport: socket, protocol };
}

function listed(exchange: Exchange, header: string): string[] {
  const values = exchange.headerValues(header).flatMap((value) => value.split(','));
  return values.map((value) => value.trim()).filter((value) => value !== '');
}

function noCommonProtocol(offered: readonly string[], known: readonly string[]): string {
  const [client, server] = [offered.join(' '), known.join(' ')];
  return `unable to upgrade: unable to negotiate protocol: client supports [${client}], server accepts [${server}]`;
}
