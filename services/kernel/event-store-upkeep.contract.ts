/** What ending a stream for good promises: exact, once, and nobody who follows the log stumbles over it. */
import { describe, expect, it } from 'vitest';
import {
  counted,
  countedTo,
  newCategory,
  newStream,
  numbersOf,
  take,
  factsOf,
  unlimited,
} from './event-store-contract-facts.ts';
import { RevisionConflict, StreamGone, type EventStore, type LogUpkeep } from './event-store-port.ts';

export function describeUpkeep(store: () => EventStore & LogUpkeep): void {
  describe('a stream that is ended for good', () => {
    it('is ended at exactly the expected revision, and once', async () => {
      const stream = newStream();
      await store().append(stream, 'none', countedTo(3));
      await expect(store().tombstone(stream, 1)).rejects.toThrow(RevisionConflict);
      expect(numbersOf((await store().load(stream)).facts)).toEqual([0, 1, 2]);
      await store().tombstone(stream, 2);
      await expect(store().tombstone(stream, 2)).rejects.toThrow(StreamGone);
    });

    it('takes nothing any more and shows nothing', async () => {
      const stream = newStream();
      await store().append(stream, 'none', countedTo(1));
      await store().tombstone(stream, 0);
      await expect(store().load(stream)).rejects.toThrow(StreamGone);
      await expect(store().walk(stream, () => undefined)).rejects.toThrow(StreamGone);
      await expect(store().append(stream, 0, [counted(1)])).rejects.toThrow(StreamGone);
      await expect(store().append(stream, 'none', [counted(1)])).rejects.toThrow(StreamGone);
    });

    it('is nothing but a step of the position to whoever follows the log, in both directions', async () => {
      const category = newCategory();
      const [ended, after] = [newStream(category), newStream(category)];
      await store().append(ended, 'none', countedTo(2));
      await store().tombstone(ended, 1);
      await store().append(after, 'none', [counted(9)]);
      const followed = await take(
        store().subscribe({ prefixes: [`${category}-`], signal: unlimited }),
        (seen) => factsOf(seen).at(-1)?.stream === after,
      );
      expect(factsOf(followed).every(({ type }) => type === 'test.counted')).toBe(true);
      const backwards = await store().readBackwards({ prefixes: [`${category}-`], limit: 10 });
      expect(backwards.every(({ type }) => type === 'test.counted')).toBe(true);
      expect(backwards[0]?.stream).toBe(after);
    });
  });

  describe('walking through a stream', () => {
    it('gives its facts in order, and of one that does not exist none', async () => {
      const stream = newStream();
      await store().append(stream, 'none', countedTo(1_500));
      const seen: number[] = [];
      await store().walk(stream, (fact) => seen.push(...numbersOf([fact])));
      expect(seen).toEqual(Array.from({ length: 1_500 }, (_, n) => n));
      await store().walk(newStream(), () => expect.unreachable());
    });
  });
}
