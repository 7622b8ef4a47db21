import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from './testing/raw-agent.ts';
import { startTunnelWorld, type TunnelWorld } from './testing/tunnel-world.ts';

let world: TunnelWorld;
beforeAll(async () => {
  world = await startTunnelWorld();
});
afterAll(() => world.stop());

// RFC 9113, section 6: the types and flags that are used here.
const types = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
};
const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION } = types;
const { END_STREAM, END_HEADERS } = { END_STREAM: 1, END_HEADERS: 4 };
const REFUSED_STREAM = 7;

type Frame = {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Buffer;
};

function bytesOf({ type, flags = 0, stream = 0, payload = Buffer.alloc(0) }: Frame): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** `POST https /x` to `a`, with indices of the static table (RFC 7541, appendix A). */
const head = Buffer.concat([Buffer.of(0x83, 0x87, 0x44, 2), Buffer.from('/x'), Buffer.of(0x41, 1), Buffer.from('a')]);
const begin = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), bytesOf({ type: SETTINGS })]);
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A stranger's connection: no certificate is needed to get this far (D34). `reads: false` never takes what is answered. */
async function stranger({ reads }: { readonly reads: boolean }): Promise<TLSSocket> {
  const { hostname: host, port } = world.url;
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  if (reads) socket.resume();
  socket.write(begin);
  return socket;
}

/** Sends until all is sent or the server has had enough; tells whether it had. */
async function flood(socket: TLSSocket, frames: Iterable<Buffer>): Promise<boolean> {
  for (const bytes of frames) {
    if (socket.destroyed || socket.closed) return true;
    if (socket.write(bytes)) continue;
    const timer = new AbortController();
    await Promise.race([
      once(socket, 'drain', { signal: timer.signal }),
      once(socket, 'close', { signal: timer.signal }),
      new Promise((resolve) => setTimeout(resolve, 5_000)),
    ]).catch(() => undefined);
    timer.abort();
  }
  if (socket.destroyed) return true;
  return Promise.race([
    once(socket, 'close').then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 2_000)),
  ]);
}

function* repeat(count: number, each: number, make: (index: number) => Buffer): Iterable<Buffer> {
  for (let sent = 0; sent < count; sent += each)
    yield Buffer.concat(Array.from({ length: each }, (_, index) => make(sent + index)));
}

/** Answers of `/healthz` on a connection of somebody else. */
async function healthy(): Promise<number> {
  const { session } = await openSession(world.url);
  const stream = session.request({ ':path': '/healthz' });
  const [headers] = (await once(stream, 'response')) as [{ ':status': number }];
  stream.resume();
  session.destroy();
  return headers[':status'];
}

const megabytes = 1024 * 1024;
const streamOf = (index: number): number => 2 * index + 1;

const floods: readonly (readonly [what: string, reads: boolean, frames: () => Iterable<Buffer>])[] = [
  [
    '10,000 streams that are reset at once',
    true,
    () =>
      repeat(10_000, 100, (index) =>
        Buffer.concat([
          bytesOf({
            type: HEADERS,
            flags: END_HEADERS | END_STREAM,
            stream: streamOf(index),
            payload: head,
          }),
          bytesOf({ type: RST_STREAM, stream: streamOf(index), payload: uint32(8) }),
        ]),
      ),
  ],
  [
    'a head of 10 MB that does not come to its end',
    true,
    function* () {
      yield bytesOf({ type: HEADERS, stream: 1, payload: head });
      const name = Buffer.concat([
        Buffer.of(0, 1),
        Buffer.from('x'),
        Buffer.of(0x7f, 0x81, 0x7d),
        Buffer.alloc(16_128, 0x61),
      ]);
      for (let sent = 0; sent < 10 * megabytes; sent += name.length)
        yield bytesOf({ type: CONTINUATION, stream: 1, payload: name });
    },
  ],
  ['100,000 settings, and reads no answer', false, () => repeat(100_000, 1_000, () => bytesOf({ type: SETTINGS }))],
  [
    '100,000 pings, and reads no answer',
    false,
    () => repeat(100_000, 1_000, () => bytesOf({ type: PING, payload: Buffer.alloc(8) })),
  ],
  [
    'windows that are opened beyond what there is',
    true,
    () => repeat(10, 1, () => bytesOf({ type: WINDOW_UPDATE, payload: uint32(0x7f_ff_ff_ff) })),
  ],
];

describe('GW-21 HTTP/2 abuse of :5443 by somebody without a certificate', () => {
  it.each(floods)('%s: is cut off, costs little, and nobody else notices', async (_what, reads, frames) => {
    const before = process.memoryUsage().rss;
    const socket = await stranger({ reads });
    const isCutOff = flood(socket, frames());
    expect(await healthy()).toBe(200);
    expect(await isCutOff).toBe(true);
    expect(await healthy()).toBe(200);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * megabytes);
    socket.destroy();
  });

  it('more streams than are allowed at once are refused, and the others are not', async () => {
    const socket = await stranger({ reads: false });
    const answers: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => answers.push(chunk));
    const open = (index: number): Buffer =>
      bytesOf({ type: HEADERS, flags: END_HEADERS, stream: streamOf(index), payload: head });
    socket.write(Buffer.concat(Array.from({ length: 12 }, (_, index) => open(index))));
    const refused = (): readonly number[] =>
      framesOf(Buffer.concat(answers))
        .filter(({ type, payload }) => type === RST_STREAM && payload.readUInt32BE() === REFUSED_STREAM)
        .map(({ stream }) => stream);
    await expect.poll(refused, { timeout: 5_000 }).toEqual([8, 9, 10, 11].map(streamOf));
    expect(await healthy()).toBe(200);
    socket.destroy();
  });

  it.each<[string, () => Iterable<Buffer>]>([
    [
      '100,000 changes of priority',
      () =>
        repeat(100_000, 1_000, (index) =>
          bytesOf({ type: PRIORITY, stream: streamOf(index), payload: Buffer.concat([uint32(0), Buffer.of(1)]) }),
        ),
    ],
    [
      'a body of 200,000 single bytes for a call that was refused',
      function* () {
        yield bytesOf({ type: HEADERS, flags: END_HEADERS, stream: 1, payload: head });
        yield* repeat(200_000, 1_000, () => bytesOf({ type: DATA, stream: 1, payload: Buffer.of(0) }));
      },
    ],
  ])('%s: move nothing', async (_what, frames) => {
    const socket = await stranger({ reads: true });
    const before = process.memoryUsage().rss;
    const flooded = flood(socket, frames());
    expect(await healthy()).toBe(200);
    await flooded;
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * megabytes);
    socket.destroy();
  });
});

function framesOf(bytes: Buffer): { type: number; stream: number; payload: Buffer }[] {
  const frames = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    frames.push({
      type: bytes.readUInt8(at + 3),
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}
