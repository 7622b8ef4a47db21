/**
 * The port of the demo cluster: HTTP/2 and HTTP/1.1 over TLS, because the agent speaks the first for plain requests
 * and the second for upgrades. Loopback only.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { Exchange, type Upgrade } from './exchange.ts';
import { limits } from './limits.ts';

/** A server that listens. */
interface Listening {
  port: number;
  /** Ends long answers, lets short ones finish for a moment, and closes the port. */
  close(): Promise<void>;
}

/** Listens on a port (0 for a free one) and answers when it does; `answer` must not fail. */
export async function listen(
  tls: { cert: string; key: string },
  port: number,
  answer: (exchange: Exchange) => Promise<void>,
): Promise<Listening> {
  const stopping = new AbortController();
  const server = createSecureServer({
    ...tls,
    allowHTTP1: true,
    settings: { maxConcurrentStreams: limits.streamsPerConnection },
    maxHeaderListPairs: limits.headers,
    maxSessionMemory: limits.sessionMegabytes,
  });
  server.on('request', (request, reply) => {
    void answer(new Exchange(request, reply, { stopping: stopping.signal }));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    void answer(upgradeExchange({ request, socket, head }, stopping.signal));
  });
  const endConnections = trackConnections(server);
  return {
    port: await bind(server, port),
    async close() {
      stopping.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const cut = setTimeout(() => endConnections('at once'), limits.stopMs);
      endConnections('when idle');
      await closed;
      clearTimeout(cut);
    },
  };
}

/** An answer on the bare socket of an upgrade; a refusal ends the connection, whatever else was sent over it. */
function upgradeExchange(upgrade: Upgrade & { socket: Socket }, stopping: AbortSignal): Exchange {
  const { request, socket } = upgrade;
  // Keystrokes are small and wait for an answer each.
  socket.setNoDelay();
  const reply = new ServerResponse(request);
  reply.shouldKeepAlive = false;
  reply.assignSocket(socket);
  reply.once('finish', () => socket.destroySoon());
  const release = (): void => reply.detachSocket(socket);
  return new Exchange(request, reply, { stopping, upgrade: { ...upgrade, release } });
}

/** Node closes a listening port, not the connections made through it. */
function trackConnections(server: Http2SecureServer): (when: 'when idle' | 'at once') => void {
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  return (when) => {
    for (const session of sessions) session.close();
    for (const socket of when === 'at once' ? sockets : []) socket.destroy();
  };
}

function bind(server: Http2SecureServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
