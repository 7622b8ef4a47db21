/**
 * Slows the guessing of passwords: so many attempts per name and window, then a wait that is told in seconds. It locks
 * nobody out for good, and it does not look at addresses: behind the gateway every request comes from loopback.
 *
 * Invariant: an attempt is counted before its password is looked at, so attempts in parallel gain nothing.
 */
export type LoginThrottle = {
  /** Takes one attempt. 0 = go on; otherwise the seconds to wait, and nothing was counted. */
  take(key: string): number;
  /** The password was right: earlier attempts are forgotten. */
  clear(key: string): void;
};

export type LoginThrottleOptions = {
  readonly attempts: number;
  readonly windowMs: number;
  /** At most this many keys are held; a further one waits a whole window. */
  readonly maxKeys: number;
  readonly now: () => Date;
};

export function createLoginThrottle(options: LoginThrottleOptions): LoginThrottle {
  const windows = new Map<string, { endsAtMs: number; used: number }>();
  const wholeWindowSeconds = Math.ceil(options.windowMs / 1000);
  return {
    take(key) {
      const nowMs = options.now().getTime();
      const open = windows.get(key);
      if (open !== undefined && open.endsAtMs > nowMs) {
        if (open.used >= options.attempts) return Math.ceil((open.endsAtMs - nowMs) / 1000);
        open.used += 1;
        return 0;
      }
      if (open === undefined && windows.size >= options.maxKeys) {
        for (const [name, window] of windows) if (window.endsAtMs <= nowMs) windows.delete(name);
        if (windows.size >= options.maxKeys) return wholeWindowSeconds;
      }
      windows.set(key, { endsAtMs: nowMs + options.windowMs, used: 1 });
      return 0;
    },
    clear(key) {
      windows.delete(key);
    },
  };
}
