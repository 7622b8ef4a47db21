import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { endOfDay, utcDay, type DayFact } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { closableDays, dayBookOf, deletableDays, newestClosed } from './day-book.ts';

const clusterId = 'c' as ClusterId;
const closed = (day: string, count = 1): DayFact => ({
  type: 'proxy.day_closed',
  data: { clusterId, day, count, firstPosition: '1', lastPosition: '2', sha256: 's' },
});
const deleted = (day: string): DayFact => ({
  type: 'proxy.day_deleted',
  data: { clusterId, day, count: 1, sha256: 's', keepSeconds: 1 },
});
const bookOf = (...facts: readonly DayFact[]) =>
  dayBookOf(facts.map((fact, revision) => ({ ...fact, revision }) as Recorded<DayFact>));
const at = (iso: string): Date => new Date(iso);

describe('the book of days', () => {
  it('is empty of a cluster that nobody used', () => {
    expect(dayBookOf([])).toEqual({ closed: new Map(), deleted: new Set(), revision: 'none' });
    expect(newestClosed(dayBookOf([]))).toBeUndefined();
  });

  it('knows what is closed, what is deleted, and where its stream is', () => {
    const book = bookOf(closed('20261101'), closed('20261103'), deleted('20261101'));
    expect([...book.closed.keys()]).toEqual(['20261101', '20261103']);
    expect(book.deleted).toEqual(new Set(['20261101']));
    expect([book.revision, newestClosed(book)]).toEqual([2, '20261103']);
  });

  it('holds to what a day was first closed with', () => {
    expect(bookOf(closed('20261101', 5), closed('20261101', 6)).closed.get('20261101')?.count).toBe(5);
  });
});

describe('a day', () => {
  it.each([
    ['2026-11-26T23:59:59Z', []],
    ['2026-11-27T00:00:00Z', ['20261124']],
    ['2026-11-29T12:00:00Z', ['20261124', '20261125', '20261126']],
  ])('can be closed 48 hours after its end: at %s', (now, days) => {
    expect(closableDays(undefined, at('2026-11-24T17:00:00Z'), at(now))).toEqual(days);
  });

  it('is looked at once: what comes is behind the one that was closed last', () => {
    expect(closableDays('20261231', at('2020-01-01T00:00:00Z'), at('2027-01-05T00:00:00Z'))).toEqual([
      '20270101',
      '20270102',
    ]);
  });

  it('is never left out, whenever it is asked', () => {
    const instants = fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2029, 0, 1) });
    fc.assert(
      fc.property(fc.uniqueArray(instants, { minLength: 2, maxLength: 6 }), (unsorted) => {
        const [since, ...asked] = unsorted.toSorted((one, other) => one - other);
        const inSteps: string[] = [];
        for (const now of asked) inSteps.push(...closableDays(inSteps.at(-1), new Date(since ?? 0), new Date(now)));
        const atOnce = closableDays(undefined, new Date(since ?? 0), new Date(asked.at(-1) ?? 0));
        expect(inSteps).toEqual(atOnce);
        expect(new Set(atOnce).size).toBe(atOnce.length);
      }),
      { numRuns: 50 },
    );
  });

  it('ends where the next begins, over months, years and leap days', () => {
    for (const day of ['20261130', '20261231', '20280228', '20280229']) {
      expect(utcDay(new Date(endOfDay(day) - 1))).toBe(day);
      expect(utcDay(new Date(endOfDay(day)))).not.toBe(day);
    }
  });

  it('is deleted when it ended before the horizon, was closed, and is not deleted', () => {
    const book = bookOf(closed('20260901'), closed('20260902'), closed('20260903'), deleted('20260901'));
    expect(deletableDays(book, Date.UTC(2026, 8, 3)).map(({ day }) => day)).toEqual(['20260902']);
    expect(deletableDays(book, Date.UTC(2026, 8, 3) - 1)).toEqual([]);
  });
});
