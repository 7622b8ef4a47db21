/** Queries on one set of collections; the writer and the readers share them. Every one is bounded by a limit, a cap or a key. */
import type { Collection as MongoCollection, Db, Long } from 'mongodb';
import type { Collection, Document, Filter, Find, ReadStoreReader } from '../read-store.ts';
import { restored } from './documents.ts';
import { afterQuery, queryOf, sortOf } from './filters.ts';
import { nameIn } from './sets.ts';

/** How far a projection has come, as stored. */
export type Checkpoint = { readonly _id: string; readonly position: Long };

/** Ids are texts in every collection. */
export type Named = { readonly _id: string };

export class MongoQueries implements ReadStoreReader {
  readonly #database: Db;
  readonly #version: number;
  readonly set: number;

  constructor(database: Db, version: number, set: number) {
    this.#database = database;
    this.#version = version;
    this.set = set;
  }

  async get<D extends Document>(collection: Collection<D>, id: string): Promise<D | undefined> {
    const found = await this.collection(collection.name).findOne({ _id: { $eq: id } });
    return found === null ? undefined : restored<D>(found);
  }

  async find<D extends Document>(collection: Collection<D>, find: Find): Promise<readonly D[]> {
    const query = queryOf(collection, find.filter);
    const found = await this.collection(collection.name)
      .find(find.after === undefined ? query : { $and: [query, afterQuery(find.sort, find.after)] })
      .sort(sortOf(find.sort))
      .skip(find.skip ?? 0)
      .limit(find.limit)
      .toArray();
    return found.map((document) => restored<D>(document));
  }

  async count(collection: Collection, filter: Filter, cap: number): Promise<number> {
    return this.collection(collection.name).countDocuments(queryOf(collection, filter), { limit: cap + 1 });
  }

  async position(projection: string): Promise<bigint | undefined> {
    const found = await this.checkpoints().findOne({ _id: projection }, { promoteLongs: false });
    return found === null ? undefined : found.position.toBigInt();
  }

  checkpoints(): MongoCollection<Checkpoint> {
    return this.collection<Checkpoint>('checkpoints');
  }

  /** A collection of the set, by the name that it has here. */
  collection<D extends Named = Named>(name: string): MongoCollection<D> {
    return this.#database.collection<D>(nameIn(this.#version, this.set, name));
  }
}
