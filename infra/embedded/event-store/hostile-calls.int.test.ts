import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostileCalls, makeCall, openSession } from './testing/hostile-calls.ts';
import { counted, numbers, openStage, type Stage } from './testing/official-client.ts';

let stage: Stage;
let socketPath: string;

beforeAll(async () => {
  stage = await openStage();
  socketPath = join(stage.folder, 'es.sock');
});
afterAll(() => stage.stop());

/** RFC 9113, section 3.4. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const noise = () => Buffer.from(crypto.getRandomValues(new Uint8Array(10_000)));

describe('the event store under calls that no client would make', () => {
  it('answers or ends each, and goes on', async () => {
    await stage.client.appendToStream('before', counted(1));
    let session = openSession(socketPath);
    session.on('error', () => undefined);
    await fc.assert(
      fc.asyncProperty(hostileCalls, async (call) => {
        // A connection may be the price of lying about frames; the next one is served.
        if (session.destroyed || session.closed) session = openSession(socketPath).on('error', () => undefined);
        expect(await makeCall(session, call)).toMatch(
          /^(?:\d+|closed|.*(?:closed|canceled|abort|destroyed|error).*)$/i,
        );
      }),
      { numRuns: 150 },
    );
    session.destroy();
    expect(await numbers(stage.client.readStream('before'))).toEqual([1]);
    await expect.poll(async () => (await stage.store.metrics()).bytesInHand, { timeout: 5_000 }).toBe(0);
  });

  it.each([
    ['no HTTP/2 at all', () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['noise', noise],
    ['a preface and then noise', () => Buffer.concat([preface, noise()])],
  ])('goes on after a connection that speaks %s', async (_, bytes) => {
    const socket = connect(socketPath);
    socket.on('error', () => undefined).resume();
    socket.end(bytes());
    await new Promise((resolve) => socket.once('close', resolve));
    expect(await stage.client.appendToStream('after', counted(1))).toMatchObject({ success: true });
  });

  it('takes no more connections than it has places for, and takes them again when some have left', async () => {
    const sessions = Array.from({ length: 80 }, () => openSession(socketPath).on('error', () => undefined));
    await expect
      .poll(() => sessions.filter(({ destroyed }) => destroyed).length, { timeout: 5_000 })
      .toBeGreaterThanOrEqual(16);
    expect((await stage.store.metrics()).connections).toBeLessThanOrEqual(64);
    for (const session of sessions) session.destroy();
    await expect.poll(async () => (await stage.store.metrics()).connections, { timeout: 5_000 }).toBeLessThan(4);
    expect(await stage.client.appendToStream('after', counted(1))).toMatchObject({ success: true });
  });
});
