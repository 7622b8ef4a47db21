import { randomUUID } from 'node:crypto';
import {
  ANY,
  binaryEvent,
  EventStoreDBClient,
  jsonEvent,
  MaxAppendSizeExceededError,
  NO_STREAM,
  STREAM_EXISTS,
  StreamDeletedError,
  WrongExpectedVersionError,
  type AppendExpectedRevision,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  collect,
  counted,
  countedTo,
  credentials,
  failure,
  numbers,
  openStage,
  type Stage,
} from './testing/official-client.ts';

let stage: Stage;
let client: EventStoreDBClient;

beforeAll(async () => {
  stage = await openStage();
  ({ client } = stage);
});
afterAll(() => stage.stop());

const newStream = () => `stream-${randomUUID()}`;

/** The client has two ways to append: one call for each with credentials, one call for all without. */
describe.each([
  ['batch append, as it comes', {}],
  ['plain append, with credentials on the call', { credentials }],
])('appending with the official client by %s', (_, way) => {
  it('says where the stream and the log are afterwards', async () => {
    const stream = newStream();
    const first = await client.appendToStream(stream, countedTo(2), way);
    expect(first).toMatchObject({ success: true, nextExpectedRevision: 1n });
    const second = await client.appendToStream(stream, counted(2), way);
    expect(second.nextExpectedRevision).toBe(2n);
    const [, , third] = await collect(client.readStream(stream));
    expect(third?.event?.position).toEqual(second.position);
    expect(second.position?.commit).toBeGreaterThan(first.position?.commit ?? 0n);
  });

  it('keeps JSON, bytes and both kinds of metadata as they are', async () => {
    const stream = newStream();
    const data = { text: 'CC ‐ 1830 ✓ "quoted"\n', list: [1, null, { deep: true }] };
    const bytes = Buffer.from([0, 255, 128, 7]);
    await client.appendToStream(
      stream,
      [
        jsonEvent({ type: 'json', data, metadata: { by: 'ü' } }),
        binaryEvent({ type: 'bytes', data: bytes, metadata: { by: 'ü' } }),
        binaryEvent({ type: 'bytes', data: bytes, metadata: Uint8Array.from([1, 2, 250]) }),
        jsonEvent({ type: 'bare', data: 'only text' }),
      ],
      way,
    );
    const [json, binary, both, bare] = (await collect(client.readStream(stream))).map(({ event }) => event);
    expect(json).toMatchObject({
      streamId: stream,
      revision: 0n,
      type: 'json',
      isJson: true,
      data,
      metadata: { by: 'ü' },
    });
    expect(binary).toMatchObject({ type: 'bytes', isJson: false, metadata: { by: 'ü' } });
    expect(Buffer.from(binary?.data as Uint8Array).equals(bytes)).toBe(true);
    expect(Buffer.from(both?.metadata as Uint8Array)).toEqual(Buffer.from([1, 2, 250]));
    expect([bare?.data, bare?.metadata]).toEqual(['only text', undefined]);
    expect(Math.abs((json?.created.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it.each<[AppendExpectedRevision, number]>([
    [ANY, 0],
    [ANY, 2],
    [NO_STREAM, 0],
    [STREAM_EXISTS, 2],
    [1n, 2],
  ])('lets an append through that expects %s of a stream with %i events', async (expectedRevision, held) => {
    const stream = newStream();
    if (held > 0) await client.appendToStream(stream, countedTo(held), way);
    const result = await client.appendToStream(stream, counted(9), { ...way, expectedRevision });
    expect(result.nextExpectedRevision).toBe(BigInt(held));
  });

  it.each<[AppendExpectedRevision, number]>([
    [NO_STREAM, 2],
    [STREAM_EXISTS, 0],
    [0n, 2],
    [7n, 2],
    [1n, 0],
    [18446744073709551615n, 2],
  ])(
    'refuses one that expects %s of a stream with %i events, and says what is true',
    async (expectedRevision, held) => {
      const stream = newStream();
      if (held > 0) await client.appendToStream(stream, countedTo(held), way);
      const error = await failure(client.appendToStream(stream, counted(9), { ...way, expectedRevision }));
      expect(error).toBeInstanceOf(WrongExpectedVersionError);
      expect(error).toMatchObject({
        streamName: stream,
        expectedVersion: expectedRevision,
        actualVersion: held === 0 ? 'no_stream' : BigInt(held - 1),
      });
    },
  );

  it('answers instead of throwing for a client that wants that', async () => {
    const quiet = EventStoreDBClient.connectionString(`${stage.connectionString}&throwOnAppendFailure=false`);
    const stream = newStream();
    await quiet.appendToStream(stream, countedTo(3), way);
    const result = await quiet.appendToStream(stream, counted(9), { ...way, expectedRevision: NO_STREAM });
    expect(result.success).toBe(false);
    await quiet.dispose();
  });

  it('gives a retry with the same ids the first answer, whatever revision it names', async () => {
    const stream = newStream();
    const events = countedTo(2);
    for (const expectedRevision of [NO_STREAM, ANY] as const) {
      const first = await client.appendToStream(stream, events, { ...way, expectedRevision });
      await client.appendToStream(stream, counted(9), way);
      expect(await client.appendToStream(stream, events, { ...way, expectedRevision })).toEqual(first);
    }
    expect(await numbers(client.readStream(stream))).toEqual([0, 1, 9, 9]);
  });

  it('takes an append of nothing, and writes nothing', async () => {
    const stream = newStream();
    await client.appendToStream(stream, countedTo(2), way);
    const result = await client.appendToStream(stream, [], way);
    expect(result).toMatchObject({ success: true, nextExpectedRevision: 1n });
    expect(await numbers(client.readStream(stream))).toEqual([0, 1]);
  });

  it('refuses more than 1 MiB at once and stores none of it, whatever way it comes', async () => {
    for (const events of [
      Array.from({ length: 3 }, () => jsonEvent({ type: 'big', data: 'x'.repeat(400_000) })),
      [binaryEvent({ type: 'huge', data: Buffer.alloc(5_000_000) })],
      countedTo(16_000, 'counted-'.repeat(4)),
    ]) {
      const stream = newStream();
      const error = await failure(client.appendToStream(stream, events, way));
      expect(error).toBeInstanceOf(MaxAppendSizeExceededError);
      expect(error).toMatchObject({ type: 'maximum-append-size-exceeded', maxAppendSize: 1_048_576 });
      await expect(collect(client.readStream(stream))).rejects.toMatchObject({ type: 'stream-not-found' });
    }
    expect(await client.appendToStream(newStream(), counted(1), way)).toMatchObject({ success: true });
  });

  it('refuses an append to a stream that was ended for good', async () => {
    const stream = newStream();
    await client.appendToStream(stream, counted(1), way);
    await client.tombstoneStream(stream);
    const error = await failure(client.appendToStream(stream, counted(2), way));
    expect(error).toBeInstanceOf(StreamDeletedError);
    expect(error).toMatchObject({ streamName: stream });
  });

  it('says that a deadline has passed, also when the append never becomes complete', async () => {
    const late = client.appendToStream(newStream(), countedTo(10_000), { ...way, deadline: 1 });
    await expect(late).rejects.toMatchObject({ type: 'deadline-exceeded' });
  });

  it('answers a hundred appends at once, each by itself', async () => {
    const streams = Array.from({ length: 100 }, newStream);
    const results = await Promise.all(
      streams.map((stream, n) =>
        failureOrDone(
          client.appendToStream(stream, counted(n), { ...way, expectedRevision: n % 2 === 0 ? NO_STREAM : 5n }),
        ),
      ),
    );
    expect(results.filter((result) => result === 'done')).toHaveLength(50);
    expect(results.filter((result) => result instanceof WrongExpectedVersionError)).toHaveLength(50);
  });

  it.each([
    ['everything', '$all', 'access-denied'],
    ['the metadata of metadata', '$$$$deep', 'access-denied'],
    ['the metadata of nothing', '$$', 'unknown'],
    ['a stream whose name is too long', 'x'.repeat(1_025), 'unknown'],
  ])('refuses an append to %s', async (_case, stream, type) => {
    await expect(client.appendToStream(stream, counted(1), way)).rejects.toMatchObject({ type });
    expect(await client.appendToStream(newStream(), counted(1), way)).toMatchObject({ success: true });
  });
});

describe('the pieces of a batch append', () => {
  it('may come a few events at a time, mixed with those of others', async () => {
    const results = await Promise.all(
      [newStream(), newStream(), newStream()].map(async (stream) => {
        await client.appendToStream(stream, countedTo(500), { batchAppendSize: 1_024 });
        return numbers(client.readStream(stream));
      }),
    );
    expect(results).toEqual([1, 2, 3].map(() => Array.from({ length: 500 }, (_, n) => n)));
  });

  it('leave the call open after one append was refused', async () => {
    const stream = newStream();
    await failure(client.appendToStream(stream, counted(1), { expectedRevision: 5n }));
    await failure(client.appendToStream(stream, binaryEvent({ type: 'huge', data: Buffer.alloc(2_000_000) })));
    expect(await client.appendToStream(stream, counted(1))).toMatchObject({ success: true });
    const { calls } = await stage.store.metrics();
    expect(calls).toBe(1);
  });
});

function failureOrDone(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'done',
    (error: unknown) => error,
  );
}
