/** The calls and streams that run under each session, so that they end with it. Their number per session is bounded. */
import { Refusal } from '@clustral/schemas/errors.ts';

/** A browser opens six connections to a host; a person may have several browsers' worth of tabs, not hundreds. */
const mostCalls = 64;

export type RunningCalls = {
  /** Runs a call under a session. Throws `RATE_LIMITED` when too many run already. */
  run<T>(key: string, call: (ended: AbortSignal) => Promise<T>): Promise<T>;
  /** Aborts all calls of a session for the given reason. */
  stop(key: string, reason: Refusal): void;
};

export function createRunningCalls(): RunningCalls {
  const all = new Map<string, Set<AbortController>>();
  return {
    async run(key, call) {
      const running = all.get(key) ?? new Set<AbortController>();
      if (running.size >= mostCalls)
        throw new Refusal('RATE_LIMITED', `More than ${mostCalls} calls of your session run at once.`, {
          retryAfterSeconds: '1',
        });
      const controller = new AbortController();
      all.set(key, running.add(controller));
      try {
        return await call(controller.signal);
      } finally {
        running.delete(controller);
        if (running.size === 0) all.delete(key);
      }
    },
    stop(key, reason) {
      for (const call of all.get(key) ?? []) call.abort(reason);
    },
  };
}
