/**
 * What became of the days of one cluster's proxied requests: which are closed with a digest and which are deleted (D26). Folded
 * from the cluster's own stream of days; it knows no log and no clock.
 *
 * Rule: days are closed in their order, so what is not closed lies behind the newest that is.
 */
import type { Recorded, Revision } from '@clustral/schemas/events/envelope.ts';
import { endOfDay, utcDay, type DayFact } from '@clustral/schemas/events/proxy.ts';

const dayMs = 86_400_000;
/** Every request that began on a day has ended by then: its credential lives a day at most. */
const closedAfterMs = 2 * dayMs;

export type ClosedDay = Extract<DayFact, { type: 'proxy.day_closed' }>['data'];

export type DayBook = {
  readonly closed: ReadonlyMap<string, ClosedDay>;
  readonly deleted: ReadonlySet<string>;
  /** Of the stream of days, as the next append must expect it. */
  readonly revision: Revision;
};

/** The book as its facts tell it. A day that was closed twice, by two that wrote at a time, is as it was closed first. */
export function dayBookOf(facts: readonly Recorded<DayFact>[]): DayBook {
  const closed = new Map<string, ClosedDay>();
  const deleted = new Set<string>();
  for (const { type, data } of facts) {
    if (type === 'proxy.day_deleted') deleted.add(data.day);
    else if (!closed.has(data.day)) closed.set(data.day, data);
  }
  return { closed, deleted, revision: facts.at(-1)?.revision ?? 'none' };
}

/** Days that can be closed at `now`, oldest first: from the one behind `after`, or from `since` on when there is none. */
export function closableDays(after: string | undefined, since: Date, now: Date): readonly string[] {
  const first = after === undefined ? since.getTime() : endOfDay(after);
  const days: string[] = [];
  for (let at = first; ; at += dayMs) {
    const day = utcDay(new Date(at));
    if (endOfDay(day) + closedAfterMs > now.getTime()) return days;
    days.push(day);
  }
}

/** The newest day that is closed. */
export const newestClosed = ({ closed }: DayBook): string | undefined => [...closed.keys()].toSorted().at(-1);

/** Closed days from before the horizon (milliseconds, a UTC day's beginning) whose records are not deleted, oldest first. */
export function deletableDays({ closed, deleted }: DayBook, horizon: number): readonly ClosedDay[] {
  return [...closed.values()]
    .filter(({ day }) => endOfDay(day) <= horizon && !deleted.has(day))
    .toSorted((one, other) => (one.day < other.day ? -1 : 1));
}
