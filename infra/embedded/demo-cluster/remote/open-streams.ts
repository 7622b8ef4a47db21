/**
 * Upgrades a request and opens its streams, in the protocol the client asked for.
 */
import type { Exchange } from '../exchange.ts';
import { openSpdyStreams, streamProtocols } from './spdy-streams.ts';
import type { RemoteStreams, WantedStreams } from './streams.ts';
import { acceptSpdy, acceptWebSocket, isWebSocket } from './upgrade.ts';
import { channelProtocols, WebSocketStreams } from './websocket-streams.ts';

/** @throws ApiError before the upgrade when there is no common protocol; BrokenPipe after it when the client is gone */
export async function openStreams(exchange: Exchange, wanted: WantedStreams): Promise<RemoteStreams> {
  if (isWebSocket(exchange)) {
    const { socket, protocol } = await acceptWebSocket(exchange, channelProtocols);
    const streams = new WebSocketStreams(socket, protocol, wanted);
    await streams.begin();
    return streams;
  }
  const { transport, protocol } = acceptSpdy(exchange, streamProtocols);
  return openSpdyStreams(transport, protocol, wanted);
}
