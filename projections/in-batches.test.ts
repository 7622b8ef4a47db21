import { describe, expect, it } from 'vitest';
import { inBatches } from './in-batches.ts';

const limits = { now: () => ({ most: 3, lingerMs: 20 }), idleMs: 40 };
async function* yields<T>(items: readonly T[], failure?: Error): AsyncGenerator<T> {
  yield* items;
  if (failure) throw failure;
}
const all = async <T>(batches: AsyncIterable<readonly T[]>): Promise<(readonly T[])[]> => {
  const seen = [];
  for await (const batch of batches) seen.push(batch);
  return seen;
};

describe('gathering into batches', () => {
  it('takes what is there, never more than the maximum, and everything in order', async () => {
    expect(await all(inBatches(yields([1, 2, 3, 4, 5, 6, 7]), limits))).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  });

  it('waits only a short while for a batch to fill', async () => {
    const second = Promise.withResolvers<void>();
    async function* slow() {
      yield 1;
      await second.promise;
      yield 2;
    }
    const batches = inBatches(slow(), limits);
    expect(await batches.next()).toEqual({ done: false, value: [1] });
    second.resolve();
    expect(await batches.next()).toEqual({ done: false, value: [2] });
  });

  it('yields nothing once in a while when nothing comes', async () => {
    const end = Promise.withResolvers<void>();
    async function* silent() {
      yield 1;
      await end.promise;
      yield 2;
    }
    const batches = inBatches(silent(), { ...limits, now: () => ({ most: 1, lingerMs: 20 }) });
    expect(await batches.next()).toEqual({ done: false, value: [1] });
    expect(await batches.next()).toEqual({ done: false, value: [] });
    end.resolve();
    expect((await all(batches)).flat()).toEqual([2]);
  });

  it('yields what came before an error, then throws it', async () => {
    const batches = inBatches(yields([1, 2], new Error('gone')), limits);
    expect(await batches.next()).toEqual({ done: false, value: [1, 2] });
    await expect(batches.next()).rejects.toThrow('gone');
  });

  it('closes the source when its reader leaves', async () => {
    let closed = false;
    async function* source() {
      try {
        yield* [1, 2, 3, 4];
      } finally {
        closed = true;
      }
    }
    for await (const batch of inBatches(source(), limits)) if (batch.length > 0) break;
    await expect.poll(() => closed).toBe(true);
  });
});
