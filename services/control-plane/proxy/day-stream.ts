/**
 * The one writer of one `proxy-*` stream (D29). Facts wait in order and go out in batches, one append at a time, with the
 * exact revision kept in memory; a batch whose answer was lost is sent again with the same ids and the same revision until
 * the log has it. Nothing is dropped here: how much may wait is the audit trail's business.
 */
import type { NewFact, Revision } from '@clustral/schemas/events/envelope.ts';
import type { ProxyFact } from '@clustral/schemas/events/proxy.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { RevisionConflict, type EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Log } from '@clustral/kernel/log.ts';

/** Facts that nobody waits for are sent this long after they came, at the latest (D30 allows 50 ms). */
const lingerMs = 40;
const fullBatch = 50;
const largestBatch = 100;
const retry = { firstMs: 50, longestMs: 1_000 };

/** One fact on its way. `durable` is called once, with the revision it got. */
export type Waiting = {
  readonly fact: NewFact<ProxyFact>;
  readonly since: number;
  readonly urgent: boolean;
  durable(revision: number): void;
};

export type DayStreamOptions = {
  readonly stream: string;
  readonly store: EventStore;
  readonly log: Log;
  readonly random: () => number;
};

/** Appends to one stream. */
export class DayStream {
  readonly #options: DayStreamOptions;
  readonly #waiting: Waiting[] = [];
  // The stream is taken for new; if it is not, the refusal of the first append says where it is.
  #revision: Revision = 'none';
  #known = false;
  #busy = false;
  #timer: NodeJS.Timeout | undefined;
  #flushNow: NodeJS.Immediate | undefined;
  #stopped = false;

  constructor(options: DayStreamOptions) {
    this.#options = options;
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  /** When what the oldest fact tells, of those not durable yet, happened; in the caller's milliseconds. */
  get oldest(): number | undefined {
    return this.#waiting.reduce<number | undefined>(
      (oldest, { since }) => (oldest === undefined ? since : Math.min(oldest, since)),
      undefined,
    );
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#busy) return;
    if (waiting.urgent || this.#waiting.length >= fullBatch) this.#soon();
    else this.#timer ??= setTimeout(() => this.#send(), lingerMs);
  }

  /** Sends what waits without lingering. */
  flush(): void {
    if (!this.#busy && !this.idle) this.#soon();
  }

  /** No further tries: what still waits stays unwritten. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#flushNow);
  }

  // At the end of this turn of the event loop, so that all who came in it share one append.
  #soon(): void {
    this.#flushNow ??= setImmediate(() => this.#send());
  }

  #send(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#flushNow);
    this.#timer = this.#flushNow = undefined;
    if (this.#busy || this.#stopped || this.idle) return;
    this.#busy = true;
    void this.#append(this.#waiting.slice(0, largestBatch)).finally(() => {
      this.#busy = false;
      if (this.#waiting.some(({ urgent }) => urgent) || this.#waiting.length >= fullBatch) this.#send();
      else if (!this.idle && !this.#stopped) this.#timer ??= setTimeout(() => this.#send(), lingerMs);
    });
  }

  async #append(batch: readonly Waiting[]): Promise<void> {
    const { store, stream } = this.#options;
    const facts = batch.map(({ fact }) => fact);
    for (let attempt = 0; !this.#stopped; attempt += 1) {
      try {
        const { revision } = await store.append(stream, this.#revision, facts);
        this.#revision = revision;
        this.#known = true;
        this.#waiting.splice(0, batch.length);
        batch.forEach((waiting, at) => waiting.durable(revision - batch.length + 1 + at));
        return;
      } catch (cause) {
        if (this.#moved(cause)) continue;
        await this.#pause(attempt);
      }
    }
  }

  /** True when the append is to be tried again at once at another revision. */
  #moved(cause: unknown): boolean {
    const { log, stream } = this.#options;
    if (cause instanceof RevisionConflict) {
      // This process is the stream's one writer, so only its first append may meet facts of an earlier process.
      if (this.#known) log.error({ err: cause }, `somebody else wrote to ${stream}`);
      const first = !this.#known;
      this.#revision = cause.actual;
      this.#known = true;
      return first;
    }
    if (!(cause instanceof Refusal)) log.error({ err: cause }, `records of ${stream} cannot be appended`);
    return false;
  }

  async #pause(attempt: number): Promise<void> {
    const longest = Math.min(retry.longestMs, retry.firstMs * 2 ** Math.min(attempt, 10));
    await new Promise((resolve) => {
      setTimeout(resolve, this.#options.random() * longest);
    });
  }
}
