/**
 * Rows that do not move under the pointer: while somebody is at a list, known rows change in place, those that left stay where they
 * were until they go, and new ones wait to be asked for.
 */

export type Calm = {
  /** Keys in the order in which they are shown. */
  readonly shown: readonly string[];
  /** How many new ones wait. */
  readonly waiting: number;
};

/** The order to show. `shown` is what is on screen now; with nobody at the list the new order applies as it is. */
export function calmOrder(shown: readonly string[], latest: readonly string[], isBusy: boolean): Calm {
  if (!isBusy || shown.length === 0) return { shown: latest, waiting: 0 };
  const there = new Set(latest);
  const kept = shown.filter((key) => there.has(key));
  const known = new Set(kept);
  return { shown: kept, waiting: latest.filter((key) => !known.has(key)).length };
}
