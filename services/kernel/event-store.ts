/**
 * The log, on the official EventStoreDB client: the one implementation of `event-store-port.ts`. The connection string
 * chooses the server, a real EventStoreDB or the embedded one; this code is the same for both. With its helpers
 * `event-store-*.ts` it is the only importer of `@eventstore/db-client`, types included.
 *
 * It refuses what the client offers and the product must not use: appends without an exact revision (D29), batch appends
 * (they share one table of promises among all clients of the process), calls without a deadline, reads from followers.
 */
import {
  BACKWARDS,
  END,
  NO_STREAM,
  StreamNotFoundError,
  type AppendExpectedRevision,
  type Credentials,
  type EventStoreDBClient,
} from '@eventstore/db-client';
import type { Fact, NewFact, Recorded, Revision } from '@clustral/schemas/events/envelope.ts';
import { readBackwards } from './event-store-backwards.ts';
import { closeClient, createClient } from './event-store-client.ts';
import { readToEnd, storeError, withDeadline } from './event-store-calls.ts';
import { toEventData, toRecorded } from './event-store-facts.ts';
import type {
  Appended,
  EventStore,
  LoadedStream,
  LogMessage,
  LogUpkeep,
  SubscribeOptions,
} from './event-store-port.ts';
import { follow } from './event-store-subscription.ts';
import type { Log } from './log.ts';

/** For an append from call to answer, and for a read between two of its events. */
const deadlineMs = 5_000;
/** A stream that is folded whole is small; who wants more than this subscribes. */
const maxLoadedFacts = 100_000;

export type EventStoreSettings = {
  /** `esdb://user:password@host:2113?…` or `esdb+discover://…` for a real server, `unix:/path` for the embedded one. */
  readonly connectionString: string;
  readonly log?: Log;
};

/** Connects on first use. Throws a plain `Error` when the connection string cannot be used. */
export function connectEventStore({ connectionString, log }: EventStoreSettings): EventStore & LogUpkeep {
  return new ClientEventStore(createClient(connectionString), log);
}

class ClientEventStore implements EventStore, LogUpkeep {
  readonly #client: EventStoreDBClient;
  readonly #base: { readonly credentials: Credentials; readonly requiresLeader: true };
  readonly #log: Log | undefined;
  readonly #closed = new AbortController();

  constructor({ client, credentials }: ReturnType<typeof createClient>, log: Log | undefined) {
    this.#client = client;
    this.#base = { credentials, requiresLeader: true };
    this.#log = log;
  }

  async load<F extends Fact>(stream: string, from = 0): Promise<LoadedStream<F>> {
    const facts: Recorded<F>[] = [];
    const isThere = await this.#read(stream, from, (fact) => {
      if (facts.length >= maxLoadedFacts) throw new Error(`stream ${stream} has more than ${maxLoadedFacts} facts`);
      facts.push(fact as unknown as Recorded<F>);
    });
    if (!isThere) return { facts: [], revision: 'none' };
    const newest = facts.at(-1);
    return { facts, revision: newest?.revision ?? (await this.#lastRevision(stream)) };
  }

  async append(stream: string, expected: Revision, facts: readonly NewFact[]): Promise<Appended> {
    const events = toEventData(stream, facts);
    const expectedRevision: AppendExpectedRevision = expected === 'none' ? NO_STREAM : BigInt(expected);
    const options = { ...this.#base, expectedRevision, deadline: deadlineMs };
    try {
      const call = this.#client.appendToStream(stream, events, options);
      const { nextExpectedRevision, position } = await withDeadline(call, deadlineMs);
      const revision = Number(nextExpectedRevision);
      // A retry that the server recognised may come back without a position.
      return { revision, position: position?.commit ?? (await this.#positionOf(stream, revision)) };
    } catch (cause) {
      throw storeError(`appending to ${stream}`, cause);
    }
  }

  subscribe({ prefixes, after, signal }: SubscribeOptions): AsyncIterable<LogMessage> {
    if (prefixes.length === 0) throw new Error('a subscription names at least one prefix');
    return follow({
      client: this.#client,
      base: this.#base,
      prefixes,
      after: after === undefined ? undefined : { commit: after, prepare: after },
      signal: AbortSignal.any([signal, this.#closed.signal]),
      log: this.#log,
    });
  }

  async readBackwards({
    prefixes,
    limit,
  }: {
    prefixes: readonly string[];
    limit: number;
  }): Promise<readonly Recorded[]> {
    if (prefixes.length === 0 || limit < 1) throw new Error('a read backwards names prefixes and a limit');
    try {
      return await readBackwards(this.#client, { ...this.#base, prefixes, limit });
    } catch (cause) {
      throw storeError(`reading back ${prefixes.join(', ')}`, cause);
    }
  }

  async ping(limitMs: number): Promise<void> {
    const read = this.#client.readAll({ ...this.#base, fromPosition: END, direction: BACKWARDS, maxCount: 1 });
    try {
      await readToEnd(read, limitMs, () => undefined);
    } catch (cause) {
      throw storeError('asking whether it answers', cause);
    }
  }

  async walk(stream: string, take: (fact: Recorded) => void): Promise<void> {
    await this.#read(stream, 0, take);
  }

  async tombstone(stream: string, expected: number): Promise<void> {
    const options = { ...this.#base, expectedRevision: BigInt(expected), deadline: deadlineMs };
    try {
      await withDeadline(this.#client.tombstoneStream(stream, options), deadlineMs);
    } catch (cause) {
      throw storeError(`ending ${stream}`, cause);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await closeClient(this.#client);
  }

  /** False when there is no such stream. */
  async #read(stream: string, from: number, take: (fact: Recorded) => void): Promise<boolean> {
    const read = this.#client.readStream(stream, { ...this.#base, fromRevision: BigInt(from) });
    try {
      await readToEnd(read, deadlineMs, ({ event }) => {
        if (event !== undefined) take(toRecorded(event));
      });
      return true;
    } catch (cause) {
      if (cause instanceof StreamNotFoundError) return false;
      throw storeError(`reading ${stream}`, cause);
    }
  }

  /** Asked for only when a read from a later revision came back empty. */
  async #lastRevision(stream: string): Promise<Revision> {
    const read = this.#client.readStream(stream, {
      ...this.#base,
      fromRevision: END,
      direction: BACKWARDS,
      maxCount: 1,
    });
    let last: Revision = 'none';
    try {
      await readToEnd(read, deadlineMs, ({ event }) => {
        if (event !== undefined) last = Number(event.revision);
      });
    } catch (cause) {
      throw storeError(`reading the end of ${stream}`, cause);
    }
    return last;
  }

  async #positionOf(stream: string, revision: number): Promise<bigint> {
    const { facts } = await this.load(stream, revision);
    const [fact] = facts;
    if (fact === undefined) throw new Error(`stream ${stream} lost revision ${revision} after it was appended`);
    return fact.position;
  }
}
