/**
 * Finds out what became of an append whose answer was lost (F-21, ES-02), by sending it again with the same ids and the
 * same expected revision: the log then says "stored", as it did the first time, or "somebody else was there". Either is
 * the truth.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewFact, Revision } from '@clustral/schemas/events/envelope.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { RevisionConflict, type Appended, type EventStore } from '@clustral/kernel/event-store-port.ts';

const mostBackoffMs = 5_000;

/** Where it ended, or nothing when it did not take or the signal aborted. Waits for the log as long as it takes. */
export async function appendUntilKnown(doubt: {
  readonly eventStore: Pick<EventStore, 'append'>;
  readonly stream: string;
  readonly expected: Revision;
  readonly facts: readonly NewFact[];
  readonly signal: AbortSignal;
}): Promise<Appended | undefined> {
  const { eventStore, stream, expected, facts, signal } = doubt;
  for (let failures = 0; !signal.aborted; failures += 1) {
    // Full jitter, so that everything in doubt does not ask at once when the log is back.
    await sleep(Math.random() * Math.min(mostBackoffMs, 200 * 2 ** failures), undefined, { signal }).catch(
      () => undefined,
    );
    try {
      return await eventStore.append(stream, expected, facts);
    } catch (cause) {
      if (cause instanceof RevisionConflict) return undefined;
      if (!(cause instanceof Refusal)) throw cause;
    }
  }
  return undefined;
}
