import { randomUUID } from 'node:crypto';
import {
  END,
  EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  START,
  StreamDeletedError,
  streamNameFilter,
  type AllStreamSubscription,
  type Position,
  type ResolvedEvent,
  type StreamSubscription,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, counted, countedTo, failure, numbersOf, openStage, type Stage } from './testing/official-client.ts';

let stage: Stage;
let client: EventStoreDBClient;

beforeAll(async () => {
  stage = await openStage();
  ({ client } = stage);
});
afterAll(() => stage.stop());

const newStream = () => `stream-${randomUUID()}`;

/** What a subscription says, in the order in which it says it, until `enough`. */
async function listen(
  subscription: StreamSubscription | AllStreamSubscription,
  enough: (said: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const said: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const add = (word: string) => {
    if (enough(said)) return;
    said.push(word);
    if (enough(said)) resolve();
  };
  subscription
    .on('confirmation', () => add('confirmed'))
    .on('caughtUp', () => add('caught up'))
    .on('error', reject)
    .on('data', (resolved: ResolvedEvent) => add(String(numbersOf([resolved])[0])));
  await promise;
  await subscription.unsubscribe();
  return said;
}
const times = (word: string, count: number) => (said: readonly string[]) =>
  said.filter((one) => one === word).length >= count;

describe('following one stream with the official client', () => {
  it('is confirmed, delivers what is there, says that it caught up, and goes on', async () => {
    const stream = newStream();
    await client.appendToStream(stream, countedTo(3));
    const subscription = client.subscribeToStream(stream, { fromRevision: 0n });
    subscription.once('caughtUp', () => void client.appendToStream(stream, [counted(3), counted(4)]));
    expect(await listen(subscription, times('4', 1))).toEqual(['confirmed', '1', '2', 'caught up', '3', '4']);
    expect(subscription.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('begins at the end, at the start, and before there is a stream', async () => {
    const stream = newStream();
    const early = listen(client.subscribeToStream(stream, { fromRevision: START }), times('1', 1));
    await client.appendToStream(stream, countedTo(1));
    const late = client.subscribeToStream(stream, { fromRevision: END });
    late.once('caughtUp', () => void client.appendToStream(stream, counted(1)));
    expect(await listen(late, times('1', 1))).toEqual(['confirmed', 'caught up', '1']);
    expect((await early).filter((word) => word !== 'caught up')).toEqual(['confirmed', '0', '1']);
  });

  it('delivers the tombstone of a stream and then ends with an error', async () => {
    const stream = newStream();
    await client.appendToStream(stream, counted(1));
    const subscription = client.subscribeToStream(stream);
    subscription.once('caughtUp', () => void client.tombstoneStream(stream));
    const seen: (string | undefined)[] = [];
    const error = await failure(
      (async () => {
        for await (const { event } of subscription) seen.push(event?.type);
      })(),
    );
    expect(error).toBeInstanceOf(StreamDeletedError);
    expect(seen).toEqual(['counted', '$streamDeleted']);
  });

  it('goes on through a deletion when the stream comes back', async () => {
    const stream = newStream();
    await client.appendToStream(stream, counted(0));
    const subscription = client.subscribeToStream(stream);
    subscription.once('caughtUp', () => {
      void client.deleteStream(stream).then(() => client.appendToStream(stream, counted(1)));
    });
    expect((await listen(subscription, times('1', 1))).filter((word) => word !== 'caught up')).toEqual([
      'confirmed',
      '0',
      '1',
    ]);
  });
});

describe('following everything with the official client', () => {
  it('begins after a position', async () => {
    const { position } = await client.appendToStream(newStream(), countedTo(2));
    const subscription = client.subscribeToAll({ fromPosition: position as Position });
    subscription.once('caughtUp', () => void client.appendToStream(newStream(), counted(7)));
    expect(await listen(subscription, times('7', 1))).toEqual(['confirmed', 'caught up', '7']);
  });

  it.each([
    ['prefixes of stream names', (tag: string) => streamNameFilter({ prefixes: [`${tag}-a`, `${tag}-b`] })],
    ['an expression on stream names', (tag: string) => streamNameFilter({ regex: `^${tag}-[ab]-\\d+$` })],
    ['prefixes of types', (tag: string) => eventTypeFilter({ prefixes: [`type-${tag}-a`, `type-${tag}-b`] })],
    ['an expression on types', (tag: string) => eventTypeFilter({ regex: `${tag}-(a|b)` })],
  ])('selects by %s', async (_, filterOf) => {
    const tag = randomUUID().replaceAll('-', '');
    for (const [kind, n] of [
      ['a', 1],
      ['c', 2],
      ['b', 3],
      ['A', 4],
      ['a', 5],
    ] as const) {
      await client.appendToStream(`${tag}-${kind}-${n}`, counted(n, `type-${tag}-${kind}`));
    }
    const subscription = client.subscribeToAll({ filter: filterOf(tag) });
    expect(await listen(subscription, times('5', 1))).toEqual(['confirmed', '1', '3', '5']);
  });

  it('leaves out system events with the expression that the client has for that', async () => {
    const stream = newStream();
    await client.setStreamMetadata(stream, { maxCount: 3 });
    await client.appendToStream(stream, counted(1));
    const types: (string | undefined)[] = [];
    for await (const { event } of client.subscribeToAll({ filter: excludeSystemEvents() })) {
      types.push(event?.type);
      if (event?.streamId === stream) break;
    }
    expect(types.filter((type) => type?.startsWith('$'))).toEqual([]);
  });

  it('says how far it has looked, every so many events and once when it goes live', async () => {
    const tag = newStream();
    const { position: from } = await client.appendToStream(newStream(), counted(0));
    await client.appendToStream(newStream(), countedTo(100, 'other'));
    const { position: to } = await client.appendToStream(newStream(), countedTo(1, 'other'));
    const checkpoints: bigint[] = [];
    const subscription = client.subscribeToAll({
      fromPosition: from as Position,
      filter: streamNameFilter({
        prefixes: [tag],
        maxSearchWindow: 10,
        checkpointInterval: 2,
        checkpointReached: (_, { commit, prepare }) => {
          expect(prepare).toBe(commit);
          checkpoints.push(commit);
        },
      }),
    });
    subscription.once('caughtUp', () => void client.appendToStream(newStream(), countedTo(40, 'other')));
    subscription.on('error', () => expect.unreachable());
    const start = from?.commit ?? 0n;
    await expect.poll(() => checkpoints.length, { timeout: 5_000 }).toBe(8);
    expect(checkpoints).toEqual(
      [20n, 40n, 60n, 80n, 100n, (to?.commit ?? 0n) - start, 120n, 140n].map((n) => start + n),
    );
    await subscription.unsubscribe();
  });

  it('resumes from a checkpoint without loss or repetition', async () => {
    const tag = newStream();
    await client.appendToStream(tag, counted(1));
    let checkpoint: Position | undefined;
    const filter = streamNameFilter({
      prefixes: [tag],
      checkpointReached: (_, position) => void (checkpoint = position),
    });
    await listen(client.subscribeToAll({ filter }), times('caught up', 1));
    await client.appendToStream(tag, counted(2));
    expect(
      await listen(client.subscribeToAll({ filter, fromPosition: checkpoint as Position }), times('2', 1)),
    ).toEqual(['confirmed', '2']);
  });

  it.each(['(a+)+$', 'a{500}', '(?=a)a', '(a)\\1', '('])(
    'matches in bounded time or refuses, and lives on: %s',
    async (regex) => {
      const stream = 'a'.repeat(900) + randomUUID();
      await client.appendToStream(stream, counted(1));
      const subscription = client.subscribeToAll({ fromPosition: END, filter: streamNameFilter({ regex }) });
      const said = await Promise.race([listen(subscription, times('caught up', 1)), failure(once(subscription))]).catch(
        (error: unknown) => error,
      );
      expect(String(said)).toMatch(/^confirmed,caught up$|the regular expression is not served/);
      expect(await client.appendToStream(newStream(), counted(1))).toMatchObject({ success: true });
    },
  );

  it('keeps a slow reader waiting and nobody else', async () => {
    const stream = newStream();
    for (let n = 0; n < 8; n += 1) await client.appendToStream(stream, countedTo(500));
    const slow = client.subscribeToStream(stream);
    const reading = slow[Symbol.asyncIterator]();
    await reading.next();
    const since = performance.now();
    expect(numbersOf(await collect(client.readStream(stream)))).toHaveLength(4_000);
    expect(performance.now() - since).toBeLessThan(5_000);
    expect((await stage.store.metrics()).bytesInHand).toBeLessThan(1_000_000);
    await slow.unsubscribe();
  });

  it('refuses the 101st subscription of one client, and takes it again when one has ended', async () => {
    const mine = EventStoreDBClient.connectionString(stage.connectionString);
    const confirmed = (subscription: AllStreamSubscription) =>
      new Promise((resolve, reject) => subscription.once('confirmation', () => resolve(0)).once('error', reject));
    const open = Array.from({ length: 100 }, () => mine.subscribeToAll({ fromPosition: END }));
    await Promise.all(open.map(confirmed));
    await expect(confirmed(mine.subscribeToAll())).rejects.toThrow('too many subscriptions');
    await open[0]?.unsubscribe();
    await expect
      .poll(() => confirmed(mine.subscribeToAll({ fromPosition: END })).then(() => 'open', String), { timeout: 5_000 })
      .toBe('open');
    await mine.dispose();
  });
});

function once(subscription: AllStreamSubscription): Promise<never> {
  return new Promise((_, reject) => subscription.once('error', reject));
}
