/** Waits between attempts: full jitter between nothing and a ceiling that doubles, so that browsers do not come back in step. */

const firstMs = 1_000;
const longestMs = 30_000;

/** The wait before attempt `attempt` (0 is the first repetition). `random` is in [0, 1). At least 200 ms, at most 30 s. */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 10));
  return Math.max(200, Math.round(ceiling * random));
}
