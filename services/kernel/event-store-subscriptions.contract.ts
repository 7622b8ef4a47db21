/** What following the log promises, and reading it backwards: everything of the prefixes, in order, nothing else. */
import { describe, expect, it } from 'vitest';
import {
  counted,
  countedTo,
  factsOf,
  newCategory,
  newStream,
  numbersOf,
  take,
  unlimited,
  untilCaughtUp,
  untilFacts,
} from './event-store-contract-facts.ts';
import type { EventStore, LogMessage } from './event-store-port.ts';

export function describeSubscriptions(store: () => EventStore): void {
  const subscribe = (prefix: string, after?: bigint) =>
    store().subscribe({ prefixes: [prefix], signal: unlimited, ...(after !== undefined && { after }) });

  describe('a subscription', () => {
    it('delivers the facts of all its streams in the order of the log, then says that it caught up', async () => {
      const category = newCategory();
      const streams = [1, 2, 3].map(() => newStream(category));
      for (const revision of ['none', 0, 1, 2] as const) {
        for (const stream of streams) await store().append(stream, revision, [counted(1), counted(2)].slice(0, 1));
      }
      const seen = await take(subscribe(category), untilCaughtUp);
      expect(seen.filter(({ kind }) => kind === 'caughtUp')).toHaveLength(1);
      const facts = factsOf(seen);
      expect(facts.map(({ stream }) => stream)).toEqual([...streams, ...streams, ...streams, ...streams]);
      const positions = facts.map(({ position }) => position);
      expect(positions).toEqual(positions.toSorted((one, other) => Number(one - other)));
    });

    it('delivers no stream but those that begin with one of its prefixes, character by character', async () => {
      const category = newCategory();
      const named = [
        `${category}a-1`,
        `${category}b-1`,
        `${category}_-1`,
        `${category}%-1`,
        `${category.toUpperCase()}a-1`,
      ];
      for (const stream of named) await store().append(stream, 'none', [counted(1)]);
      const prefixes = [`${category}a-`, `${category}_-`];
      const seen = await take(store().subscribe({ prefixes, signal: unlimited }), untilCaughtUp);
      expect(factsOf(seen).map(({ stream }) => stream)).toEqual([named[0], named[2]]);
    });

    it('resumes after a position without loss or repetition', async () => {
      const category = newCategory();
      const stream = newStream(category);
      await store().append(stream, 'none', countedTo(10));
      const first = factsOf(await take(subscribe(category), untilFacts(4)));
      const rest = await take(subscribe(category, first.at(-1)?.position), untilCaughtUp);
      expect(numbersOf([...first, ...factsOf(rest)])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it('goes on with what is appended after it caught up', async () => {
      const category = newCategory();
      const stream = newStream(category);
      const seen: LogMessage[] = [];
      for await (const message of subscribe(category)) {
        seen.push(message);
        if (message.kind === 'caughtUp') await store().append(stream, 'none', countedTo(3));
        if (factsOf(seen).length === 3) break;
      }
      expect(numbersOf(factsOf(seen))).toEqual([0, 1, 2]);
    });

    it('moves its checkpoint over what it does not deliver', async () => {
      const head = await store().append(newStream(), 'none', countedTo(3_000));
      const seen = await take(subscribe(newCategory()), untilCaughtUp);
      const checkpoints = seen.flatMap((message) => (message.kind === 'checkpoint' ? [message.position] : []));
      expect(checkpoints.length).toBeGreaterThan(1);
      expect(checkpoints.at(-1)).toBeGreaterThanOrEqual(head.position);
      expect(checkpoints).toEqual(checkpoints.toSorted((one, other) => Number(one - other)));
    });

    it('waits for a slow reader and gives it everything in order', async () => {
      const category = newCategory();
      const stream = newStream(category);
      await store().append(stream, 'none', countedTo(500));
      const read: number[] = [];
      let busy = 0;
      for await (const message of subscribe(category)) {
        if (message.kind === 'caughtUp') break;
        busy += 1;
        expect(busy).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        busy -= 1;
        if (message.kind === 'fact') read.push(...numbersOf([message.fact]));
      }
      expect(read).toEqual(Array.from({ length: 500 }, (_, n) => n));
    });

    it('ends when its signal aborts, while it waits and while it is read', async () => {
      const category = newCategory();
      const waiting = new AbortController();
      for await (const message of store().subscribe({ prefixes: [category], signal: waiting.signal })) {
        if (message.kind === 'caughtUp') setImmediate(() => waiting.abort());
      }
      await store().append(newStream(category), 'none', countedTo(100));
      const reading = new AbortController();
      const seen: LogMessage[] = [];
      for await (const message of store().subscribe({ prefixes: [category], signal: reading.signal })) {
        seen.push(message);
        reading.abort();
      }
      expect(seen.length).toBeLessThan(100);
    });
  });

  describe('reading backwards', () => {
    it('gives the newest facts of some prefixes first, at most so many', async () => {
      const [one, other] = [newCategory(), newCategory()];
      await store().append(newStream(one), 'none', countedTo(3));
      await store().append(newStream(other), 'none', countedTo(300));
      await store().append(newStream(one), 'none', [counted(7)]);
      expect(numbersOf(await store().readBackwards({ prefixes: [one], limit: 3 }))).toEqual([7, 2, 1]);
      expect(numbersOf(await store().readBackwards({ prefixes: [one], limit: 50 }))).toEqual([7, 2, 1, 0]);
      expect(numbersOf(await store().readBackwards({ prefixes: [one, other], limit: 2 }))).toEqual([7, 299]);
      expect(await store().readBackwards({ prefixes: [newCategory()], limit: 2 })).toEqual([]);
    });
  });
}
