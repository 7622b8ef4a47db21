import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DayDigest } from './day-digest.ts';

const record = (n: number, data: object = { n }) => ({ id: `id-${n}`, position: BigInt(10 * n), data });
const digestOf = (records: readonly ReturnType<typeof record>[]) => {
  const digest = new DayDigest();
  for (const one of records) digest.add(one);
  return digest.summary;
};

describe('the digest of a day', () => {
  it('says how many records there are, from where to where', () => {
    expect(digestOf([record(1), record(2), record(5)])).toEqual({
      count: 3,
      firstPosition: '10',
      lastPosition: '50',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('is the same however often it is asked for on the way', () => {
    const digest = new DayDigest();
    digest.add(record(1));
    expect(digest.summary).toEqual(digestOf([record(1)]));
    digest.add(record(2));
    expect(digest.summary).toEqual(digestOf([record(1), record(2)]));
  });

  it('differs when a record is changed, left out, added, or in another place', () => {
    const days = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(days, fc.nat(), (numbers, at) => {
        const whole = numbers.map((n) => record(n));
        const index = at % whole.length;
        const { sha256 } = digestOf(whole);
        const changed = whole.with(index, record(numbers[index] ?? 0, { other: true }));
        const swapped = [...whole.slice(1), ...whole.slice(0, 1)];
        for (const other of [changed, [...whole, record(1_001)], whole.slice(1), swapped]) {
          expect(digestOf(other).sha256).not.toBe(sha256);
        }
      }),
    );
  });

  it('of no record is none', () => {
    expect(() => new DayDigest().summary).toThrow(/without records/);
  });
});
