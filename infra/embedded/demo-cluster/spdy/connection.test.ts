import { duplexPair } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { SpdyClient } from '../testing/spdy-client.ts';
import { type SpdyBounds, SpdyConnection } from './connection.ts';
import { goawayStatus, initialWindowSetting, resetStatus } from './frames.ts';
import type { SpdyStream } from './stream.ts';

const bounds: SpdyBounds = { streams: 4, waitingBytes: 100_000, heartbeatMs: 60_000, lingerMs: 200 };
const opened: SpdyClient[] = [];
afterEach(() => opened.splice(0).forEach((client) => client.close()));

function connect(accept: (stream: SpdyStream) => void, given: Partial<SpdyBounds> = {}) {
  const [ours, theirs] = duplexPair();
  const connection = new SpdyConnection(ours, { ...bounds, ...given }, accept);
  const client = new SpdyClient(theirs);
  opened.push(client);
  return { connection, client, over: connection.run() };
}

async function echo(stream: SpdyStream): Promise<void> {
  for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) await stream.write(chunk);
  await stream.end();
}

describe('a SPDY connection', () => {
  it('answers a stream, knows its headers, and carries bytes until each side has ended', async () => {
    let headers: SpdyStream['headers'] | undefined;
    const { client } = connect((stream) => {
      headers = stream.headers;
      void echo(stream);
    });
    const id = await client.open({ streamtype: 'data', port: '80' });
    await client.frame('syn-reply', ({ streamId }) => streamId === id);
    client.data(id, 'one ');
    await client.until(() => client.text(id) === 'one ');
    client.data(id, 'two', true);
    await client.until(() => client.hasEnded(id));
    expect(client.text(id)).toBe('one two');
    expect(headers).toEqual(new Map(Object.entries({ streamtype: 'data', port: '80' })));
  });

  it('keeps streams apart', async () => {
    const { client } = connect((stream) => void echo(stream));
    const ids = [await client.open({ a: '1' }), await client.open({ a: '2' }), await client.open({ a: '3' })];
    for (const id of ids) client.data(id, `stream ${id}`, true);
    await client.until(() => ids.every((id) => client.hasEnded(id)));
    expect(ids.map((id) => client.text(id))).toEqual(['stream 1', 'stream 3', 'stream 5']);
  });

  it('refuses streams over the limit and takes new ones when others have ended', async () => {
    const { client } = connect((stream) => void echo(stream));
    const ids: number[] = [];
    for (let count = 0; count < 5; count += 1) ids.push(await client.open({}));
    const refused = await client.frame('rst-stream');
    expect(refused).toMatchObject({ streamId: ids[4], status: resetStatus.refusedStream });
    client.data(1, '', true);
    await client.until(() => client.hasEnded(1));
    const late = await client.open({});
    client.data(late, 'welcome', true);
    await client.until(() => client.hasEnded(late));
    expect(client.text(late)).toBe('welcome');
  });

  it('stops reading while too much waits, and goes on when it was read', async () => {
    let stream: SpdyStream | undefined;
    const { client } = connect((given) => (stream = given));
    const id = await client.open({});
    for (let count = 0; count < 20; count += 1) client.data(id, Buffer.alloc(20_000));
    client.send({ type: 'ping', id: 1 });
    await client.frame('syn-reply');
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.received.some(({ type }) => type === 'ping')).toBe(false);
    let bytes = 0;
    while (bytes < 400_000) bytes += (await stream?.read())?.length ?? 0;
    await client.frame('ping');
    const credit = client.received.filter((frame) => frame.type === 'window-update');
    expect(credit.reduce((sum, { delta }) => sum + delta, 0)).toBeGreaterThan(350_000);
  });

  it('counts windows for a peer that takes part in flow control', async () => {
    const { client } = connect((stream) => void stream.write(Buffer.alloc(300_000)).then(() => stream.end()));
    client.send({ type: 'settings', entries: [{ id: initialWindowSetting, value: 1_000 }] });
    const id = await client.open({});
    await client.until(() => client.text(id).length === 1_000);
    client.send({ type: 'window-update', streamId: id, delta: 500 });
    await client.until(() => client.text(id).length === 1_500);
    client.send({ type: 'window-update', streamId: id, delta: 400_000 });
    await client.until(() => client.hasEnded(id));
    expect(client.text(id).length).toBe(300_000);
  });

  it('sends without windows to a peer that never mentions them, as kubectl is one', async () => {
    const { client } = connect((stream) => void stream.write(Buffer.alloc(300_000)).then(() => stream.end()));
    const id = await client.open({});
    await client.until(() => client.hasEnded(id));
    expect(client.text(id).length).toBe(300_000);
  });

  it('resets a stream whose window would overflow', async () => {
    const { client } = connect(() => undefined);
    const id = await client.open({});
    client.send({ type: 'window-update', streamId: id, delta: 0x7fffffff });
    expect((await client.frame('rst-stream')).status).toBe(resetStatus.flowControlError);
  });

  it('counts no more what was never read of a stream that is over', async () => {
    const streams: SpdyStream[] = [];
    const { client } = connect((stream) => streams.push(stream));
    const id = await client.open({});
    for (let count = 0; count < 10; count += 1) client.data(id, Buffer.alloc(20_000), count === 9);
    await client.frame('syn-reply');
    await streams[0]?.end();
    await streams[0]?.reset();
    client.send({ type: 'ping', id: 1 });
    await client.frame('ping');
  });

  it('tells a writer that the client has reset its stream', async () => {
    const told = Promise.withResolvers<unknown>();
    const { client } = connect(async (stream) => {
      await stream.read();
      await stream.write(Buffer.from('x')).catch(told.resolve);
    });
    const id = await client.open({});
    client.send({ type: 'rst-stream', streamId: id, status: resetStatus.cancel });
    expect(String(await told.promise)).toContain('nobody reads');
  });

  it('answers data for streams that never were, and data after their end', async () => {
    const { client } = connect(() => undefined);
    client.data(9, 'x');
    expect(await client.frame('rst-stream')).toMatchObject({ streamId: 9, status: resetStatus.invalidStream });
    const id = await client.open({}, { fin: true });
    client.data(id, 'late');
    const second = await client.frame('rst-stream', ({ streamId }) => streamId === id);
    expect(second.status).toBe(resetStatus.streamAlreadyClosed);
  });

  it('answers the pings of the client and not those it sent itself', async () => {
    const { client } = connect(() => undefined);
    client.send({ type: 'ping', id: 2 });
    client.send({ type: 'ping', id: 5 });
    expect((await client.frame('ping')).id).toBe(5);
  });

  it.each([
    ['an even stream id', 2],
    ['a stream id again', 1],
  ])('ends at %s', async (_, streamId) => {
    const { client, over } = connect(() => undefined);
    await client.open({});
    await client.open({}, { streamId });
    expect((await client.frame('goaway')).status).toBe(goawayStatus.protocolError);
    await over;
    await client.ended();
  });

  it('says goodbye, and cuts a client that does not leave', async () => {
    const { client, connection, over } = connect(() => undefined);
    await client.open({});
    await client.frame('syn-reply');
    await connection.close();
    expect(await client.frame('goaway')).toMatchObject({ lastStreamId: 1, status: goawayStatus.ok });
    await over;
  });

  it('ends what its streams wait for when the client is gone', async () => {
    const read = Promise.withResolvers<Buffer | undefined>();
    const { client, over } = connect((stream) => void stream.read().then(read.resolve));
    await client.open({});
    await client.frame('syn-reply');
    client.close();
    expect(await read.promise).toBeUndefined();
    await over;
  });
});
