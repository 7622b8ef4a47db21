import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseConfiguredDuration, parseDuration } from './duration.ts';
import { Refusal } from './errors.ts';

const rule = { field: 'ttl', maxSeconds: 30 * 86_400 };
const refusalOf = (work: () => unknown): Refusal => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
  }
  throw new Error('nothing was refused');
};

describe('a duration', () => {
  it.each([
    ['45s', 45],
    ['30m', 1_800],
    ['8h', 28_800],
    ['2d', 172_800],
    ['1d2h3m4s', 93_784],
    ['1D2H', 93_600],
    ['90m', 5_400],
    ['PT8H', 28_800],
    ['pt8h', 28_800],
    ['P1D', 86_400],
    ['P1DT2H3M4S', 93_784],
    ['PT90M', 5_400],
  ])('%s is %i seconds', (text, seconds) => {
    expect(parseDuration(text, rule)).toBe(seconds);
  });

  it.each([
    ['nothing', ''],
    ['a blank', ' '],
    ['blanks around it', ' 8h '],
    ['blanks inside', '1d 2h'],
    ['no unit', '8'],
    ['an unknown unit', '8y'],
    ['weeks', '2w'],
    ['ISO weeks', 'P2W'],
    ['ISO months', 'P1M'],
    ['ISO years', 'P1Y'],
    ['a fraction', '1.5h'],
    ['an ISO fraction', 'PT1.5H'],
    ['a sign', '-8h'],
    ['a plus', '+8h'],
    ['a unit twice', '1h1h'],
    ['units out of order', '30m8h'],
    ['ISO without a unit', 'P'],
    ['ISO with an empty time', 'PT'],
    ['ISO with a day and an empty time', 'P1DT'],
    ['ISO with a time unit before T', 'P8H'],
    ['zero', '0s'],
    ['zero in several units', '0h0m'],
    ['ISO zero', 'PT0S'],
    ['milliseconds', '500ms'],
    ['words', '8 hours'],
    ['an exponent', '1e3s'],
    ['digits of another script', '٨h'],
    ['a clock, which only configuration takes', '08:00:00'],
    ['something endless', `${'9'.repeat(400)}h`],
  ])('is refused with %s', (_, text) => {
    const refusal = refusalOf(() => parseDuration(text, rule));
    expect(refusal.code).toBe('INVALID_DURATION');
    expect(refusal.field).toBe('ttl');
    expect(refusal.message.length).toBeLessThan(200);
  });

  it('is refused beyond the maximum, which the refusal names', () => {
    const refusal = refusalOf(() => parseDuration('25h', { field: 'duration', maxSeconds: 86_400 }));
    expect(refusal).toMatchObject({ code: 'INVALID_DURATION', field: 'duration', metadata: { maximum: '1d' } });
    expect(parseDuration('24h', { field: 'duration', maxSeconds: 86_400 })).toBe(86_400);
  });

  it('may be a clock in configuration', () => {
    expect(parseConfiguredDuration('08:00:00', rule)).toBe(28_800);
    expect(parseConfiguredDuration('8h', rule)).toBe(28_800);
    expect(refusalOf(() => parseConfiguredDuration('08:60:00', rule)).code).toBe('INVALID_DURATION');
    expect(refusalOf(() => parseConfiguredDuration('00:00:00', rule)).code).toBe('INVALID_DURATION');
  });

  const parts = fc
    .record({ days: fc.nat(20), hours: fc.nat(23), minutes: fc.nat(59), seconds: fc.nat(59) })
    .filter(({ days, hours, minutes, seconds }) => days + hours + minutes + seconds > 0);

  it('is the same in short and in ISO form', () => {
    fc.assert(
      fc.property(parts, ({ days, hours, minutes, seconds }) => {
        const total = days * 86_400 + hours * 3_600 + minutes * 60 + seconds;
        expect(parseDuration(`${days}d${hours}h${minutes}m${seconds}s`, rule)).toBe(total);
        expect(parseDuration(`P${days}DT${hours}H${minutes}M${seconds}S`, rule)).toBe(total);
      }),
    );
  });

  it('is read back from what is shown', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: rule.maxSeconds }), (seconds) => {
        expect(parseDuration(formatDuration(seconds), rule)).toBe(seconds);
      }),
    );
  });

  it('is never longer than the maximum, whatever is typed', () => {
    const typed = fc.oneof(fc.string(), fc.stringMatching(/^[0-9dhmsptDHMSPT:.+\- ]{0,12}$/));
    fc.assert(
      fc.property(typed, fc.integer({ min: 1, max: 100_000 }), (text, maxSeconds) => {
        try {
          const seconds = parseDuration(text, { field: 'ttl', maxSeconds });
          expect(Number.isInteger(seconds) && seconds > 0 && seconds <= maxSeconds).toBe(true);
        } catch (error) {
          expect((error as Refusal).code).toBe('INVALID_DURATION');
        }
      }),
    );
  });

  it('shows zero and fractions as whole seconds', () => {
    expect([0, -5, 59.9, 3_600].map(formatDuration)).toEqual(['0s', '0s', '59s', '1h']);
  });
});
