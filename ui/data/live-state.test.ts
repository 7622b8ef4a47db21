import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';
import { nextLiveState, silenceLimitMs, type LiveSignal, type LiveState } from './live-state.ts';

const heard = (at: number): LiveSignal => ({ type: 'heard', at, mode: 'watch' });
const after = (...signals: LiveSignal[]): LiveState =>
  signals.reduce(nextLiveState, { status: 'connecting' } as LiveState);

describe('what is shown', () => {
  it('is current once the server was heard', () => {
    expect(after(heard(5))).toEqual({ status: 'current', mode: 'watch', heardAt: 5 });
  });

  it('stays current through one failure and is lost after 45 s of silence, as of the last word', () => {
    const failed: LiveSignal = { type: 'failed', at: 10, retryAt: 900 };
    expect(after(heard(5), failed).status).toBe('current');
    expect(after(heard(5), failed, { type: 'tick', at: 5 + silenceLimitMs }).status).toBe('current');
    expect(after(heard(5), failed, { type: 'tick', at: 6 + silenceLimitMs })).toMatchObject({
      status: 'lost',
      asOf: 5,
    });
  });

  it('tells the next attempt while it is lost, and is current again with the next word', () => {
    const lost = [heard(5), { type: 'tick', at: 90_000 }] as const;
    expect(after(...lost, { type: 'failed', at: 91_000, retryAt: 95_000 })).toMatchObject({
      retryAt: 95_000,
      since: 5,
    });
    expect(after(...lost, heard(96_000)).status).toBe('current');
  });

  it('is lost at once when there never was a word', () => {
    expect(after({ type: 'failed', at: 3, retryAt: 9 })).toEqual({
      status: 'lost',
      since: 3,
      asOf: undefined,
      retryAt: 9,
    });
  });

  it('rests while nobody looks and begins again afterwards', () => {
    expect(after(heard(5), { type: 'paused' })).toEqual({ status: 'paused', asOf: 5 });
    expect(after(heard(5), { type: 'paused' }, { type: 'resumed' }).status).toBe('connecting');
  });
});

describe('the wait before another attempt', () => {
  it('is anywhere below a ceiling that doubles up to 30 s', () => {
    expect(backoffMs(0, 0.999)).toBeLessThanOrEqual(1_000);
    expect(backoffMs(3, 0.999)).toBeLessThanOrEqual(8_000);
    fc.assert(
      fc.property(fc.nat(2_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
        expect(backoffMs(attempt, random)).toBeGreaterThanOrEqual(200);
        expect(backoffMs(attempt, random)).toBeLessThanOrEqual(30_000);
      }),
    );
  });
});
