import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  NO_STREAM,
  START,
  STREAM_EXISTS,
  WrongExpectedVersionError,
  eventTypeFilter,
  jsonEvent,
  persistentSubscriptionToStreamSettingsFromDefaults,
  streamNameFilter,
  type ResolvedEvent,
} from '@eventstore/db-client';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEventStore, type RunningEventStore } from './start.ts';

/** The official client as it comes, without our facade: what other tools of an operator would see. */
let client: EventStoreDBClient;
let store: RunningEventStore;
const folder = mkdtempSync(join(tmpdir(), 'proto-'));

beforeAll(async () => {
  store = await startEventStore({ folder, socketPath: join(folder, 'es.sock'), tcpPort: 0 });
  client = EventStoreDBClient.connectionString(store.tcpConnectionString ?? '');
});
afterAll(async () => {
  await client.dispose();
  await store.stop();
  rmSync(folder, { recursive: true });
});

/** RFC 9113, section 3.4. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const counted = (n: number) => jsonEvent({ type: 'counted', data: { n } });
const append = (stream: string, count: number) =>
  client.appendToStream(
    stream,
    Array.from({ length: count }, (_, n) => counted(n)),
  );
const numbers = async (events: AsyncIterable<ResolvedEvent>) => {
  const found: unknown[] = [];
  for await (const { event } of events) found.push(event?.data);
  return found.map((data) => (data as { n: number }).n);
};

describe('the official client, unchanged, against the embedded event store', () => {
  it('appends without credentials too: batch append is not offered, so it falls back to the plain one', async () => {
    expect(await append('plain', 2)).toMatchObject({ success: true, nextExpectedRevision: 1n });
  });

  it('takes the expectations any, no stream, stream exists and an exact revision', async () => {
    await expect(
      client.appendToStream('expect', counted(0), { expectedRevision: STREAM_EXISTS }),
    ).rejects.toMatchObject({
      actualVersion: 'no_stream',
      expectedVersion: 'stream_exists',
    });
    await client.appendToStream('expect', counted(0), { expectedRevision: NO_STREAM });
    await client.appendToStream('expect', counted(1), { expectedRevision: STREAM_EXISTS });
    await client.appendToStream('expect', counted(2), { expectedRevision: 1n });
    await expect(client.appendToStream('expect', counted(3), { expectedRevision: 0n })).rejects.toBeInstanceOf(
      WrongExpectedVersionError,
    );
    expect(await numbers(client.readStream('expect'))).toEqual([0, 1, 2]);
  });

  it('reads a stream in both directions, from any revision, at most so many', async () => {
    await append('read', 600);
    const read = async (options: Parameters<typeof client.readStream>[1]) =>
      numbers(client.readStream('read', options));
    expect(await read({ fromRevision: 597n })).toEqual([597, 598, 599]);
    expect(await read({ direction: BACKWARDS, fromRevision: END, maxCount: 2 })).toEqual([599, 598]);
    expect(await read({ direction: BACKWARDS, fromRevision: 1n })).toEqual([1, 0]);
    expect(await read({ fromRevision: 700n })).toEqual([]);
    expect(await read({ fromRevision: END })).toEqual([]);
    expect(await read({ maxCount: 300, fromRevision: 10n })).toEqual(Array.from({ length: 300 }, (_, n) => n + 10));
    expect(await read({ direction: BACKWARDS })).toEqual([0]);
  });

  it('says that a stream is not there', async () => {
    await expect(numbers(client.readStream('nowhere'))).rejects.toMatchObject({ type: 'stream-not-found' });
  });

  it('reads everything in both directions: forwards from a position, backwards from before it', async () => {
    await append('all', 3);
    const everything = [];
    for await (const { event } of client.readAll()) if (event) everything.push(event);
    const third = everything[2]?.position ?? { commit: 0n, prepare: 0n };
    const [from] = await ids(client.readAll({ direction: FORWARDS, fromPosition: third, maxCount: 1 }));
    const [before] = await ids(client.readAll({ direction: BACKWARDS, fromPosition: third, maxCount: 1 }));
    expect([before, from]).toEqual([everything[1]?.id, everything[2]?.id]);
    expect(await ids(client.readAll({ direction: BACKWARDS, fromPosition: END }))).toEqual(
      everything.map(({ id }) => id).toReversed(),
    );
    expect(await ids(client.readAll({ fromPosition: END }))).toEqual([]);
    expect(await ids(client.readAll({ direction: BACKWARDS, fromPosition: START }))).toEqual([]);
  });

  it('follows one stream from after a revision, past the end and on', async () => {
    await append('followed', 3);
    const subscription = client.subscribeToStream('followed', { fromRevision: 0n });
    const seen: unknown[] = [];
    let caughtUp = 0;
    subscription.on('caughtUp', () => (caughtUp += 1));
    for await (const { event } of subscription) {
      seen.push(event?.data);
      if (seen.length === 2) await append('followed', 2);
      if (seen.length === 4) break;
    }
    await subscription.unsubscribe();
    expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 0 }, { n: 1 }]);
    expect(caughtUp).toBe(1);
  });

  it('follows a stream that does not exist yet', async () => {
    const subscription = client.subscribeToStream('future', { fromRevision: START });
    subscription.once('caughtUp', () => void append('future', 1));
    for await (const { event } of subscription) {
      expect(event?.streamId).toBe('future');
      break;
    }
    await subscription.unsubscribe();
  });

  it('keeps stream metadata and applies it', async () => {
    await client.setStreamMetadata('short', { maxCount: 2 });
    await append('short', 5);
    expect(await numbers(client.readStream('short'))).toEqual([3, 4]);
    expect(await numbers(client.readStream('short', { direction: BACKWARDS, fromRevision: END }))).toEqual([4, 3]);
    expect(await client.getStreamMetadata('short')).toMatchObject({ metadata: { maxCount: 2 } });
  });

  it.each([
    ['a regular expression', () => client.subscribeToAll({ filter: streamNameFilter({ regex: '^a' }) })],
    ['a filter on types', () => client.subscribeToAll({ filter: eventTypeFilter({ prefixes: ['a'] }) })],
  ])('refuses %s and says that it is not served', async (_, subscribe) => {
    await expect(ids(subscribe())).rejects.toThrow(/INVALID_ARGUMENT: the embedded event store filters by/);
  });

  it('refuses metadata that it would have to ignore', async () => {
    await expect(client.setStreamMetadata('guarded', { maxAge: 60 })).rejects.toThrow('does not serve $maxAge');
  });

  it('refuses an append beyond 1 MiB and stores none of it', async () => {
    const events = Array.from({ length: 3 }, () => jsonEvent({ type: 'big', data: 'x'.repeat(400_000) }));
    const refused = client.appendToStream('too-big', events, { credentials: { username: 'a', password: 'b' } });
    await expect(refused).rejects.toMatchObject({ type: 'maximum-append-size-exceeded', maxAppendSize: 1_048_576 });
    await expect(numbers(client.readStream('too-big'))).rejects.toMatchObject({ type: 'stream-not-found' });
  });

  it.each([
    ['delete', () => client.deleteStream('plain')],
    ['tombstone', () => client.tombstoneStream('plain')],
    [
      'persistent subscriptions',
      () =>
        client.createPersistentSubscriptionToStream(
          'plain',
          'group',
          persistentSubscriptionToStreamSettingsFromDefaults(),
        ),
    ],
  ])('answers UNIMPLEMENTED for what is not there: %s', async (_, call) => {
    await expect(call()).rejects.toThrow(/UNIMPLEMENTED|not supported/i);
  });

  it.each([
    ['no HTTP/2 at all', () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['noise', () => crypto.getRandomValues(Buffer.alloc(10_000))],
    ['a preface and then noise', () => Buffer.concat([preface, crypto.getRandomValues(Buffer.alloc(10_000))])],
  ])('goes on after a connection that speaks %s', async (_, bytes) => {
    const socket = connect(join(folder, 'es.sock'));
    socket.on('error', () => undefined).resume();
    socket.end(bytes());
    await new Promise((resolve) => socket.once('close', resolve));
    expect(await append(`after-${randomUUID()}`, 1)).toMatchObject({ success: true });
  });

  it('goes on after messages that are no messages, and says so to their sender', async () => {
    const raw = new Client(`unix:${join(folder, 'es.sock')}`, credentials.createInsecure());
    const send = (path: string, bytes: Buffer) =>
      new Promise<ServiceError | null>((resolve) => {
        raw.makeUnaryRequest(
          path,
          (message: Buffer) => message,
          (message) => message,
          bytes,
          (error) => resolve(error),
        );
      });
    for (let length = 1; length < 200; length += 3) {
      const noise = crypto.getRandomValues(Buffer.alloc(length));
      for (const method of ['Read', 'Append', 'BatchAppend', 'Delete']) {
        expect(await send(`/event_store.client.streams.Streams/${method}`, noise)).not.toBeNull();
      }
    }
    raw.close();
    expect(await append('after-noise', 1)).toMatchObject({ success: true });
  });

  it('refuses the 101st subscription of one client', async () => {
    const mine = EventStoreDBClient.connectionString(store.tcpConnectionString ?? '');
    const confirmed = (subscription: ReturnType<typeof mine.subscribeToAll>) =>
      new Promise((resolve, reject) => subscription.once('confirmation', () => resolve(0)).once('error', reject));
    await Promise.all(Array.from({ length: 100 }, () => confirmed(mine.subscribeToAll({ fromPosition: END }))));
    await expect(confirmed(mine.subscribeToAll())).rejects.toThrow('too many subscriptions');
    await mine.dispose();
  });
});

async function ids(events: AsyncIterable<ResolvedEvent>): Promise<(string | undefined)[]> {
  const found = [];
  for await (const { event } of events) found.push(event?.id);
  return found;
}
