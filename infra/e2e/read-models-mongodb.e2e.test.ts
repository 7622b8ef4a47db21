import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { allCollections, allModels, readModelsVersion } from '@clustral/projections/all-models.ts';
import { auditQueryContract } from '@clustral/projections/audit/query.contract.ts';
import { openFold } from '@clustral/projections/fold.ts';
import { openMongoReader } from '@clustral/projections/mongodb/reader.ts';
import { openMongoStore } from '@clustral/projections/mongodb/store.ts';
import { openReadModels } from '@clustral/projections/read-models.ts';
import { readStoreContract, thingCollection, type Thing } from '@clustral/projections/read-store.contract.ts';
import type { Document, ReadStore, ReadStoreReader } from '@clustral/projections/read-store.ts';
import { storeAfter } from '@clustral/projections/testing/rig.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import type { Refusal } from '@clustral/schemas/errors.ts';
import { missingForMongo, startMongo, type MongoServer } from './parts/mongodb.ts';

const missing = missingForMongo();
if (missing !== undefined) console.log(`not run: the read models on MongoDB's protocol; missing: ${missing}`);

const sort = { fields: ['_id'], direction: 'ascending' } as const;
const thing = (id: string, size = 1): Thing => ({ _id: id, name: id, colour: null, size, old: false, words: [] });
const put = (...documents: readonly Thing[]) =>
  documents.map((document) => ({ kind: 'put', collection: thingCollection, document }) as const);

