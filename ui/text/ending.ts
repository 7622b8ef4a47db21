/** When to speak of an end: five minutes before and one minute before, not each second. */

const thresholds = [1, 5] as const;

/** The smallest threshold in minutes that `until` lies within; undefined when it is further away or over. */
export function endingSoon(until: number, now: number): 1 | 5 | undefined {
  const leftMs = until - now;
  if (leftMs <= 0) return undefined;
  return thresholds.find((minutes) => leftMs <= minutes * 60_000);
}
