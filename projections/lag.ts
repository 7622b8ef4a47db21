/**
 * How far the read models are behind the log: asked of the log itself every few seconds, because a quiet log and a dead
 * connection look alike to whoever only listens. What is found is stored as a sign of life, so that readers in other processes
 * see it, and see it grow old when the projector has stopped.
 */
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { auditPrefixes } from '@clustral/schemas/events/catalogue.ts';
import { pulseCollection, pulseId, type Pulse } from './projector-state.ts';
import type { ReadStoreReader, Write } from './read-store.ts';

const everyMs = 2_000;
/** Two signs of life may be missed before what they said counts as old. */
const goodForMs = 3 * everyMs;

/** Where the log ends and how far the read models are. */
export type Lag = {
  /** Position of the log's newest fact, as of `at`; undefined before the log was asked once, or when it is empty. */
  readonly head: bigint | undefined;
  /** Positions between the two: on the embedded event store events, on EventStoreDB bytes of its log. */
  readonly events: number;
  /** When the read models were last known to include everything; undefined when they never were. Milliseconds. */
  readonly currentAt: number | undefined;
};

/** Asks the log where it is, at most every two seconds, without making anybody wait. */
export class LagWatch {
  readonly #eventStore: Pick<EventStore, 'readBackwards'>;
  #head: { readonly position: bigint | undefined; readonly at: number } | undefined;
  #currentAt: number | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(eventStore: Pick<EventStore, 'readBackwards'>) {
    this.#eventStore = eventStore;
  }

  /** How it stands at the position that is stored. `now` in milliseconds. */
  at(position: bigint | undefined, now: number): Lag {
    if (now - this.#askedAt >= everyMs) this.#ask(now);
    const head = this.#head;
    const behind = head?.position === undefined ? 0n : head.position - (position ?? -1n);
    const events = behind > 0n ? Number(behind) : 0;
    if (head !== undefined && events === 0) this.#currentAt = head.at;
    return { head: head?.position, events, currentAt: this.#currentAt };
  }

  /** The sign of life when one is due. */
  due(lag: Lag, now: number): readonly Write[] {
    if (now - this.#toldAt < everyMs) return [];
    this.#toldAt = now;
    const document: Pulse = { _id: pulseId, at: now, currentAt: lag.currentAt ?? null, events: lag.events };
    return [{ kind: 'put', collection: pulseCollection, document }];
  }

  #ask(now: number): void {
    this.#askedAt = now;
    this.#eventStore.readBackwards({ prefixes: auditPrefixes, limit: 1 }).then(
      ([newest]) => {
        this.#head = { position: newest?.position, at: now };
      },
      // Then nothing new is known, which shows in how old the last answer is.
      () => undefined,
    );
  }
}

/**
 * Whole seconds that the read models may be behind at `now`, by the projector's last sign of life: 0 while it says that they are
 * not, else how long it is since they were last whole. Undefined when they never were.
 */
export async function lagSeconds(models: ReadStoreReader, now: number): Promise<number | undefined> {
  const pulse = await models.get(pulseCollection, pulseId);
  return pulse && secondsBehind(pulse, now);
}

export function secondsBehind({ at, currentAt, events }: Omit<Pulse, '_id'>, now: number): number | undefined {
  if (currentAt === null) return undefined;
  return events === 0 && now - at < goodForMs ? 0 : Math.max(0, Math.floor((now - currentAt) / 1_000));
}
