import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certificateProblem, nextLook, renewalDue, type RenewalRules } from './renewal.ts';

const hour = 3_600_000;
const day = 24 * hour;
const rules: RenewalRules = {
  certificateRenewThresholdMs: 30 * day,
  tokenRenewThresholdMs: 7 * day,
  renewalCheckIntervalMs: 6 * hour,
};
const now = Date.parse('2026-05-01T12:00:00Z');
const dates = (certificateDays: number, tokenDays: number) => ({
  certificateFrom: now - day,
  certificateUntil: now + certificateDays * day,
  tokenUntil: now + tokenDays * day,
});

describe('what is to be renewed', () => {
  it.each([
    [395, 30, 'nothing'],
    [31, 8, 'nothing'],
    [30, 30, 'certificate'],
    [1, 1, 'certificate'],
    [-1, 1, 'certificate'],
    [395, 7, 'token'],
    [395, -1, 'token'],
  ] as const)('with a certificate for %i days and a token for %i is %s', (certificate, token, due) => {
    expect(renewalDue(dates(certificate, token), now, rules)).toBe(due);
  });
});

describe('the next look', () => {
  it('comes after the interval when all is well, and after minutes when not', () => {
    expect(nextLook(0, rules, () => 0.5)).toBe(6 * hour);
    expect(nextLook(1, rules, () => 0)).toBe(60_000);
    expect(nextLook(1, rules, () => 1)).toBe(120_000);
    expect(nextLook(99, rules, () => 1)).toBe(6 * hour);
  });

  it('never comes within the minute after a failure, however short the interval is (F-26)', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 30 * day }), (failures, renewalCheckIntervalMs) => {
        const wait = nextLook(failures + 1, { ...rules, renewalCheckIntervalMs }, () => 0);
        expect(wait).toBeGreaterThanOrEqual(60_000);
      }),
    );
  });
});

describe('a certificate that cannot be used', () => {
  it('is named with its date and the clock’s', () => {
    expect(certificateProblem(dates(1, 1), now)).toBeUndefined();
    expect(certificateProblem(dates(-2, 1), now)).toMatch(
      /expired at 2026-04-29T12.* the clock here says 2026-05-01T12/,
    );
    expect(certificateProblem(dates(1, 1), now - 2 * day)).toMatch(/good from 2026-04-30T12.* says 2026-04-29T12/);
  });
});
