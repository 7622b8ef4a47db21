/**
 * Brings a fold to an exact position of the log and no further, so that what it made can be laid beside read models that stand
 * there. It reads the log as the projector does, once from the beginning.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventStore, LogMessage } from '@clustral/kernel/event-store-port.ts';
import { auditPrefixes } from '@clustral/schemas/events/catalogue.ts';
import type { Fold } from '../fold.ts';
import { DayProof } from './day-proof.ts';

const factsPerCommit = 2_000;
/** The live end of the log was reached and nothing followed for so long: there is nothing left before the target. */
const quietMs = 300;

export class Follower {
  /** Of every fact that it applied, what it proves of closed days. */
  readonly days = new DayProof();
  readonly #fold: Fold;
  readonly #stopping = new AbortController();
  readonly #messages: AsyncIterator<LogMessage>;
  #next: Promise<IteratorResult<LogMessage>> | undefined;
  /** Facts applied so far. */
  facts = 0;

  constructor(eventStore: EventStore, fold: Fold) {
    this.#fold = fold;
    const subscription = eventStore.subscribe({ prefixes: auditPrefixes, signal: this.#stopping.signal });
    this.#messages = subscription[Symbol.asyncIterator]();
  }

  /** Applies every fact up to the position, and stores what they make. Throws `PoisonFact`. */
  async advanceTo(target: bigint): Promise<void> {
    for (let atEnd = false; (this.#fold.position ?? -1n) < target;) {
      const message = await this.#peek(atEnd);
      if (message === undefined || isBeyond(message, target)) break;
      this.#next = undefined;
      if (message.kind === 'checkpoint') this.#fold.pass(message.position);
      if (message.kind === 'fact') await this.#take(message);
      atEnd = message.kind === 'caughtUp';
    }
    this.#fold.pass(target);
    await this.#fold.commit();
  }

  stop(): void {
    this.#stopping.abort();
    void this.#next?.catch(() => undefined);
  }

  async #take({ fact }: Extract<LogMessage, { kind: 'fact' }>): Promise<void> {
    await this.#fold.take(fact);
    this.days.take(fact);
    this.facts += 1;
    if (this.facts % factsPerCommit === 0) await this.#fold.commit();
  }

  /** The next message, which stays the next one. Undefined when nothing followed the live end, or the log has ended. */
  async #peek(atEnd: boolean): Promise<LogMessage | undefined> {
    this.#next ??= this.#messages.next();
    const result = await (atEnd ? Promise.race([this.#next, sleep(quietMs, undefined)]) : this.#next);
    return result === undefined || result.done === true ? undefined : result.value;
  }
}

const isBeyond = (message: LogMessage, target: bigint): boolean =>
  message.kind === 'fact' ? message.fact.position > target : message.kind === 'checkpoint' && message.position > target;
