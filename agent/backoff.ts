/**
 * How long to wait before trying again. Full jitter: a thousand agents that lost the same control plane come back spread over
 * the whole window, never in step (F-34).
 */

/** Milliseconds: no wait is shorter than `shortest`; the window is `first` wide at first and never wider than `longest`. */
export type BackoffWindow = { readonly shortest: number; readonly first: number; readonly longest: number };

/** For everything that is tried for ever. */
export const reconnectWindow: BackoffWindow = { shortest: 200, first: 1_000, longest: 10_000 };

/** Milliseconds before try number `attempt`, 1 being the first after a failure. `random` gives numbers from 0 up to 1. */
export function backoff(attempt: number, random: () => number, window: BackoffWindow = reconnectWindow): number {
  const { shortest, first, longest } = window;
  const ceiling = Math.min(longest, first * 2 ** Math.min(attempt - 1, 30));
  return shortest + random() * (ceiling - shortest);
}

/** `interval` spread by a tenth to either side, so that those who started together do not stay together. */
export function spread(interval: number, random: () => number): number {
  return interval * (0.9 + random() * 0.2);
}

// Beyond this a timer fires at once instead of late: it counts milliseconds in 31 bits (F-26).
const longestTimerMs = 2 ** 31 - 1;

/** Resolves after `ms` milliseconds, however many, or early when `signal` aborts. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  for (let left = ms; left > 0 && !signal.aborted; left -= longestTimerMs) {
    await pauseOnce(Math.min(left, longestTimerMs), signal);
  }
}

async function pauseOnce(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', onAbort);
}
