/**
 * The load generator, a process of its own: keep-alive connections over raw sockets, each sending the same request again as soon as the reply is
 * whole. It parses no more of HTTP than it needs: the end of the head, the content-length or the chunks.
 */
import { connect, type Socket } from 'node:net';

export type LoadOrder = {
  readonly port: number;
  readonly request: string;
  readonly connections: number;
  readonly milliseconds: number;
};
export type LoadResult = {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
};

// Nobody is left to measure for.
process.on('disconnect', () => process.exit());
process.on('message', (order) => {
  void run(order as LoadOrder).then((result) => process.send?.(result));
});

async function run(order: LoadOrder): Promise<LoadResult> {
  const times: number[] = [];
  let errors = 0;
  const begun = performance.now();
  const deadline = begun + order.milliseconds;
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true });
      const reply = new Reply();
      let sentAt = 0;
      const send = (): void => {
        sentAt = performance.now();
        socket.write(order.request);
      };
      socket.on('connect', send);
      socket.on('data', (chunk: Buffer) => {
        if (!reply.take(chunk)) return;
        if (reply.status === 200) times.push(performance.now() - sentAt);
        else errors += 1;
        reply.clear();
        if (performance.now() < deadline) send();
        else end(socket, resolve);
      });
      socket.on('error', () => {
        errors += 1;
        resolve();
      });
    });
  await Promise.all(Array.from({ length: order.connections }, one));
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return {
    requests: times.length,
    perSecond: (times.length * 1000) / (performance.now() - begun),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    errors,
  };
}

function end(socket: Socket, done: () => void): void {
  socket.removeAllListeners('error');
  socket.on('error', () => undefined);
  socket.destroy();
  done();
}

/** One reply as it comes in. */
class Reply {
  status = 0;
  #text = '';

  /** True when the reply is whole. */
  take(chunk: Buffer): boolean {
    this.#text += chunk.toString('latin1');
    const head = this.#text.indexOf('\r\n\r\n');
    if (head < 0) return false;
    this.status = Number(this.#text.slice(9, 12));
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#text.slice(0, head + 2))?.[1];
    if (length !== undefined) return this.#text.length >= head + 4 + Number(length);
    return this.#text.endsWith('0\r\n\r\n');
  }

  clear(): void {
    this.#text = '';
  }
}