describe.skipIf(missing !== undefined)("the read models on a server that speaks MongoDB's protocol", () => {
  let server: MongoServer;
  beforeAll(async () => {
    server = await startMongo();
  });
  afterAll(() => server.stop());

  const newDatabase = (): string => `t${randomUUID().replaceAll('-', '')}`;
  const open = (database: string): Promise<ReadStore> =>
    openMongoStore({
      connectionString: server.connectionString,
      database,
      version: 1,
      collections: [thingCollection],
    });
  const withReader = async (database: string, work: (reader: ReturnType<typeof openMongoReader>) => Promise<void>) => {
    const { connectionString } = server;
    const reader = openMongoReader({ connectionString, database, version: 1, openDeadlineMs: 300 });
    await work(reader).finally(() => reader.close());
  };

  readStoreContract("MongoDB's protocol", async () => {
    const database = newDatabase();
    // Its data goes with the server.
    return { open: () => open(database), dispose: async () => undefined };
  });

  auditQueryContract("MongoDB's protocol", async (facts) => {
    const place = { connectionString: server.connectionString, database: newDatabase() };
    const store = await openMongoStore({ ...place, version: readModelsVersion, collections: allCollections });
    const fold = await openFold(store, allModels);
    for (const fact of facts) await fold.take(fact);
    await fold.commit();
    return { models: store, close: () => store.close() };
  });

  it('F-07 a writer that is killed at any moment leaves no commit half stored', async () => {
    const database = newDatabase();
    for (let round = 0; round < 12; round += 1) {
      const writer = fork(join(import.meta.dirname, 'parts', 'mongo-writer.ts'), [server.connectionString, database]);
      let told = 0n;
      writer.on('message', (position) => {
        told = BigInt(position as string);
      });
      await once(writer, 'message');
      await new Promise((resolve) => {
        setTimeout(resolve, Math.random() * 60);
      });
      writer.kill('SIGKILL');
      await once(writer, 'exit');
      const store = await open(database);
      const position = (await store.position('test')) ?? 0n;
      const found = await store.find(thingCollection, { filter: {}, sort, limit: 100 });
      expect(position).toBeGreaterThanOrEqual(told);
      expect(new Set(found.map(({ size }) => size))).toEqual(new Set([Number(position)]));
      expect(found).toHaveLength(10);
      await store.close();
    }
  });

  it('a second writer is noticed before it overwrites anything', async () => {
    const database = newDatabase();
    const first = await open(database);
    await first.commit({ projection: 'test', position: 1n, writes: put(thing('a')) });
    const second = await open(database);
    await second.commit({ projection: 'test', position: 9n, writes: put(thing('a', 9)) });
    await expect(first.commit({ projection: 'test', position: 2n, writes: put(thing('a', 2)) })).rejects.toThrow(
      /another process/,
    );
    expect(await second.get(thingCollection, 'a')).toMatchObject({ size: 9 });
    await Promise.all([first.close(), second.close()]);
  });

  it('ES-07 names and values that MongoDB could take for its own stay what they are', async () => {
    const store = await open(newDatabase());
    const labels = { $where: '1', 'a.b': '2', '%24': '3', 'nul\u0000': '4', $ne: { $gt: '' } };
    const document = { ...thing('a'), nested: labels } as unknown as Thing;
    await store.commit({ projection: 'test', position: 1n, writes: put(document, thing('$where'), thing('b.c')) });
    expect(await store.get(thingCollection, 'a')).toEqual(document);
    expect(await store.get(thingCollection, '$where')).toMatchObject({ name: '$where' });
    expect(await store.find(thingCollection, { filter: { name: { $eq: 'b.c' } }, sort, limit: 5 })).toHaveLength(1);
    await store.close();
  });

  it('ES-06 readers go on with what was built until what is built anew is shown', async () => {
    const database = newDatabase();
    const store = await open(database);
    await withReader(database, async (reader) => {
      await store.commit({ projection: 'test', position: 1n, writes: put(thing('old')) });
      expect(reader.isBuilt()).toBe(false);
      await expect(reader.get(thingCollection, 'old')).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      } satisfies Partial<Refusal>);
      await store.publish();
      expect(await reader.get(thingCollection, 'old')).toBeDefined();
      await store.startOver();
      await store.commit({ projection: 'test', position: 1n, writes: put(thing('new')) });
      expect(await reader.get(thingCollection, 'old')).toBeDefined();
      await store.publish();
      await expect.poll(() => reader.get(thingCollection, 'new'), { timeout: 3_000 }).toBeDefined();
      expect(await reader.get(thingCollection, 'old')).toBeUndefined();
    });
    await store.close();
  });

  it('F-11 a server that is gone is said in words, and read again when it is back', async () => {
    const database = newDatabase();
    const store = await open(database);
    await store.commit({ projection: 'test', position: 1n, writes: put(thing('a')) });
    await store.publish();
    await withReader(database, async (reader) => {
      expect(await reader.get(thingCollection, 'a')).toBeDefined();
      await server.kill();
      // Also when something is not as expected: the tests after this one need it.
      onTestFinished(() => server.start());
      await expect(reader.get(thingCollection, 'a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(store.commit({ projection: 'test', position: 2n, writes: put(thing('b')) })).rejects.toThrow(
        /cannot be stored/,
      );
      await server.start();
      await expect.poll(() => reader.get(thingCollection, 'a'), { timeout: 10_000 }).toBeDefined();
    });
    await store.close();
  });

  it('G4 hold field by field what the files hold after the same facts', async () => {
    const facts = goldenSamples().map(({ fact }) => fact);
    const database = newDatabase();
    const place = { connectionString: server.connectionString, database };
    const store = await openMongoStore({ ...place, version: readModelsVersion, collections: allCollections });
    const fold = await openFold(store, allModels);
    for (const fact of facts) await fold.take(fact);
    await fold.commit();
    await store.publish();
    const files = await storeAfter(facts);
    const models = await openReadModels(place);
    expect(await everything(models)).toEqual(await everything(files.store));
    models.close();
    await Promise.all([store.close(), files.close()]);
  });
});

async function everything(store: ReadStoreReader): Promise<Readonly<Record<string, readonly Document[]>>> {
  const all: Record<string, readonly Document[]> = {};
  for (const collection of allCollections) {
    all[collection.name] = await store.find(collection, { filter: {}, sort, limit: 10_000 });
  }
  return all;
}
