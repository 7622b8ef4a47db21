import { randomUUID } from 'node:crypto';
import {
  BACKWARDS,
  binaryEvent,
  END,
  NO_STREAM,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  persistentSubscriptionToStreamSettingsFromDefaults,
  type EventStoreDBClient,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, counted, countedTo, failure, numbers, openStage, type Stage } from './testing/official-client.ts';

let stage: Stage;
let client: EventStoreDBClient;

beforeAll(async () => {
  stage = await openStage();
  ({ client } = stage);
});
afterAll(() => stage.stop());

const newStream = () => `stream-${randomUUID()}`;
const filled = async (count: number) => {
  const stream = newStream();
  await client.appendToStream(stream, countedTo(count));
  return stream;
};
const ids = async (events: Parameters<typeof collect>[0]) => (await collect(events)).map(({ event }) => event?.id);

describe('reading a stream with the official client', () => {
  it('goes in both directions, from any revision, at most so many', async () => {
    const stream = await filled(600);
    const read = (options: Parameters<typeof client.readStream>[1]) => numbers(client.readStream(stream, options));
    expect(await read({ fromRevision: 597n })).toEqual([597, 598, 599]);
    expect(await read({ direction: BACKWARDS, fromRevision: END, maxCount: 2 })).toEqual([599, 598]);
    expect(await read({ direction: BACKWARDS, fromRevision: 1n })).toEqual([1, 0]);
    expect(await read({ direction: BACKWARDS, fromRevision: 10_000n, maxCount: 1 })).toEqual([599]);
    expect(await read({ fromRevision: 700n })).toEqual([]);
    expect(await read({ fromRevision: 18446744073709551615n })).toEqual([]);
    expect(await read({ fromRevision: END })).toEqual([]);
    expect(await read({ maxCount: 300, fromRevision: 10n })).toEqual(Array.from({ length: 300 }, (_, n) => n + 10));
    expect(await read({ direction: BACKWARDS })).toEqual([0]);
  });

  it('says that a stream is not there', async () => {
    const error = await failure(collect(client.readStream('nowhere-ü')));
    expect(error).toBeInstanceOf(StreamNotFoundError);
    expect(error).toMatchObject({ type: 'stream-not-found', streamName: 'nowhere-ü' });
  });

  it('takes any name, and gives it back', async () => {
    for (const name of ['mit leerzeichen', 'ü-✓-🦃', 'a@b/c?d#e%20', `${'x'.repeat(1_000)}`]) {
      const stream = `${name}-${randomUUID().slice(0, 8)}`;
      await client.appendToStream(stream, counted(1));
      const [read] = await collect(client.readStream(stream));
      expect(read?.event?.streamId).toBe(stream);
    }
  });

  it('shows what a link points to, with the link beside it, to those who ask for that', async () => {
    const stream = await filled(4);
    const links = newStream();
    const link = (data: string) => binaryEvent({ type: '$>', data: Buffer.from(data) });
    await client.appendToStream(links, [link(`2@${stream}`), link(`9@${stream}`), link('0@nowhere'), link('no link')]);
    const [target] = await collect(client.readStream(stream, { fromRevision: 2n, maxCount: 1 }));
    const plain = await collect(client.readStream(links));
    expect(plain.map(({ event, link: beside }) => [event?.type, beside])).toEqual(plain.map(() => ['$>', undefined]));
    const resolved = await collect(client.readStream(links, { resolveLinkTos: true }));
    expect(resolved[0]?.event).toEqual(target?.event);
    expect(resolved.map(({ link: beside }) => beside?.id)).toEqual(plain.map(({ event }) => event?.id));
    expect(resolved.slice(1).map(({ event }) => event)).toEqual([undefined, undefined, undefined]);
    expect(resolved[0]?.commitPosition).toBe(plain[0]?.event?.position?.commit);
  });
});

