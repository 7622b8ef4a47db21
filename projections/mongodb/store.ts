/**
 * The one writer of the read models in MongoDB. Documents and checkpoint are stored together: in a transaction where the server
 * has them, by way of a journal where it does not. It uses nothing that servers which only speak MongoDB's protocol lack.
 */
import type { Db, MongoClient } from 'mongodb';
import {
  ReadStoreFailed,
  type Collection,
  type Commit,
  type Document,
  type Filter,
  type Find,
  type ReadStore,
} from '../read-store.ts';
import { applyWrites, prepared } from './apply.ts';
import { hasTransactions, isMongoFailure, mongoClient, type MongoPlace } from './connection.ts';
import { commitByJournal, completeCommit } from './journal.ts';
import { MongoQueries } from './queries.ts';
import { beginSet, createIndexes, dropOthers, makeCurrent, nameIn, setsOf } from './sets.ts';

/** Readers look for a switch twice a second; what they read before is kept long enough for the slowest of them. */
const keepReadMs = 60_000;

export type MongoStoreOptions = MongoPlace & { readonly collections: readonly Collection[] };

/** Opens the current set, else the one whose building was interrupted, else a new one. Throws `ReadStoreFailed`. */
export function openMongoStore(options: MongoStoreOptions): Promise<ReadStore> {
  return open(options, (store) => store.begin());
}

/** A new set beside the current one, for building anew what another process goes on writing. */
export function buildMongoStore(options: MongoStoreOptions): Promise<ReadStore> {
  return open(options, (store) => store.beginSet());
}

async function open(options: MongoStoreOptions, begin: (store: MongoStore) => Promise<void>): Promise<ReadStore> {
  const client = mongoClient(options.connectionString);
  try {
    return await orFailed(async () => {
      const database = client.db(options.database);
      const store = new MongoStore({ client, database, transactions: await hasTransactions(database) }, options);
      await begin(store);
      return store;
    });
  } catch (error) {
    await client.close();
    throw error;
  }
}

type Server = { readonly client: MongoClient; readonly database: Db; readonly transactions: boolean };

class MongoStore implements ReadStore {
  readonly #server: Server;
  readonly #options: MongoStoreOptions;
  #open: MongoQueries | undefined;
  #drop: NodeJS.Timeout | undefined;
  /** True while it builds what readers do not see yet. */
  #isBeside = true;

  constructor(server: Server, options: MongoStoreOptions) {
    this.#server = server;
    this.#options = options;
  }

  async begin(): Promise<void> {
    const { database } = this.#server;
    const { version, collections } = this.#options;
    const sets = await setsOf(database, version);
    if (sets === undefined) return this.beginSet();
    const set = sets.current ?? sets.newest;
    this.#isBeside = set !== sets.current;
    // A build that was stopped while it made them.
    await createIndexes(database, collections, (name) => nameIn(version, set, name));
    this.#open = new MongoQueries(database, version, set);
    await completeCommit(this.#open);
  }

  /** Begins a set beside the one that readers see. */
  async beginSet(): Promise<void> {
    const { database } = this.#server;
    const { version, collections } = this.#options;
    const set = await beginSet(database, version, collections);
    this.#open = new MongoQueries(database, version, set);
    this.#isBeside = true;
    await dropOthers(database, version);
  }

  async get<D extends Document>(collection: Collection<D>, id: string): Promise<D | undefined> {
    return orFailed(() => this.#queries.get(collection, id));
  }

  async find<D extends Document>(collection: Collection<D>, find: Find): Promise<readonly D[]> {
    return orFailed(() => this.#queries.find(collection, find));
  }

  async count(collection: Collection, filter: Filter, cap: number): Promise<number> {
    return orFailed(() => this.#queries.count(collection, filter, cap));
  }

  async position(projection: string): Promise<bigint | undefined> {
    return orFailed(() => this.#queries.position(projection));
  }

  async commit(commit: Commit): Promise<void> {
    const { client, transactions } = this.#server;
    await orFailed(async () => {
      if (!transactions) return commitByJournal(this.#queries, commit, await this.#base(commit));
      const base = await this.#base(commit);
      const application = { ...commit, writes: prepared(commit), newest: base ?? -1n };
      await client.withSession((session) =>
        session.withTransaction(() => applyWrites(this.#queries, application, session)),
      );
    });
  }

  async publish(): Promise<void> {
    const { database } = this.#server;
    const { version } = this.#options;
    await orFailed(async () => {
      const { set } = this.#queries;
      const sets = await setsOf(database, version);
      if (sets?.current === set) return;
      if (sets?.newest !== set) throw new ReadStoreFailed('what was built was replaced by something newer', undefined);
      await makeCurrent(database, version, set);
      this.#isBeside = false;
      this.#dropLater();
    });
  }

  async startOver(): Promise<void> {
    await orFailed(() => this.beginSet());
  }

  async isReplaced(): Promise<boolean> {
    const { set } = this.#queries;
    const sets = await orFailed(() => setsOf(this.#server.database, this.#options.version));
    return !this.#isBeside && sets?.current !== null && sets?.current !== set;
  }

  async reopen(): Promise<void> {
    await orFailed(() => this.begin());
  }

  async close(): Promise<void> {
    clearTimeout(this.#drop);
    await this.#server.client.close();
  }

  get #queries(): MongoQueries {
    if (this.#open === undefined) throw new Error('the read models were asked before they were opened');
    return this.#open;
  }

  /** Where the projection stands. Throws when the commit would go back. */
  async #base({ projection, position }: Commit): Promise<bigint | undefined> {
    const stored = await this.#queries.position(projection);
    if (stored !== undefined && stored > position) {
      throw new Error(
        `${projection} is at ${stored} and cannot go back to ${position}: another process writes the read models too`,
      );
    }
    return stored;
  }

  // What cannot be dropped now is dropped with the next set.
  #dropLater(): void {
    clearTimeout(this.#drop);
    const { database } = this.#server;
    const drop = (): void => void dropOthers(database, this.#options.version).catch(() => undefined);
    this.#drop = setTimeout(drop, keepReadMs);
    this.#drop.unref();
  }
}

async function orFailed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isMongoFailure(error)) throw error;
    throw new ReadStoreFailed(`the read models cannot be stored: ${error.message}`, error);
  }
}
