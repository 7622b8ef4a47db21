import { mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Refusal } from '@clustral/schemas/errors.ts';
import { readStoreContract, thingCollection, type Thing } from '../read-store.contract.ts';
import { ReadStoreDamaged, type Filter, type ReadStore } from '../read-store.ts';
import { currentDatabase } from './files.ts';
import { openSqliteReader } from './reader.ts';
import { openSqliteStore } from './store.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'read-models-'));
const collections = [thingCollection];
const thing = (id: string): Thing => ({ _id: id, name: id, colour: null, size: 1, old: false, words: ['word'] });

readStoreContract('SQLite', async () => {
  const folder = await newFolder();
  return {
    open: async () => openSqliteStore({ folder, version: 1, collections }),
    dispose: () => rm(folder, { recursive: true }),
  };
});

/** Everything behind the first two pages becomes garbage. */
async function overwrite(path: string): Promise<void> {
  const file = await open(path, 'r+');
  const { size } = await file.stat();
  await file.write(Buffer.alloc(size - 8_192, 0xee), 0, size - 8_192, 8_192);
  await file.close();
}

describe('a search in SQLite', () => {
  const words = ['common', 'cold', 'half', 'rare', 'unique'] as const;
  const many = Array.from({ length: 12_000 }, (_, number): Thing => {
    const has = [true, number % 3 !== 0, number % 2 === 0, number % 400 === 0, number === 7_777];
    return {
      _id: `t${String(number).padStart(5, '0')}`,
      name: `name ${number % 10}`,
      colour: number % 100 === 0 ? 'red' : 'blue',
      size: number % 500,
      old: number % 2 === 1,
      words: words.filter((_word, index) => has[index]),
    };
  });
  let store: ReadStore;
  let folder: string;
  beforeAll(async () => {
    folder = await newFolder();
    store = openSqliteStore({ folder, version: 1, collections });
    const writes = many.map((document) => ({ kind: 'put', collection: thingCollection, document }) as const);
    await store.commit({ projection: 'test', position: 1n, writes });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  it.each<[string, Filter, (one: Thing) => boolean]>([
    ['a word that all have', { words: { $contains: 'common' } }, () => true],
    ['a prefix that all have', { words: { $prefix: 'co' } }, () => true],
    ['a rare word', { words: { $contains: 'rare' } }, (one) => one.words.includes('rare')],
    [
      'a rare word and a common one',
      { $and: [{ words: { $contains: 'common' } }, { words: { $prefix: 'ra' } }] },
      (one) => one.words.includes('rare'),
    ],
    ['common words that never meet', { $and: [{ words: { $contains: 'half' } }, { old: { $eq: true } }] }, () => false],
    [
      'a common word and a rare colour',
      { words: { $prefix: 'hal' }, colour: { $eq: 'red' } },
      (one) => one.colour === 'red' && one.words.includes('half'),
    ],
    [
      'a rare word and a common colour',
      { words: { $contains: 'unique' }, colour: { $eq: 'blue' } },
      (one) => one.words.includes('unique'),
    ],
    [
      'fields that both are common',
      { colour: { $eq: 'blue' }, old: { $eq: false } },
      (one) => one.colour === 'blue' && !one.old,
    ],
    [
      'a list, a range and a word',
      { colour: { $in: ['red', 'green'] }, size: { $lt: 300 }, words: { $contains: 'cold' } },
      (one) => one.colour === 'red' && one.size < 300 && one.words.includes('cold'),
    ],
  ])('finds and counts by %s, whichever condition leads', async (_, filter, fits) => {
    const expected = many
      .filter(fits)
      .toSorted((one, other) => other.size - one.size || (one._id < other._id ? 1 : -1))
      .map(({ _id }) => _id);
    const sort = { fields: ['size', '_id'], direction: 'descending' } as const;
    const first = await store.find(thingCollection, { filter, sort, limit: 50 });
    expect(first.map(({ _id }) => _id)).toEqual(expected.slice(0, 50));
    const last = first.at(-1);
    if (last) {
      const next = await store.find(thingCollection, { filter, sort, limit: 50, after: [last.size, last._id] });
      expect(next.map(({ _id }) => _id)).toEqual(expected.slice(50, 100));
    }
    expect(await store.count(thingCollection, filter, 20_000)).toBe(expected.length);
    expect(await store.count(thingCollection, filter, 10)).toBe(Math.min(11, expected.length));
  });
});

describe('read models in SQLite files', () => {
  let folder: string;
  const opened: { close(): unknown }[] = [];
  beforeEach(async () => {
    folder = await newFolder();
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    await rm(folder, { recursive: true });
  });

  const openStore = (version = 1): ReadStore => {
    const store = openSqliteStore({ folder, version, collections });
    opened.push(store);
    return store;
  };
  const openReader = (version = 1, openDeadlineMs = 2_000) => {
    const reader = openSqliteReader({ folder, version, openDeadlineMs });
    opened.push(reader);
    return reader;
  };
  const write = (store: ReadStore, position: bigint, ...ids: readonly string[]) =>
    store.commit({
      projection: 'test',
      position,
      writes: ids.map((id) => ({ kind: 'put', collection: thingCollection, document: thing(id) })),
    });
  const files = async () => (await readdir(folder)).filter((name) => !/-(wal|shm)$/.test(name)).toSorted();

  it('are for this user only', async () => {
    const inside = join(folder, 'read-models');
    await openSqliteStore({ folder: inside, version: 1, collections }).close();
    expect((await stat(inside)).mode & 0o777).toBe(0o700);
  });

  it('answer nobody before they are published, for a bounded time', async () => {
    const store = openStore();
    await write(store, 1n, 'a');
    const asked = openReader(1, 60).get(thingCollection, 'a');
    await expect(asked).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' } satisfies Partial<Refusal>);
  });

  it('are waited for by a reader that was there first', async () => {
    const reader = openReader();
    const asked = reader.get(thingCollection, 'a');
    const store = openStore();
    await write(store, 1n, 'a');
    await store.publish();
    expect(await asked).toMatchObject({ _id: 'a' });
    expect(await reader.position('test')).toBe(1n);
  });

  it('show a reader each commit at once', async () => {
    const store = openStore();
    await write(store, 1n, 'a');
    await store.publish();
    const reader = openReader();
    expect(await reader.get(thingCollection, 'b')).toBeUndefined();
    await write(store, 2n, 'b');
    expect(await reader.get(thingCollection, 'b')).toMatchObject({ _id: 'b' });
    expect(await reader.position('test')).toBe(2n);
  });

  it('have every index once readers see them, also those that wait while they are built', async () => {
    const growing = { ...thingCollection, indexedLast: true };
    const store = openSqliteStore({ folder, version: 1, collections: [growing] });
    opened.push(store);
    const document = thing('a');
    await store.commit({ projection: 'test', position: 1n, writes: [{ kind: 'put', collection: growing, document }] });
    const indexes = (path: string): readonly unknown[] => {
      const database = new DatabaseSync(path, { readOnly: true });
      const found = database.prepare("SELECT name FROM sqlite_master WHERE name GLOB 'things_by_*'").all();
      database.close();
      return found.map(({ name }) => name);
    };
    const path = join(folder, (await readdir(folder)).find((name) => name.endsWith('.db')) ?? '');
    expect(indexes(path)).toEqual([]);
    await store.publish();
    expect(indexes(currentDatabase({ folder, version: 1 }) ?? '')).toHaveLength(growing.indexes.length);
  });

  it('go on answering while they are built anew, and are followed to the new ones', async () => {
    const store = openStore();
    await write(store, 1n, 'a');
    await store.publish();
    const reader = openReader();
    await reader.get(thingCollection, 'a');
    await store.startOver();
    await write(store, 1n, 'b');
    expect(await reader.get(thingCollection, 'a')).toMatchObject({ _id: 'a' });
    await store.publish();
    await expect.poll(() => reader.get(thingCollection, 'b'), { timeout: 2_000 }).toMatchObject({ _id: 'b' });
    expect(await reader.get(thingCollection, 'a')).toBeUndefined();
    expect(await files()).toEqual(['read-models-v1-2.db', 'read-models-v1.current']);
  });

  it('of an older version stay until the newer ones are published, and then go', async () => {
    const old = openStore(1);
    await write(old, 1n, 'a');
    await old.publish();
    await old.close();
    opened.length = 0;
    const store = openStore(2);
    await write(store, 1n, 'b');
    expect(await openReader(1).get(thingCollection, 'a')).toMatchObject({ _id: 'a' });
    await store.publish();
    expect(await files()).toEqual(['read-models-v2-1.db', 'read-models-v2.current']);
    expect(await openReader(2).get(thingCollection, 'b')).toMatchObject({ _id: 'b' });
  });

  it('that are no database are put aside for new ones', async () => {
    const store = openStore();
    await write(store, 1n, 'a');
    await store.publish();
    await store.close();
    opened.length = 0;
    await writeFile(currentDatabase({ folder, version: 1 }) ?? '', 'this is no database, however long it may be');
    const again = openStore();
    expect(await again.position('test')).toBeUndefined();
    await write(again, 1n, 'a');
    await again.publish();
    expect(await files()).toEqual(['read-models-v1-2.db', 'read-models-v1.current']);
  });

  it('say that they are damaged when it shows while they are used', async () => {
    const store = openStore();
    for (let batch = 1; batch <= 40; batch += 1) {
      await write(store, BigInt(batch), ...Array.from({ length: 100 }, (_, index) => `t${batch}-${index}`));
    }
    await store.publish();
    await store.close();
    opened.length = 0;
    await overwrite(currentDatabase({ folder, version: 1 }) ?? '');
    const damaged = openStore();
    const readAll = async () => {
      await damaged.find(thingCollection, {
        filter: {},
        sort: { fields: ['size', '_id'], direction: 'ascending' },
        limit: 10_000,
      });
    };
    await expect(readAll()).rejects.toThrow(ReadStoreDamaged);
    await damaged.startOver();
    await write(damaged, 1n, 'a');
    expect(await damaged.get(thingCollection, 'a')).toMatchObject({ _id: 'a' });
  });
});
