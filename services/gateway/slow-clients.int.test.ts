import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createLog } from '@clustral/kernel/log.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start } from './main.ts';
import { usualDeadlines } from './surfaces.ts';
import { eventually, startSurroundings, type Surroundings } from './testing/gateway.ts';

// A fifteenth of the usual, so that the test is a fifteenth as long.
const deadlines = { headMs: 1_000, checkEveryMs: 170, bodyMs: 4_000 };
const slowOnes = 300;
let around: Surroundings;
let running: Awaited<ReturnType<typeof start>>;

beforeAll(async () => {
  around = await startSurroundings();
  running = await start(around.environment, createLog('gateway', 'silent'), deadlines);
  await eventually(async () => (await fetch(`http://127.0.0.1:${running.port}/healthz/ready`)).status === 200);
});
afterAll(async () => {
  await running.stop();
  await around.stop();
});

type Slow = {
  readonly connected: Promise<unknown>;
  readonly closedAfterMs: Promise<number>;
  readonly answer: () => string;
};

/** Sends `first`, then a byte of `rest` every 300 ms for as long as it may. */
function slow(first: string, rest: string): Slow {
  const begun = performance.now();
  const socket: Socket = connect(running.port, '127.0.0.1');
  let sent = 0;
  let answer = '';
  socket.write(first);
  const timer = setInterval(() => socket.write(rest[sent++ % rest.length] ?? ''), 300);
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined);
  const closedAfterMs = new Promise<number>((resolve) =>
    socket.once('close', () => {
      clearInterval(timer);
      resolve(performance.now() - begun);
    }),
  );
  return { connected: once(socket, 'connect'), closedAfterMs, answer: () => answer };
}

/** How long each of the requests of a client took that is served meanwhile. */
async function meanwhile(done: Promise<unknown>): Promise<readonly number[]> {
  let isDone = false;
  const took: number[] = [];
  void done.then(() => (isDone = true));
  while (!isDone) {
    const begun = performance.now();
    expect((await fetch(`http://127.0.0.1:${running.port}/healthz`)).status).toBe(200);
    took.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return took.toSorted((a, b) => a - b);
}

/** Of some dozens: whoever came in the very moment of the onslaught is left out. */
const percentile95 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;

describe('GW-09 slow clients', () => {
  it('have 15 s for a head and 60 s for a body', () => {
    expect(usualDeadlines.headMs + usualDeadlines.checkEveryMs).toBeLessThanOrEqual(20_000);
    expect(usualDeadlines.bodyMs).toBe(60_000);
  });

  it('are cut off when their head does not come to its end, and nobody else waits for them', async () => {
    const all = Array.from({ length: slowOnes }, () => slow('GET / HTTP/1.1\r\nHost: a\r\nX: ', 'a'));
    await Promise.all(all.map(({ connected }) => connected));
    const closed = Promise.all(all.map(({ closedAfterMs }) => closedAfterMs));
    const took = await meanwhile(closed);
    expect(Math.max(...(await closed))).toBeLessThan(6_000);
    expect(percentile95(took)).toBeLessThan(1_000);
    expect(new Set(all.map(({ answer }) => answer().split('\r\n')[0]))).toEqual(
      new Set(['HTTP/1.1 408 Request Timeout']),
    );
  });

  it('are told when their body does not come to its end, and nothing of it goes on', async () => {
    const token = await around.provider.token();
    const head = `POST /api/v1/roles HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const all = [
      slow(`${head}Content-Length: 1000\r\n\r\n`, ' '),
      slow(`${head}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'),
    ];
    for (const one of all) {
      expect(await one.closedAfterMs).toBeLessThan(8_000);
      expect(one.answer()).toContain('HTTP/1.1 408 Request Timeout');
    }
    expect(around.controlPlane.requests).toEqual([]);
  });
});
