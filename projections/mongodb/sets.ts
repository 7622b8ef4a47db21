/**
 * Sets of collections in one database: each version of the read models has numbered sets, `v<version>_<n>_<collection>`,
 * and one document of the collection `read_models` says which set is read and which is being built. A new set is built
 * beside and becomes current by one change of that document; it needs nothing that a server without replicas lacks.
 */
import type { Db } from 'mongodb';
import type { Collection } from '../read-store.ts';

/** What is known of one version's sets. `current` is null until the first was built. */
export type Sets = { readonly current: number | null; readonly newest: number };

type Pointer = { readonly _id: string } & Sets;

const pointers = (database: Db) => database.collection<Pointer>('read_models');
const idOf = (version: number): string => `v${version}`;
const setName = /^v(\d+)_(\d+)_/;

/** Name of a collection of a set. */
export const nameIn = (version: number, set: number, collection: string): string => `v${version}_${set}_${collection}`;

/** The sets of a version; undefined when there are none. */
export async function setsOf(database: Db, version: number): Promise<Sets | undefined> {
  return (await pointers(database).findOne({ _id: idOf(version) })) ?? undefined;
}

/** Begins a set that nobody reads yet. */
export async function beginSet(database: Db, version: number, collections: readonly Collection[]): Promise<number> {
  const before = await setsOf(database, version);
  const newest = (before?.newest ?? 0) + 1;
  await pointers(database).replaceOne(
    { _id: idOf(version) },
    { current: before?.current ?? null, newest },
    { upsert: true },
  );
  await createIndexes(database, collections, (name) => nameIn(version, newest, name));
  return newest;
}

/** Makes a set the one that is read. */
export async function makeCurrent(database: Db, version: number, set: number): Promise<void> {
  await pointers(database).updateOne({ _id: idOf(version) }, { $set: { current: set } });
}

/** Drops the sets of this version that are neither read nor being built, and all of older versions. */
export async function dropOthers(database: Db, version: number): Promise<void> {
  const kept = await setsOf(database, version);
  const names = (await database.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  for (const name of names) {
    const [, ofVersion, set] = setName.exec(name) ?? [];
    if (ofVersion === undefined || Number(ofVersion) > version) continue;
    if (Number(ofVersion) === version && (Number(set) === kept?.current || Number(set) === kept?.newest)) continue;
    await database.dropCollection(name);
  }
}

/** Creates the indexes of the collections where they are missing: those that they name, and one for each `texts` field. */
export async function createIndexes(
  database: Db,
  collections: readonly Collection[],
  nameOf: (collection: string) => string,
): Promise<void> {
  for (const { name, fields, indexes } of collections) {
    const texts = Object.entries(fields).flatMap(([field, kind]) => (kind === 'texts' ? [[field]] : []));
    const wanted = [...indexes.filter((one) => one.join() !== '_id'), ...texts];
    const collection = database.collection(nameOf(name));
    for (const one of wanted) await collection.createIndex(Object.fromEntries(one.map((field) => [field, 1])));
  }
}
