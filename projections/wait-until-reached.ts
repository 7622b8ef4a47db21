/** Read-your-own-writes: a query that carries a log position waits, bounded, until the read models include it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@clustral/schemas/errors.ts';

const firstStepMs = 2;
const longestStepMs = 25;

export type Wait = {
  readonly position: bigint;
  readonly deadlineMs: number;
  readonly reached: () => Promise<bigint | undefined>;
  /** Why the projection has stopped for good, when it has. */
  readonly halted: () => Promise<string | undefined>;
};

/** Polls with growing steps. Throws `STORE_UNAVAILABLE` at the deadline, or at once when the projection has stopped. */
export async function waitUntilReached({ position, deadlineMs, reached, halted }: Wait): Promise<void> {
  const startedAt = performance.now();
  let stepMs = firstStepMs;
  let at = await reached();
  while (at === undefined || at < position) {
    const reason = await halted();
    if (reason !== undefined) {
      throw new Refusal('STORE_UNAVAILABLE', `What is shown ends before your change: ${reason}`, {
        position: String(position),
      });
    }
    if (performance.now() - startedAt + stepMs > deadlineMs) {
      throw new Refusal(
        'STORE_UNAVAILABLE',
        `Your change is stored, but what is shown has not caught up with it in ${deadlineMs} ms. Ask again in a moment.`,
        { position: String(position), reached: String(at ?? 'nothing') },
      );
    }
    await sleep(stepMs);
    stepMs = Math.min(longestStepMs, stepMs * 1.3);
    at = await reached();
  }
}
