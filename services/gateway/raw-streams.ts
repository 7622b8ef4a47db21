/**
 * Connections that leave HTTP (exec, attach, port-forward, cp). After the 101 bytes pass both ways as they come, with
 * back-pressure and each direction with its own end; nothing is timed, and nothing is understood. The rule this lives by: a
 * connection that broke never looks like one that ended. Closing a server does not end such connections, so all are known here.
 */
import type { Socket } from 'node:net';
import { breakOff, carryBytes } from '@clustral/kernel/upgrade.ts';

/** The connections of clients that asked for another protocol, from the question on. */
export type RawStreams = {
  add(client: Socket): void;
  /** Breaks all of them off. */
  breakOff(): void;
};

/** None yet. */
export function createRawStreams(): RawStreams {
  const clients = new Set<Socket>();
  return {
    add(client) {
      clients.add(client);
      client.once('close', () => clients.delete(client));
    },
    breakOff() {
      for (const client of clients) breakOff(client);
    },
  };
}

/** Carries the bytes of two connections to each other until both directions have ended. Both must have `allowHalfOpen`. */
export function join(client: Socket, service: Socket): void {
  carry(client, service);
  carry(service, client);
}

function carry(from: Socket, to: Socket): void {
  carryBytes(from);
  // 'close' follows every error.
  from.on('error', () => undefined);
  from.once('close', () => {
    // Whoever ended in both directions may leave before the other one has read everything.
    if (!from.readableEnded || !from.writableFinished) breakOff(to);
  });
  from.pipe(to);
}
