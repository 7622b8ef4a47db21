/**
 * The digest of a day's records of proxied requests, as `proxy.day_closed` states it (D26): of every record of the day's stream
 * in its order, void ones included, the id and the SHA-256 of its data. Whoever closes a day and whoever proves it count
 * with the same code.
 */
import { createHash } from 'node:crypto';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';

/** What is stated of a day. Positions are decimal strings. */
export type DaySummary = {
  readonly count: number;
  readonly firstPosition: string;
  readonly lastPosition: string;
  readonly sha256: string;
};

export class DayDigest {
  readonly #hash = createHash('sha256');
  #first: bigint | undefined;
  #last: bigint | undefined;
  count = 0;

  /** Takes the stream's next record. */
  add({ id, position, data }: Pick<Recorded, 'id' | 'position' | 'data'>): void {
    const content = createHash('sha256').update(JSON.stringify(data)).digest('hex');
    this.#hash.update(`${id} ${content}\n`);
    this.#first ??= position;
    this.#last = position;
    this.count += 1;
  }

  /** Of the records so far. Throws without any: a day on which nothing happened is not closed. */
  get summary(): DaySummary {
    if (this.#first === undefined || this.#last === undefined) throw new Error('a day without records has no digest');
    return {
      count: this.count,
      firstPosition: String(this.#first),
      lastPosition: String(this.#last),
      sha256: this.#hash.copy().digest('hex'),
    };
  }
}

export const isSameSummary = (one: DaySummary, other: DaySummary): boolean =>
  one.count === other.count &&
  one.sha256 === other.sha256 &&
  one.firstPosition === other.firstPosition &&
  one.lastPosition === other.lastPosition;
