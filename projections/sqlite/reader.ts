/**
 * Reads the database that another process writes. It opens on the first question, waits a bounded time for one that is not
 * built yet, and moves to a new one when the projector has switched. It writes nothing.
 */
import { DatabaseSync } from 'node:sqlite';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Collection, Document, Filter, Find, ReadStoreReader } from '../read-store.ts';
import { currentDatabase, type Files } from './files.ts';
import { SqliteQueries } from './queries.ts';

const busyTimeoutMs = 5_000;
const openDeadlineMs = 5_000;
const openStepMs = 25;
/** What a broad search of the audit looks through, of a million rows, finds room in it. */
const cacheKilobytes = 65_536;
/** How long a switch to a new database may go unnoticed. */
const lookAgainMs = 500;

export type SqliteReader = ReadStoreReader & {
  /** True when there is something to read; asks without waiting. */
  isBuilt(): boolean;
  close(): void;
};

/** A reader of one version's database. `openDeadlineMs` bounds the wait for one that is not there. */
export function openSqliteReader(files: Files & { readonly openDeadlineMs?: number }): SqliteReader {
  return new Reader(files, files.openDeadlineMs ?? openDeadlineMs);
}

type Open = { readonly path: string; readonly database: DatabaseSync; readonly queries: SqliteQueries };

class Reader implements SqliteReader {
  readonly #files: Files;
  readonly #deadlineMs: number;
  #open: Open | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(files: Files, deadlineMs: number) {
    this.#files = files;
    this.#deadlineMs = deadlineMs;
  }

  async get<D extends Document>(collection: Collection<D>, id: string): Promise<D | undefined> {
    return (await this.#queries()).get(collection, id);
  }

  async find<D extends Document>(collection: Collection<D>, find: Find): Promise<readonly D[]> {
    return (await this.#queries()).find(collection, find);
  }

  async count(collection: Collection, filter: Filter, cap: number): Promise<number> {
    return (await this.#queries()).count(collection, filter, cap);
  }

  async position(projection: string): Promise<bigint | undefined> {
    return (await this.#queries()).position(projection);
  }

  isBuilt(): boolean {
    return this.#look() !== undefined;
  }

  close(): void {
    this.#closed = true;
    this.#open?.database.close();
    this.#open = undefined;
  }

  async #queries(): Promise<SqliteQueries> {
    const startedAt = performance.now();
    for (;;) {
      if (this.#closed) throw new Error('the read models were asked after they were closed');
      const queries = this.#look();
      if (queries) return queries;
      if (performance.now() - startedAt > this.#deadlineMs) {
        throw new Refusal(
          'STORE_UNAVAILABLE',
          'What is shown is still being built from the log. Try again in a moment; if it stays, look at the log of the projections.',
        );
      }
      await sleep(openStepMs);
    }
  }

  #look(): SqliteQueries | undefined {
    const now = performance.now();
    if (this.#open && now - this.#lookedAt < lookAgainMs) return this.#open.queries;
    this.#lookedAt = now;
    const path = currentDatabase(this.#files);
    // Without a pointer there is nothing better than what is open.
    if (path === undefined || path === this.#open?.path) return this.#open?.queries;
    const opened = openDatabase(path);
    if (opened) {
      this.#open?.database.close();
      this.#open = opened;
    }
    return this.#open?.queries;
  }
}

function openDatabase(path: string): Open | undefined {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs });
    database.exec(`PRAGMA cache_size = -${cacheKilobytes}`);
    return { path, database, queries: new SqliteQueries(database) };
  } catch (cause) {
    // Switched and removed between reading its name and opening it: the next look finds the new one.
    if ((cause as { errcode?: number }).errcode === cannotOpen) return undefined;
    throw new Error(`the read models in ${basename(path)} cannot be opened`, { cause });
  }
}

/** SQLITE_CANTOPEN. */
const cannotOpen = 14;
