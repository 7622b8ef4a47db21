/**
 * Keeps the days of one cluster's proxied requests: closes those that are over with a digest of their records, and takes those
 * out of the log that are older than they are kept (D26). A day is deleted only after its records were found to be exactly those
 * that were closed; one that is not is evidence, and stays. Whatever is cut short is done again, with the same ids.
 */
import { DayDigest, isSameSummary } from '@clustral/projections/day-digest.ts';
import type { FactMetadata, NewFact } from '@clustral/schemas/events/envelope.ts';
import { proxyDaysStream, proxyStream, type DayFact } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { StreamGone, type EventStore, type LogUpkeep } from '@clustral/kernel/event-store-port.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { derivedUuid } from '../derived-id.ts';
import { closableDays, dayBookOf, deletableDays, newestClosed, type ClosedDay, type DayBook } from './day-book.ts';

export type DayKeeperOptions = {
  readonly store: Pick<EventStore, 'load' | 'append'> & LogUpkeep;
  /** This process's epoch (D18). */
  readonly epoch: number;
  /** Throws when this process may not write (D18). */
  readonly assertFresh: () => void;
  readonly keepSeconds: number;
  readonly log: Log;
  /** Ends a round in the middle, also while it reads a long day. */
  readonly signal: AbortSignal;
};

/** What a round may do: close what is over at `now` and was begun at `since` or later, delete what ended before `horizon`. */
export type Round = { readonly now: Date; readonly since: Date; readonly horizon: number };

/** How many days were closed and deleted. */
export type Kept = { readonly closed: number; readonly deleted: number };

export class DayKeeper {
  readonly #options: DayKeeperOptions;
  readonly #clusterId: ClusterId | null;
  #book: DayBook | undefined;
  /** Up to this day all is closed that can be, also where nothing was to close. */
  #lookedAt: string | undefined;

  /** @param clusterId null for refusals without a cluster */
  constructor(clusterId: ClusterId | null, options: DayKeeperOptions) {
    this.#clusterId = clusterId;
    this.#options = options;
  }

  /** Closes and deletes what is due. Throws what the log throws; nothing is left half done that the next call does not finish. */
  async keep({ now, since, horizon }: Round): Promise<Kept> {
    let [closed, deleted] = [0, 0];
    try {
      this.#book ??= await this.#load();
      for (const day of closableDays(this.#lookedAt ?? newestClosed(this.#book), since, now)) {
        if (await this.#close(day)) closed += 1;
        this.#lookedAt = day;
      }
      for (const day of deletableDays(this.#book, horizon)) if (await this.#delete(day)) deleted += 1;
    } catch (cause) {
      // Whether the last fact is in the log is for the log to say.
      this.#book = undefined;
      throw cause;
    }
    return { closed, deleted };
  }

  /** False when there was nothing to close. */
  async #close(day: string): Promise<boolean> {
    const digest = await this.#digestOf(day);
    if (digest === undefined || digest.count === 0) return false;
    await this.#append({ type: 'proxy.day_closed', data: { clusterId: this.#clusterId, day, ...digest.summary } });
    return true;
  }

  /** False when the records are not those that were closed: then they stay. */
  async #delete(closed: ClosedDay): Promise<boolean> {
    const { store, log, keepSeconds, assertFresh } = this.#options;
    const { day, count, sha256 } = closed;
    const stream = proxyStream(this.#clusterId, day);
    const digest = await this.#digestOf(day);
    if (digest !== undefined) {
      if (digest.count === 0 || !isSameSummary(digest.summary, closed)) {
        log.error({ alarm: 'changed_day', stream }, 'records are not those that were closed: they are not deleted');
        return false;
      }
      assertFresh();
      await store.tombstone(stream, count - 1);
    }
    // Said after it was done: if this fails, the next round finds the stream gone and says it then.
    await this.#append({
      type: 'proxy.day_deleted',
      data: { clusterId: this.#clusterId, day, count, sha256, keepSeconds },
    });
    return true;
  }

  /** Of the day's records; undefined when they were taken out of the log. */
  async #digestOf(day: string): Promise<DayDigest | undefined> {
    const { store, signal } = this.#options;
    const digest = new DayDigest();
    signal.throwIfAborted();
    try {
      await store.walk(proxyStream(this.#clusterId, day), (fact) => {
        signal.throwIfAborted();
        digest.add(fact);
      });
      return digest;
    } catch (cause) {
      if (cause instanceof StreamGone) return undefined;
      throw cause;
    }
  }

  async #load(): Promise<DayBook> {
    const { facts } = await this.#options.store.load<DayFact>(proxyDaysStream(this.#clusterId));
    return dayBookOf(facts);
  }

  async #append(fact: DayFact): Promise<void> {
    const { store, epoch, assertFresh } = this.#options;
    const stream = proxyDaysStream(this.#clusterId);
    const id = derivedUuid('proxy day', fact.type, String(epoch), stream, fact.data.day);
    const metadata: FactMetadata = {
      schemaVersion: 1,
      actor: { kind: 'service', id: 'control-plane' },
      epoch,
      $correlationId: id,
    };
    const book = this.#book ?? (await this.#load());
    assertFresh();
    const { revision } = await store.append(stream, book.revision, [{ ...fact, id, metadata } as NewFact<DayFact>]);
    this.#book = withFact(book, fact, revision);
  }
}

function withFact(book: DayBook, { type, data }: DayFact, revision: number): DayBook {
  if (type === 'proxy.day_deleted') return { ...book, deleted: new Set([...book.deleted, data.day]), revision };
  return { ...book, closed: new Map([...book.closed, [data.day, data]]), revision };
}
