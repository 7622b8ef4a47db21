import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant, relative, span, tickMs, timeOfDay } from './time.ts';

const now = Date.parse('2026-11-20T14:05:12Z');

describe('a span', () => {
  it.each([
    [-5_000, '0s'],
    [48_000, '48s'],
    [119_999, '119s'],
    [4 * 60_000, '4m'],
    [3_600_000, '1h'],
    [2 * 3_600_000 + 5 * 60_000, '2h 5m'],
    [3 * 86_400_000 + 4 * 3_600_000, '3d 4h'],
  ])('of %i ms is %s', (ms, shown) => {
    expect(span(ms)).toBe(shown);
  });
});

describe('an instant', () => {
  it('is told from now in either direction', () => {
    expect(relative(now - 240_000, now)).toBe('4m ago');
    expect(relative(now + 41 * 60_000, now)).toBe('in 41m');
    expect(relative(now + 1_000, now)).toBe('now');
  });

  it('is written in UTC so that two people read the same', () => {
    expect(instant(now)).toBe('2026-11-20 14:05:12Z');
    expect(timeOfDay(now)).toBe('14:05:12Z');
  });

  it('names the same moment in the local zone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
        expect(Date.parse(instant(seconds * 1_000, 'local').replace(' ', 'T'))).toBe(seconds * 1_000);
      }),
    );
  });

  it('says so when it is none', () => {
    expect(instant(Number.NaN)).toBe('unknown');
  });

  it('needs the clock more often the nearer it is', () => {
    expect(tickMs(now + 30_000, now)).toBe(1_000);
    expect(tickMs(now + 3_600_000, now)).toBe(15_000);
    expect(tickMs(now + 86_400_000, now)).toBe(60_000);
  });
});
