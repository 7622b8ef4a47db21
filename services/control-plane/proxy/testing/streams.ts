/** What tests of requests that leave HTTP share: how they are asked for, and API servers that grant them. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { until } from './world.ts';

/** Headers of the two ways to ask. */
export const websocket =
  'Upgrade: websocket\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\nSec-WebSocket-Version: 13\r\n';
export const spdy =
  'Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v5.channel.k8s.io\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n';

type Granting = (socket: Socket, request: IncomingMessage) => void;

/** An API server that answers 101 as asked, with these header lines, and then does that. */
export function switched(then: (socket: Socket) => void, lines: readonly string[] = []): Granting {
  return (socket, { headers }) => {
    const all = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${headers.upgrade}`, ...lines];
    socket.write(`${all.join('\r\n')}\r\n\r\n`);
    then(socket);
  };
}

/** An API server that sends everything back. */
export const echo: Granting = switched((socket) => void socket.pipe(socket));

/** Writes without end while it is taken, and counts. */
export function pour(socket: Socket, count: (bytes: number) => void): void {
  const chunk = Buffer.alloc(65_536);
  const pump = (): void => {
    let more = !socket.destroyed;
    for (let pieces = 0; more && pieces < 4_096; pieces += 1) {
      more = socket.write(chunk);
      count(chunk.length);
    }
  };
  socket.on('drain', pump);
  pump();
}

/** Waits until the number stays as it is for a while. */
export async function settled(count: () => number): Promise<void> {
  let [before, since] = [-1, 0];
  await until('nothing more is taken', () => {
    if (count() !== before) since = performance.now();
    before = count();
    return before > 0 && performance.now() - since > 300;
  });
}