describe('reading everything with the official client', () => {
  it('goes forwards from a position and backwards from before it', async () => {
    await filled(3);
    const everything = (await collect(client.readAll())).map(({ event }) => event);
    const third = everything[2]?.position ?? { commit: 0n, prepare: 0n };
    const [from] = await ids(client.readAll({ fromPosition: third, maxCount: 1 }));
    const [before] = await ids(client.readAll({ direction: BACKWARDS, fromPosition: third, maxCount: 1 }));
    expect([before, from]).toEqual([everything[1]?.id, everything[2]?.id]);
    expect(await ids(client.readAll({ direction: BACKWARDS, fromPosition: END }))).toEqual(
      everything.map((event) => event?.id).toReversed(),
    );
    expect(await ids(client.readAll({ fromPosition: END }))).toEqual([]);
    expect(await ids(client.readAll({ direction: BACKWARDS, fromPosition: START }))).toEqual([]);
    expect(everything.map((event) => event?.position?.commit)).toEqual(
      everything.map((event) => event?.position?.prepare),
    );
  });
});

describe('deleting with the official client', () => {
  it('hides the events, and the next append goes on where they ended', async () => {
    const stream = await filled(3);
    const deleted = await client.deleteStream(stream, { expectedRevision: 2n });
    expect(deleted.position?.commit).toBeGreaterThan(0n);
    await expect(collect(client.readStream(stream))).rejects.toBeInstanceOf(StreamNotFoundError);
    expect(await client.getStreamMetadata(stream)).toMatchObject({ metadata: { truncateBefore: expect.any(Number) } });
    const again = await client.appendToStream(stream, counted(7), { expectedRevision: NO_STREAM });
    expect(again.nextExpectedRevision).toBe(3n);
    expect(await numbers(client.readStream(stream))).toEqual([7]);
    expect(await numbers(client.readStream(stream, { direction: BACKWARDS, fromRevision: END }))).toEqual([7]);
    expect(await client.getStreamMetadata(stream)).toMatchObject({ metadata: { truncateBefore: 3 } });
  });

  it('is undone by metadata, which is kept', async () => {
    const stream = await filled(2);
    await client.deleteStream(stream);
    await client.setStreamMetadata(stream, { maxCount: 5, note: 'ours' });
    expect(await numbers(client.readStream(stream))).toEqual([]);
    await client.appendToStream(stream, counted(2), { expectedRevision: 1n });
    expect(await numbers(client.readStream(stream))).toEqual([2]);
    expect(await client.getStreamMetadata(stream)).toMatchObject({
      metadata: { maxCount: 5, truncateBefore: 2, note: 'ours' },
    });
  });

  it('ends a stream for good with a tombstone, which everybody sees in the log', async () => {
    const stream = await filled(2);
    const { position } = await client.tombstoneStream(stream, { expectedRevision: 1n });
    for (const call of [
      () => collect(client.readStream(stream)),
      () => client.getStreamMetadata(stream),
      () => client.setStreamMetadata(stream, { maxCount: 1 }),
      () => client.deleteStream(stream),
      () => client.tombstoneStream(stream),
    ]) {
      const error = await failure(call());
      expect(error).toBeInstanceOf(StreamDeletedError);
      expect((error as StreamDeletedError).streamName).toContain(stream);
    }
    const [tombstone] = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }));
    expect(tombstone?.event).toMatchObject({
      streamId: stream,
      type: '$streamDeleted',
      revision: 9223372036854775807n,
      position,
    });
  });

  it('is possible for a stream that has only metadata, and ends one with a tombstone that never was', async () => {
    const described = newStream();
    await client.setStreamMetadata(described, { cacheControl: 10 });
    await client.deleteStream(described, { expectedRevision: NO_STREAM });
    const never = newStream();
    await client.tombstoneStream(never, { expectedRevision: NO_STREAM });
    await expect(collect(client.readStream(never))).rejects.toBeInstanceOf(StreamDeletedError);
  });

  it.each([
    { kind: 'delete', expectedRevision: 0n, held: 2, actualVersion: 1n },
    { kind: 'delete', expectedRevision: NO_STREAM, held: 2, actualVersion: 1n },
    { kind: 'delete', expectedRevision: NO_STREAM, held: 0, actualVersion: 'no_stream' },
    { kind: 'tombstone', expectedRevision: 7n, held: 2, actualVersion: 1n },
    { kind: 'tombstone', expectedRevision: NO_STREAM, held: 2, actualVersion: 1n },
  ] as const)(
    '$kind that expects $expectedRevision of a stream with $held events is refused',
    async ({ kind, expectedRevision, held, actualVersion }) => {
      const stream = held === 0 ? newStream() : await filled(held);
      const options = { expectedRevision };
      const error = await failure(
        kind === 'delete' ? client.deleteStream(stream, options) : client.tombstoneStream(stream, options),
      );
      expect(error).toBeInstanceOf(WrongExpectedVersionError);
      const expectedVersion = expectedRevision === NO_STREAM ? -1n : expectedRevision;
      expect(error).toMatchObject({ streamName: stream, expectedVersion, actualVersion });
    },
  );

  it('names a stream in the trailers of an error although its name is not ASCII', async () => {
    const stream = `löschen-${randomUUID()}`;
    await client.tombstoneStream(stream);
    const error = await failure(client.tombstoneStream(stream));
    expect(error).toMatchObject({ type: 'stream-deleted', streamName: encodeURI(stream) });
  });
});

