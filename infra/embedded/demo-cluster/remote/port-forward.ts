/**
 * pods/NAME/portforward: carries TCP connections of the client to the ports of a simulated pod, over SPDY/3.1 or over
 * SPDY/3.1 inside a WebSocket (KEP-4006). No port of the machine is ever opened.
 */
import type { Duplex } from 'node:stream';
import { createWebSocketStream } from 'ws';
import type { Call } from '../call.ts';
import type { Exchange } from '../exchange.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import { Forwarding } from './forwarding.ts';
import { spdyBounds } from './spdy-streams.ts';
import { needUpgrade, targetOf } from './target.ts';
import { acceptSpdy, acceptWebSocket, isWebSocket } from './upgrade.ts';

const protocol = 'portforward.k8s.io';
const tunnelledProtocol = `SPDY/3.1+${protocol}`;

/** @throws ApiError before the connection is upgraded */
export async function answerPortForward(call: Call): Promise<void> {
  const { pod } = targetOf(call);
  needUpgrade(call);
  await call.cluster.sessions.hold(call.exchange, pod, async (signal) => {
    const transport = await openTransport(call.exchange);
    const forwarding = new Forwarding(pod);
    const connection = new SpdyConnection(transport, spdyBounds, (stream) => forwarding.accept(stream));
    const leave = (): void => void connection.close();
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    try {
      await connection.run();
    } finally {
      signal.removeEventListener('abort', leave);
      forwarding.close();
    }
  });
}

async function openTransport(exchange: Exchange): Promise<Duplex> {
  if (!isWebSocket(exchange)) return acceptSpdy(exchange, [protocol]).transport;
  const { socket } = await acceptWebSocket(exchange, [tunnelledProtocol]);
  return createWebSocketStream(socket);
}
