import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProxyOutcome } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { hashOf, openStream, send, type StreamClient } from '@clustral/kernel/testing/stream-client.ts';
import { directAgents, startRecorder, type Recorder } from './testing/recorder.ts';
import { echo, pour, settled, switched, websocket } from './testing/streams.ts';
import { startProxy, startWorld, until, type Listening, type World } from './testing/world.ts';

let world: World;
let recorder: Recorder;
let proxy: Listening;
let cluster: ClusterId;
let token: string;

beforeAll(async () => {
  world = await startWorld();
  recorder = await startRecorder();
  cluster = await world.cluster('c1');
  const roleId = await world.role('viewer', ['a', 'b']);
  ({ token } = await world.person({ name: 'alice@corp.test', clusterId: cluster, roleId }));
  proxy = await startProxy(world, directAgents(new Map([[cluster, recorder.port]])));
});

afterAll(async () => {
  await proxy.stop();
  await recorder.stop();
  await world.stop();
});

beforeEach(() => {
  recorder.seen.length = 0;
});

const open = (): Promise<StreamClient> =>
  openStream(
    proxy.port,
    `GET /api/proxy/${cluster}/api/v1/namespaces/n/pods/p/exec?command=sh HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${token}\r\nConnection: Upgrade\r\n${websocket}\r\n`,
  );

/** How the last request that reached the cluster ended, once that is on record. */
async function outcome(): Promise<ProxyOutcome> {
  let found: ProxyOutcome | undefined;
  await until('the end is on record', async () => {
    const [requestId] = recorder.last('audit-id');
    for (const { type, data } of await world.records(cluster)) {
      if (type === 'proxy.request' && data.phase === 'ended' && data.requestId === requestId) found = data.outcome;
    }
    return found !== undefined;
  });
  return found as ProxyOutcome;
}

describe('UP-03 the bytes of a stream', () => {
  it('UP-03 arrive as they are, 10 MB at once both ways', async () => {
    recorder.upgradeWith(echo);
    const client = await open();
    const bytes = randomBytes(10 << 20);
    send(client.socket, bytes);
    await until('all is back', () => client.bytes === bytes.length, 20_000);
    expect(hashOf(client.received)).toBe(hashOf(bytes));
    client.socket.destroy();
  });

  it('UP-03 may end towards the cluster first: the rest still comes', async () => {
    const ended = Promise.withResolvers<Socket>();
    recorder.upgradeWith(switched((socket) => void socket.on('end', () => ended.resolve(socket))));
    const client = await open();
    client.socket.end('all of stdin');
    const server = await ended.promise;
    expect(recorder.seen[0]?.body.toString()).toBe('all of stdin');
    expect(client.ended).toBe(false);
    server.write('output, ');
    server.end('exit code 7');
    await until('both are done', () => client.closed);
    expect([client.received.toString(), client.ended]).toEqual(['output, exit code 7', true]);
    expect(await outcome()).toMatchObject({ status: 101, end: 'completed', errorCode: null });
  });

  it('UP-03 may end towards the client first: it can still send', async () => {
    recorder.upgradeWith(switched((socket) => void socket.end('said all')));
    const client = await open();
    await until('the end arrives', () => client.ended);
    expect(client.received.toString()).toBe('said all');
    client.socket.write('one more, ');
    client.socket.end('and done');
    await until('the cluster has it', () => recorder.seen[0]?.body.toString() === 'one more, and done');
    await until('both are done', () => client.closed && recorder.seen[0]?.closed === true);
    expect(await outcome()).toMatchObject({ end: 'completed', bytesSent: 8, bytesReceived: 18 });
  });

  it('UP-03 wait for a side that does not read, in both directions', async () => {
    const sockets: Socket[] = [];
    const written = { down: 0, up: 0 };
    recorder.upgradeWith(
      switched((socket) => {
        sockets.push(socket);
        socket.pause();
        pour(socket, (bytes) => (written.down += bytes));
      }),
    );
    const client = await open();
    client.socket.pause();
    pour(client.socket, (bytes) => (written.up += bytes));
    await settled(() => written.down + written.up);
    expect(Math.max(written.down, written.up)).toBeLessThan(32 << 20);
    client.socket.destroy();
  });
});

describe('UP-06 frames that are none', () => {
  const frames: [string, Buffer[]][] = [
    ['a header byte by byte', [...Buffer.from([0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9])].map((byte) => Buffer.of(byte))],
    ['a length of 2^63', [Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0])]],
    ['reserved bits', [Buffer.from([0xf1, 0x80, 0, 0, 0, 0])]],
    ['no mask', [Buffer.from([0x81, 0x02, 0x68, 0x69])]],
    [
      'control frames within a message',
      [Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x61, 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x81, 0, 0, 0, 0, 0x62])],
    ],
    ['an HTTP request', [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')]],
  ];

  it.each(frames)('UP-06 pass as they are: %s', async (_, pieces) => {
    recorder.upgradeWith(echo);
    const client = await open();
    for (const piece of pieces) client.socket.write(piece);
    const all = Buffer.concat(pieces);
    await until('all is back', () => client.bytes === all.length);
    expect(client.received.equals(all)).toBe(true);
    expect(recorder.seen).toHaveLength(1);
    client.socket.destroy();
  });
});
