/**
 * Signs of life beside the lease (D18): who waits says so, and while somebody waits the holder shows that it lives. Each stream
 * keeps its newest sign only. They are no facts: no fold reads them, and nothing is ever decided by what one says, only by
 * whether a new one came.
 */
import { randomUUID } from 'node:crypto';
import type { FactMetadata, NewFact, Revision } from '@clustral/schemas/events/envelope.ts';
import type { LeaseSign } from '@clustral/schemas/events/lease.ts';
import { RevisionConflict, type EventStore } from '@clustral/kernel/event-store-port.ts';

export type SignsOptions = {
  readonly eventStore: Pick<EventStore, 'load' | 'append'>;
  readonly stream: string;
  readonly type: LeaseSign['type'];
  /** Who gives signs here. */
  readonly holder: string;
};

export class Signs {
  readonly #options: SignsOptions;
  #revision: Revision | undefined;
  #seen = -1;

  constructor(options: SignsOptions) {
    this.#options = options;
  }

  /** Writes a sign; durable when it resolves. Somebody else who writes at the same moment has given one as good. */
  async give(): Promise<void> {
    const { eventStore, stream, type, holder } = this.#options;
    if (this.#revision === undefined) {
      await this.#keepNewestOnly();
      ({ revision: this.#revision } = await eventStore.load(stream));
    }
    try {
      const { revision } = await eventStore.append(stream, this.#revision, [factOf(type, { holder })]);
      this.#revision = revision;
    } catch (cause) {
      this.#revision = undefined;
      if (!(cause instanceof RevisionConflict)) throw cause;
    }
  }

  /** The holder of the newest sign of somebody else that came since the last look; the first look also finds an old one. */
  async look(): Promise<string | undefined> {
    const { eventStore, stream, holder } = this.#options;
    const { facts } = await eventStore.load<LeaseSign>(stream, this.#seen + 1);
    const newest = facts.at(-1);
    if (newest === undefined) return undefined;
    this.#seen = newest.revision;
    return newest.data.holder === holder ? undefined : newest.data.holder;
  }

  async #keepNewestOnly(): Promise<void> {
    const { eventStore, stream } = this.#options;
    try {
      await eventStore.append(`$$${stream}`, 'none', [factOf('$metadata', { $maxCount: 1 })]);
    } catch (cause) {
      // It was said before.
      if (!(cause instanceof RevisionConflict)) throw cause;
    }
  }
}

function factOf(type: string, data: object): NewFact {
  const metadata: FactMetadata = {
    schemaVersion: 1,
    actor: { kind: 'service', id: 'control-plane' },
    // It belongs to no epoch, and no fold asks.
    epoch: 0,
    $correlationId: randomUUID(),
  };
  return { id: randomUUID(), type, data, metadata };
}
