/** Ports of loopback: whether the asked ones are free, and free ones for everything that nobody needs to know. */
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** True when the port can be listened on at 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}

/** Waits until the port is free, at most `limitMs`: after a kill -9 the old processes need a moment to notice. */
export async function waitUntilFree(port: number, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!(await isFree(port))) {
    if (performance.now() > deadline) return false;
    await delay(100);
  }
  return true;
}

/** `count` different free ports. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function listenAnywhere(): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
