import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLoginThrottle } from './login-throttle.ts';

function throttleAt(startMs: number) {
  const clock = { ms: startMs };
  const throttle = createLoginThrottle({ attempts: 3, windowMs: 60_000, maxKeys: 2, now: () => new Date(clock.ms) });
  return { clock, throttle };
}

describe('throttling sign-ins', () => {
  it('lets three attempts through, then tells how long to wait', () => {
    const { clock, throttle } = throttleAt(0);
    expect([throttle.take('dev'), throttle.take('dev'), throttle.take('dev')]).toEqual([0, 0, 0]);
    clock.ms = 15_000;
    expect(throttle.take('dev')).toBe(45);
    clock.ms = 60_000;
    expect(throttle.take('dev')).toBe(0);
  });

  it('counts each name for itself and forgets on a right password', () => {
    const { throttle } = throttleAt(0);
    for (const _attempt of [1, 2, 3]) throttle.take('dev');
    expect(throttle.take('admin')).toBe(0);
    throttle.clear('dev');
    expect(throttle.take('dev')).toBe(0);
  });

  it('holds no more names than it may, and lets new ones in once old windows are over', () => {
    const { clock, throttle } = throttleAt(0);
    throttle.take('a');
    throttle.take('b');
    expect(throttle.take('c')).toBe(60);
    clock.ms = 60_000;
    expect(throttle.take('c')).toBe(0);
  });

  it('never lets more attempts through in a window than allowed, whenever they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 60 }), (pausesMs) => {
        const { clock, throttle } = throttleAt(1_000);
        const passedAtMs: number[] = [];
        for (const pauseMs of pausesMs) {
          clock.ms += pauseMs;
          if (throttle.take('dev') === 0) passedAtMs.push(clock.ms);
        }
        // Windows follow each other, so any stretch of one window's length touches two of them at most.
        for (const atMs of passedAtMs) {
          expect(passedAtMs.filter((other) => other >= atMs && other < atMs + 60_000).length).toBeLessThanOrEqual(6);
        }
      }),
    );
  });
});