describe('stream metadata with the official client', () => {
  it('is kept as it was given, access lists and own keys too', async () => {
    const stream = newStream();
    expect(await client.getStreamMetadata(stream)).toEqual({ streamName: stream });
    const metadata = {
      maxAge: 20,
      cacheControl: 15,
      truncateBefore: 1,
      maxCount: 12,
      acl: {
        readRoles: ['admin'],
        writeRoles: ['ops', 'admin'],
        deleteRoles: ['admin'],
        metaReadRoles: ['a'],
        metaWriteRoles: ['a'],
      },
      turkey: '🦃',
    };
    const { nextExpectedRevision } = await client.setStreamMetadata(stream, metadata, { expectedRevision: NO_STREAM });
    expect(await client.getStreamMetadata(stream)).toMatchObject({ streamName: stream, metadata });
    await client.setStreamMetadata(stream, { turkey: '🍗' }, { expectedRevision: nextExpectedRevision });
    expect(await client.getStreamMetadata(stream)).toMatchObject({ metadata: { turkey: '🍗' } });
  });

  it('hides what is too many, too old or before a revision', async () => {
    const stream = await filled(5);
    await client.setStreamMetadata(stream, { maxCount: 2 });
    expect(await numbers(client.readStream(stream))).toEqual([3, 4]);
    expect(await numbers(client.readStream(stream, { direction: BACKWARDS, fromRevision: END }))).toEqual([4, 3]);
    expect(await numbers(client.readStream(stream, { direction: BACKWARDS, fromRevision: 2n }))).toEqual([]);
    await client.setStreamMetadata(stream, { truncateBefore: 1 });
    expect(await numbers(client.readStream(stream))).toEqual([1, 2, 3, 4]);
    await client.setStreamMetadata(stream, { maxAge: 1 });
    await expect.poll(() => numbers(client.readStream(stream)), { timeout: 5_000 }).toEqual([]);
    await client.appendToStream(stream, counted(5), { expectedRevision: 4n });
    expect(await numbers(client.readStream(stream))).toEqual([5]);
  });
});

describe('what is not served', () => {
  it('says so and nothing else', async () => {
    const settings = persistentSubscriptionToStreamSettingsFromDefaults();
    const error = await failure(client.createPersistentSubscriptionToStream('any', 'group', settings));
    expect(String(error)).toMatch(/UNIMPLEMENTED: .* is not served by the embedded event store/);
  });
});
