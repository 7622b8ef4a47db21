import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { backoff, pause, spread } from './backoff.ts';

describe('waiting before the next try', () => {
  it('takes from 0.2 s up to a window that grows to 10 s', () => {
    const longest = [1, 2, 3, 4, 5, 6, 50].map((attempt) => Math.round(backoff(attempt, () => 0.999_999)));
    expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    for (const attempt of [1, 2, 50]) expect(backoff(attempt, () => 0)).toBe(200);
  });

  it('uses the whole window, so that a thousand do not come back together', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), random, (attempt, number) => {
        const wait = backoff(attempt, () => number);
        expect(wait).toBeGreaterThanOrEqual(200);
        expect(wait).toBeLessThanOrEqual(10_000);
      }),
    );
    const waits = Array.from({ length: 1_000 }, () => backoff(6, Math.random));
    const perSecond = Array.from({ length: 10 }, (_, at) => waits.filter((ms) => Math.floor(ms / 1_000) === at).length);
    expect(Math.max(...perSecond)).toBeLessThan(180);
  });

  it('spreads a regular interval by a tenth', () => {
    expect([0, 0.5, 1].map((number) => spread(1_000, () => number))).toEqual([900, 1_000, 1_100]);
  });

  it('is not over at once when it is longer than a timer can be (F-26)', async () => {
    vi.useFakeTimers();
    try {
      let isOver = false;
      const waiting = pause(30 * 86_400_000, new AbortController().signal).then(() => (isOver = true));
      await vi.advanceTimersByTimeAsync(29 * 86_400_000);
      expect(isOver).toBe(false);
      await vi.advanceTimersByTimeAsync(86_400_000);
      await waiting;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends early when nobody waits any more', async () => {
    const abort = new AbortController();
    const waiting = pause(1e12, abort.signal);
    abort.abort();
    await waiting;
    await pause(1e12, abort.signal);
  });
});
