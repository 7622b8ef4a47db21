import { connect, type ClientHttp2Session } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { GrpcCall } from './grpc-call.ts';
import { GrpcServer, type GrpcServerOptions } from './grpc-server.ts';
import { framed } from './message-splitter.ts';
import { GrpcError, status } from './status.ts';

const fatal: Error[] = [];
const servers: GrpcServer[] = [];
const sessions: ClientHttp2Session[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  for (const server of servers.splice(0)) await server.stop(Promise.resolve());
  fatal.length = 0;
});

const echo = (call: GrpcCall) => {
  const received: Buffer[] = [];
  call.receive({
    message: (message) => {
      if (message.toString() === 'refuse') throw new GrpcError(status.aborted, 'as you wish: ü', { exception: 'wish' });
      if (message.toString() === 'bug') throw new Error('a bug');
      received.push(message);
    },
    end: () => call.finish(Buffer.concat(received)),
  });
};
const silence = (call: GrpcCall) => call.receive({ message: () => undefined, end: () => undefined });

async function start(options: Partial<GrpcServerOptions> = {}): Promise<{ server: GrpcServer; port: number }> {
  const server = new GrpcServer({
    methods: new Map([
      ['/test.Test/Echo', echo],
      ['/test.Test/Silence', silence],
    ]),
    maxMessageBytes: 1_000,
    passwordWanted: false,
    fatal: (error) => fatal.push(error),
    ...options,
  });
  servers.push(server);
  return { server, port: await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }) };
}

type Answer = {
  readonly status: string;
  readonly message: string;
  readonly body: Buffer;
  readonly exception: string | undefined;
};

type Sent = { readonly path: string; readonly bytes: Buffer; readonly timeout?: string };

/** One call with these bytes. */
async function call(port: number, { path, bytes, timeout }: Sent): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${port}`);
  sessions.push(session.on('error', () => undefined));
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    ...(timeout !== undefined && { 'grpc-timeout': timeout }),
  });
  const heads: Record<string, unknown> = {};
  const body: Buffer[] = [];
  stream
    .on('response', (headers) => Object.assign(heads, headers))
    .on('trailers', (headers) => Object.assign(heads, headers));
  stream.on('data', (chunk: Buffer) => body.push(chunk)).on('error', () => undefined);
  stream.end(bytes);
  await new Promise((resolve) => stream.once('close', resolve));
  const { 'grpc-status': code, 'grpc-message': message, exception } = heads as Record<string, string | undefined>;
  return { status: code ?? '', message: decodeURIComponent(message ?? ''), body: Buffer.concat(body), exception };
}

describe('gRPC on HTTP/2', () => {
  it('takes messages and answers with one', async () => {
    const { port } = await start();
    const bytes = Buffer.concat([framed(Buffer.from('a')), framed(Buffer.from('b'))]);
    const { status: code, body } = await call(port, { path: '/test.Test/Echo', bytes });
    expect([code, body]).toEqual(['0', framed(Buffer.from('ab'))]);
  });

  it('ends a call with what was thrown, its trailers and a message of any characters', async () => {
    const { port } = await start();
    const answer = await call(port, { path: '/test.Test/Echo', bytes: framed(Buffer.from('refuse')) });
    expect(answer).toMatchObject({ status: '10', message: 'as you wish: ü', exception: 'wish' });
  });

  it.each([
    ['what is not served', { path: '/test.Test/Nothing', bytes: framed(Buffer.alloc(0)) }, '12'],
    ['a message that is too long', { path: '/test.Test/Echo', bytes: framed(Buffer.alloc(1_001)) }, '8'],
    ['a message that breaks off', { path: '/test.Test/Echo', bytes: framed(Buffer.alloc(10)).subarray(0, 9) }, '13'],
  ])('refuses %s', async (_, sent, code) => {
    const { port } = await start();
    expect(await call(port, sent)).toMatchObject({ status: code });
  });

  it('ends a call at its deadline', async () => {
    const { port } = await start();
    const since = performance.now();
    expect(
      await call(port, { path: '/test.Test/Silence', bytes: framed(Buffer.alloc(0)), timeout: '50m' }),
    ).toMatchObject({ status: '4' });
    expect(performance.now() - since).toBeLessThan(2_000);
  });

  it('says when it has a bug of its own', async () => {
    const { port } = await start();
    void call(port, { path: '/test.Test/Echo', bytes: framed(Buffer.from('bug')) });
    await expect.poll(() => fatal.map(({ message }) => message)).toEqual(['a bug']);
  });

  it('ends open calls when it stops', async () => {
    const { server, port } = await start();
    const open = call(port, { path: '/test.Test/Silence', bytes: framed(Buffer.alloc(0)) });
    await expect.poll(() => server.openCalls).toBe(1);
    await server.stop(Promise.resolve());
    expect(await open).toMatchObject({ status: '14', message: 'the event store is stopping' });
  });

  it('finds out that nobody is there any more, and keeps who answers', async () => {
    const { server, port } = await start({
      patience: { pingEveryMs: 100, answerWithinMs: 200, passwordWithinMs: 60_000, lookEveryMs: 20 },
    });
    const living = connect(`http://127.0.0.1:${port}`);
    sessions.push(living);
    const dead = await silentConnection(port);
    await expect.poll(() => server.connections.open).toBe(2);
    await expect.poll(() => dead.closed || dead.destroyed, { timeout: 5_000 }).toBe(true);
    expect([server.connections.open, living.closed]).toEqual([1, false]);
  });

  it('ends a connection that gives no password in time', async () => {
    const { server, port } = await start({
      passwordWanted: true,
      patience: { pingEveryMs: 60_000, answerWithinMs: 60_000, passwordWithinMs: 100, lookEveryMs: 20 },
    });
    const stranger = connect(`http://127.0.0.1:${port}`);
    sessions.push(stranger.on('error', () => undefined));
    await expect.poll(() => stranger.destroyed, { timeout: 5_000 }).toBe(true);
    expect(server.connections.open).toBe(0);
  });
});

/** Begins HTTP/2 (RFC 9113, section 3.4, with empty settings) and never says another word. */
async function silentConnection(port: number): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(
    Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]),
  );
  return socket;
}
