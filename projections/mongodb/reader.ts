/**
 * Reads the set of collections that another process writes. It connects on the first question, waits a bounded time for what
 * is not built yet, and moves to a new set when the projector has switched. It writes nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db, MongoClient } from 'mongodb';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Collection, Document, Filter, Find, ReadStoreReader } from '../read-store.ts';
import { isMongoFailure, mongoClient, type MongoPlace } from './connection.ts';
import { MongoQueries } from './queries.ts';
import { setsOf } from './sets.ts';

const openDeadlineMs = 5_000;
const openStepMs = 25;
/** How long a switch to a new set may go unnoticed. */
const lookAgainMs = 500;

export type MongoReader = ReadStoreReader & {
  /** True when there was something to read when it was last looked for; asks without waiting. */
  isBuilt(): boolean;
  close(): void;
};

/** A reader of one version's sets. `openDeadlineMs` bounds the wait for one that is not there. */
export function openMongoReader(place: MongoPlace & { readonly openDeadlineMs?: number }): MongoReader {
  return new Reader(place, place.openDeadlineMs ?? openDeadlineMs);
}

class Reader implements MongoReader {
  readonly #version: number;
  readonly #deadlineMs: number;
  readonly #client: MongoClient;
  readonly #database: Db;
  #open: MongoQueries | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor({ connectionString, database, version }: MongoPlace, deadlineMs: number) {
    this.#version = version;
    this.#deadlineMs = deadlineMs;
    this.#client = mongoClient(connectionString);
    this.#database = this.#client.db(database);
  }

  get<D extends Document>(collection: Collection<D>, id: string): Promise<D | undefined> {
    return this.#ask((queries) => queries.get(collection, id));
  }

  find<D extends Document>(collection: Collection<D>, find: Find): Promise<readonly D[]> {
    return this.#ask((queries) => queries.find(collection, find));
  }

  count(collection: Collection, filter: Filter, cap: number): Promise<number> {
    return this.#ask((queries) => queries.count(collection, filter, cap));
  }

  position(projection: string): Promise<bigint | undefined> {
    return this.#ask((queries) => queries.position(projection));
  }

  isBuilt(): boolean {
    // Whether it answers is said by what is asked of it.
    this.#look().catch(() => undefined);
    return this.#open !== undefined;
  }

  close(): void {
    this.#closed = true;
    void this.#client.close().catch(() => undefined);
  }

  async #ask<T>(question: (queries: MongoQueries) => Promise<T>): Promise<T> {
    try {
      return await question(await this.#queries());
    } catch (error) {
      if (!isMongoFailure(error)) throw error;
      throw Object.assign(
        new Refusal(
          'STORE_UNAVAILABLE',
          'What is shown cannot be read now: its database does not answer. Try again in a moment.',
        ),
        { cause: error },
      );
    }
  }

  async #queries(): Promise<MongoQueries> {
    const startedAt = performance.now();
    for (;;) {
      if (this.#closed) throw new Error('the read models were asked after they were closed');
      await this.#look();
      if (this.#open) return this.#open;
      if (performance.now() - startedAt > this.#deadlineMs) {
        throw new Refusal(
          'STORE_UNAVAILABLE',
          'What is shown is still being built from the log. Try again in a moment; if it stays, look at the log of the projections.',
        );
      }
      await sleep(openStepMs);
    }
  }

  /** Finds out which set is read, once for all who ask at the same time. */
  async #look(): Promise<void> {
    if (this.#open && performance.now() - this.#lookedAt < lookAgainMs) return;
    this.#looking ??= this.#findSet().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #findSet(): Promise<void> {
    const current = (await setsOf(this.#database, this.#version))?.current ?? null;
    this.#lookedAt = performance.now();
    if (current === null || current === this.#open?.set) return;
    this.#open = new MongoQueries(this.#database, this.#version, current);
  }
}
