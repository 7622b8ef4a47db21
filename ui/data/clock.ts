/**
 * The time of the server, ticking once a second for whatever is drawn from it. The offset comes from the Date header of answers
 * (RFC 9110, 6.6.1): a countdown must not depend on the clock of a laptop.
 */
import { createSignal, type Accessor } from 'solid-js';

export type Clock = {
  /** Server time in milliseconds, reactive, one second fine. */
  readonly now: Accessor<number>;
  /** Takes the Date header of an answer; a header that is none is ignored. */
  readonly learn: (dateHeader: string | null) => void;
  /** The server's time at a moment that the browser's own clock named. */
  readonly atLocal: (localMs: number) => number;
  readonly stop: () => void;
};

/** The header has whole seconds and travels a while: below this nothing is wrong with the local clock. */
const toleratedMs = 2_000;

export function createClock(localNow: () => number): Clock {
  let offsetMs = 0;
  const [now, setNow] = createSignal(localNow());
  const tick = (): void => void setNow(localNow() + offsetMs);
  const timer = setInterval(tick, 1_000);
  return {
    now,
    learn(dateHeader) {
      const server = dateHeader === null ? Number.NaN : Date.parse(dateHeader);
      if (Number.isNaN(server)) return;
      const measured = server + 500 - localNow();
      const next = Math.abs(measured) < toleratedMs ? 0 : measured;
      if (Math.abs(next - offsetMs) < toleratedMs) return;
      offsetMs = next;
      tick();
    },
    atLocal: (localMs) => localMs + offsetMs,
    stop: () => clearInterval(timer),
  };
}
