/** What the product needs from an event store that dies, freezes and comes back. Only a server of ours can show it. */
import { expect, it } from 'vitest';
import type { NewFact } from '@clustral/schemas/events/envelope.ts';
import { counted, newCategory, newStream, numbersOf } from './event-store-contract-facts.ts';
import type { EventStore } from './event-store-port.ts';

/** A server whose death the product must survive. */
export type MortalServer = {
  readonly connectionString: string;
  stop(): Promise<void>;
  /** Ends it without warning. */
  kill(): Promise<void>;
  /** Starts it on the same files; resolves when it listens. */
  start(): Promise<void>;
  /** Keeps it from running while its connections stay open, and lets it run again. */
  freeze(): Promise<void>;
  thaw(): void;
};

export function describeDeath(server: () => MortalServer, store: () => EventStore): void {
  it('refuses every call at once while it is down, and works again when it is back', async () => {
    const stream = newStream();
    await store().append(stream, 'none', [counted(1)]);
    await server().kill();
    const unavailable = { name: 'Refusal', code: 'STORE_UNAVAILABLE' };
    const since = performance.now();
    await expect(store().append(stream, 0, [counted(2)])).rejects.toMatchObject(unavailable);
    await expect(store().load(stream)).rejects.toMatchObject(unavailable);
    await expect(store().readBackwards({ prefixes: ['test'], limit: 1 })).rejects.toMatchObject(unavailable);
    await expect(store().ping(1_000)).rejects.toMatchObject(unavailable);
    expect(performance.now() - since).toBeLessThan(5_000);
    await server().start();
    await expect.poll(() => answers(store()), { timeout: 5_000 }).toBe(true);
    expect((await store().load(stream)).revision).toBe(0);
  });

  it('gives up on a server that takes a call and never answers, within the limit of the call', async () => {
    await store().ping(1_000);
    await server().freeze();
    const since = performance.now();
    await expect(store().ping(300)).rejects.toMatchObject({ name: 'Refusal', code: 'STORE_UNAVAILABLE' });
    expect(performance.now() - since).toBeLessThan(1_500);
    server().thaw();
    await expect.poll(() => answers(store()), { timeout: 5_000 }).toBe(true);
  });

  it('keeps a subscription going over deaths of the server without loss or repetition', async () => {
    const category = newCategory();
    const stream = newStream(category);
    const stop = new AbortController();
    const read: number[] = [];
    const reading = (async () => {
      for await (const message of store().subscribe({ prefixes: [category], signal: stop.signal })) {
        if (message.kind === 'fact') read.push(...numbersOf([message.fact]));
      }
    })();
    const written: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 20; n += 1) {
        await appendSurely(store(), { stream, revision: written.length - 1, fact: counted(written.length) });
        written.push(written.length);
      }
      if (round === 2) break;
      await server().kill();
      await server().start();
    }
    await expect.poll(() => read.length, { timeout: 15_000 }).toBe(written.length);
    stop.abort();
    await reading;
    expect(read).toEqual(written);
  });

  it('has every acknowledged append after it was killed in the middle of the work, again and again', async () => {
    const streams = Array.from({ length: 8 }, () => newStream());
    const acknowledged = new Map<string, string[]>(streams.map((stream) => [stream, []]));
    const acknowledgedIds = () => [...acknowledged.values()].flat();
    for (let round = 0; round < 4; round += 1) {
      let dead = false;
      const writers = streams.map(async (stream) => {
        const ids = acknowledged.get(stream) ?? [];
        let { revision } = await store().load(stream);
        while (!dead) {
          const fact = counted(ids.length);
          try {
            ({ revision } = await store().append(stream, revision, [fact]));
            ids.push(fact.id);
          } catch {
            return;
          }
        }
      });
      const before = acknowledgedIds().length;
      await expect.poll(() => acknowledgedIds().length - before, { timeout: 5_000, interval: 5 }).toBeGreaterThan(30);
      await server().kill();
      dead = true;
      await Promise.all(writers);
      await server().start();
      await expect.poll(() => answers(store()), { timeout: 5_000 }).toBe(true);
      for (const stream of streams) {
        const { facts } = await store().load(stream);
        const stored = facts.map(({ id }) => id);
        expect(acknowledged.get(stream)?.filter((id) => !stored.includes(id))).toEqual([]);
        expect(facts.map(({ revision }) => revision)).toEqual(facts.map((_, at) => at));
      }
    }
  });
}

const answers = (store: EventStore): Promise<boolean> =>
  store.ping(1_000).then(
    () => true,
    () => false,
  );

/** Appends one fact although the server may be away: same id, same revision, until it is acknowledged. */
async function appendSurely(
  store: EventStore,
  { stream, revision, fact }: { stream: string; revision: number; fact: NewFact },
): Promise<void> {
  const expected = revision === -1 ? 'none' : revision;
  await expect
    .poll(
      () =>
        store.append(stream, expected, [fact]).then(
          ({ revision: at }) => at,
          () => 'not yet',
        ),
      { timeout: 10_000 },
    )
    .toBe(revision + 1);
}
