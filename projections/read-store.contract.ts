/**
 * What every adapter of `read-store.ts` must do, as a suite. It asks for nothing that MongoDB and SQLite would not both give,
 * and keeps its collections small.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectionOf, type Document, type Filter, type Find, type ReadStore, type Write } from './read-store.ts';

export type Thing = Document & {
  readonly name: string;
  readonly colour: string | null;
  readonly size: number;
  readonly old: boolean;
  readonly words: readonly string[];
  readonly nested?: { readonly list: readonly (number | string | null)[] };
};

export const thingCollection = collectionOf<Thing>({
  name: 'things',
  fields: { name: 'text', colour: 'text', size: 'integer', old: 'boolean', words: 'texts' },
  indexes: [
    ['colour', 'size', '_id'],
    ['old', 'name'],
    ['size', '_id'],
  ],
  facets: ['colour', 'name'],
});

/** An open store of the collections, and how to open what is stored again. */
export type StoreUnderTest = { readonly open: () => Promise<ReadStore>; readonly dispose: () => Promise<void> };

const projection = 'test';
const bySize = { fields: ['size', '_id'], direction: 'ascending' } as const;
const thing = (id: string, fields: Partial<Thing> = {}): Thing => ({
  _id: id,
  name: `thing ${id}`,
  colour: null,
  size: 0,
  old: false,
  words: [],
  ...fields,
});
const put = (...documents: readonly Thing[]): readonly Write[] =>
  documents.map((document) => ({ kind: 'put', collection: thingCollection, document }));

/** Runs the suite. `make` is called before each test. */
export function readStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`the read store on ${name}`, () => {
    let under: StoreUnderTest;
    let store: ReadStore;
    beforeEach(async () => {
      under = await make();
      store = await under.open();
    });
    afterEach(async () => {
      await store.close();
      await under.dispose();
    });

    const commit = (position: bigint, writes: readonly Write[]) => store.commit({ projection, position, writes });
    const found = async (filter: Filter, find: Partial<Find> = {}): Promise<readonly string[]> =>
      (await store.find(thingCollection, { filter, sort: bySize, limit: 100, ...find })).map(({ _id }) => _id);

    it('is empty and at no position before the first commit', async () => {
      expect(await store.position(projection)).toBeUndefined();
      expect(await store.get(thingCollection, 'a')).toBeUndefined();
      expect(await found({})).toEqual([]);
    });

    it('gives back what was put, whatever JSON holds', async () => {
      const document = thing('a', { nested: { list: [1, 'zwei', null] }, name: '☃ "quoted" \u0000', words: ['x'] });
      await commit(1n, put(document));
      expect(await store.get(thingCollection, 'a')).toEqual(document);
    });

    it('stores documents and position together, also beyond 2^32', async () => {
      await commit(9_007_199_254_740_991n, put(thing('a')));
      expect(await store.position(projection)).toBe(9_007_199_254_740_991n);
      expect(await store.position('another')).toBeUndefined();
    });

    it('keeps nothing of a commit that fails, and goes on', async () => {
      await commit(1n, put(thing('a', { size: 1 })));
      const unwritable = { ...thing('c'), name: { not: 'a text' } as unknown as string };
      await expect(commit(2n, [...put(thing('b'), thing('a', { size: 2 })), ...put(unwritable)])).rejects.toThrow();
      expect(await store.position(projection)).toBe(1n);
      expect(await found({})).toEqual(['a']);
      expect(await store.get(thingCollection, 'a')).toMatchObject({ size: 1 });
      await commit(2n, put(thing('b')));
      expect(await found({})).toEqual(['b', 'a']);
    });

    it('refuses to go back, which only a second writer would', async () => {
      await commit(5n, put(thing('a')));
      await expect(commit(4n, put(thing('b')))).rejects.toThrow(/another process/);
      await commit(5n, put(thing('b')));
      expect(await found({})).toEqual(['a', 'b']);
    });

    it('has lost nothing when it is opened again', async () => {
      await commit(7n, put(thing('a', { words: ['one'] })));
      await store.publish();
      await store.close();
      store = await under.open();
      expect(await store.position(projection)).toBe(7n);
      expect(await found({ words: { $contains: 'one' } })).toEqual(['a']);
    });

    it('goes on building what it had begun when it is opened again', async () => {
      await commit(7n, put(thing('a')));
      await store.close();
      store = await under.open();
      expect(await store.position(projection)).toBe(7n);
    });

    it('begins anew without documents and position', async () => {
      await commit(7n, put(thing('a', { words: ['one'] })));
      await store.publish();
      await store.startOver();
      expect(await store.position(projection)).toBeUndefined();
      expect(await found({ words: { $contains: 'one' } })).toEqual([]);
      await commit(1n, put(thing('b')));
      expect(await found({})).toEqual(['b']);
    });

    it('replaces a document as a whole, with all that it is found by', async () => {
      await commit(1n, put(thing('a', { colour: 'red', words: ['one', 'two'], nested: { list: [1] } })));
      await commit(2n, put(thing('a', { colour: 'blue', words: ['two', 'three'] })));
      expect(await store.get(thingCollection, 'a')).toEqual(thing('a', { colour: 'blue', words: ['two', 'three'] }));
      expect(await found({ colour: { $eq: 'red' } })).toEqual([]);
      expect(await found({ words: { $contains: 'one' } })).toEqual([]);
      expect(await found({ words: { $contains: 'three' } })).toEqual(['a']);
    });

    it('deletes a document with all that it is found by; one that is not there is no error', async () => {
      await commit(1n, put(thing('a', { words: ['one'] }), thing('b', { words: ['one'] })));
      const gone = ['a', 'z'].map((id): Write => ({ kind: 'delete', collection: thingCollection, id }));
      await commit(2n, gone);
      expect(await store.get(thingCollection, 'a')).toBeUndefined();
      expect(await found({ words: { $contains: 'one' } })).toEqual(['b']);
      await commit(3n, put(thing('c', { words: ['two'] })));
      expect(await found({ words: { $contains: 'one' } })).toEqual(['b']);
    });

    describe('with some things in it', () => {
      beforeEach(() =>
        commit(
          1n,
          put(
            thing('a', { colour: 'red', size: 1, words: ['apple', 'app'] }),
            thing('b', { colour: 'red', size: 2, old: true, words: ['apply', 'banana'] }),
            thing('c', { colour: 'blue', size: 2, words: ['banana'] }),
            thing('d', { size: 3, old: true, words: [] }),
            thing('e', { colour: 'blue', size: 5, words: ['ape', 'ap\u{10fffe}'] }),
          ),
        ),
      );

      it.each<[string, Filter, string]>([
        ['everything', {}, 'abcde'],
        ['equality', { colour: { $eq: 'red' } }, 'ab'],
        ['null', { colour: { $eq: null } }, 'd'],
        ['a boolean', { old: { $eq: true } }, 'bd'],
        ['the id', { _id: { $eq: 'c' } }, 'c'],
        ['inequality, null included', { colour: { $ne: 'red' } }, 'cde'],
        ['not null', { colour: { $ne: null } }, 'abce'],
        ['a list', { colour: { $in: ['blue', 'green'] } }, 'ce'],
        ['a list of one', { size: { $in: [3] } }, 'd'],
        ['an empty list', { colour: { $in: [] } }, ''],
        ['ids in a list', { _id: { $in: ['a', 'e', 'z'] } }, 'ae'],
        ['a range', { size: { $gt: 1, $lte: 3 } }, 'bcd'],
        ['a half-open range', { size: { $gte: 2, $lt: 3 } }, 'bc'],
        ['a range over null, which is in none', { colour: { $gt: 'a' } }, 'abce'],
        ['two fields', { colour: { $eq: 'red' }, size: { $eq: 2 } }, 'b'],
        ['and', { $and: [{ colour: { $eq: 'red' } }, { old: { $eq: false } }] }, 'a'],
        ['or', { $or: [{ colour: { $eq: null } }, { size: { $eq: 1 } }] }, 'ad'],
        ['or beside a field', { old: { $eq: true }, $or: [{ size: { $eq: 2 } }, { size: { $eq: 5 } }] }, 'b'],
        ['no alternative', { $or: [] }, ''],
        ['a word', { words: { $contains: 'apple' } }, 'a'],
        ['a word that is only the beginning of one', { words: { $contains: 'appl' } }, ''],
        ['a prefix, each document once', { words: { $prefix: 'app' } }, 'ab'],
        ['a prefix up to the last character', { words: { $prefix: 'ap' } }, 'abe'],
        ['a prefix with the meaning of a pattern elsewhere', { words: { $prefix: 'a%' } }, ''],
        ['words that all occur', { $and: [{ words: { $contains: 'banana' } }, { words: { $prefix: 'appl' } }] }, 'b'],
        ['a word and a field', { words: { $contains: 'banana' }, colour: { $eq: 'blue' } }, 'c'],
        ['a word and two fields', { words: { $prefix: 'ap' }, colour: { $eq: 'red' }, name: { $eq: 'thing b' } }, 'b'],
        ['a word and a list', { words: { $prefix: 'ap' }, colour: { $in: ['red', 'grey'] } }, 'ab'],
        ['a word and null', { words: { $prefix: 'ap' }, colour: { $eq: null } }, ''],
        ['two fields that often have few values', { colour: { $eq: 'blue' }, name: { $eq: 'thing c' } }, 'c'],
        ['a word that looks like a field with its value', { words: { $contains: '=colour=red' } }, ''],
        ['a word in one alternative', { $or: [{ words: { $contains: 'ape' } }, { size: { $eq: 3 } }] }, 'de'],
        ['what looks like an operator', { colour: { $eq: '{"$ne":null}' } }, ''],
        ['what looks like SQL', { name: { $eq: "' OR 1=1 --" } }, ''],
      ])('finds by %s', async (_, filter, ids) => {
        expect(await found(filter)).toEqual(Array.from(ids));
        expect(await store.count(thingCollection, filter, 100)).toBe(ids.length);
      });

      it('sorts in both directions, by all fields of the sort', async () => {
        expect(await found({}, { sort: { fields: ['size', '_id'], direction: 'descending' } })).toEqual(
          Array.from('edcba'),
        );
        expect(await found({}, { sort: { fields: ['old', 'name'], direction: 'ascending' } })).toEqual(
          Array.from('acebd'),
        );
      });

      it('goes on after a sort key, in both directions, with and without words', async () => {
        expect(await found({}, { after: [2, 'b'] })).toEqual(['c', 'd', 'e']);
        const sort = { fields: ['size', '_id'], direction: 'descending' } as const;
        expect(await found({}, { sort, after: [2, 'c'] })).toEqual(['b', 'a']);
        expect(await found({ words: { $prefix: 'ap' } }, { sort, after: [5, 'e'] })).toEqual(['b', 'a']);
        expect(await found({}, { after: [2, 'bb'] })).toEqual(['c', 'd', 'e']);
      });

      it('limits and skips', async () => {
        expect(await found({}, { limit: 2 })).toEqual(['a', 'b']);
        expect(await found({}, { limit: 2, skip: 3 })).toEqual(['d', 'e']);
        expect(await found({}, { limit: 2, skip: 30 })).toEqual([]);
      });

      it('counts no further than asked', async () => {
        expect(await store.count(thingCollection, {}, 2)).toBe(3);
        expect(await store.count(thingCollection, {}, 5)).toBe(5);
        expect(await store.count(thingCollection, { words: { $prefix: 'ap' } }, 1)).toBe(2);
      });

      it.each<[string, Filter]>([
        ['a field that the collection does not name', { nested: { $eq: 1 } }],
        ['a field that every object has', { constructor: { $eq: 1 } }],
        ['an operator that is not in the dialect', { size: { $where: '1' } as never }],
        ['an operator that every object has', { size: { toString: 1 } as never }],
        ['no condition', { size: {} as never }],
        ['a list where a condition belongs', { size: [{}] }],
      ])('throws for %s', async (_, filter) => {
        await expect(found(filter)).rejects.toThrow();
      });
    });

    it('keeps texts apart that differ in anything', async () => {
      const texts = [
        'dev@corp.example',
        'dev corp example',
        'Dev@corp.example',
        'dev',
        'z000040',
        '@',
        '',
        'é',
        'e\u0301',
        'a"b*',
      ];
      await commit(1n, put(...texts.map((text, index) => thing(String(index), { words: [text] }))));
      for (const [index, text] of texts.entries()) {
        expect(await found({ words: { $contains: text } })).toEqual(text === '' ? [] : [String(index)]);
      }
      expect(await found({ words: { $prefix: 'dev' } })).toEqual(['0', '1', '3']);
      expect(await found({ words: { $prefix: 'dev@' } })).toEqual(['0']);
      expect(await found({ words: { $prefix: 'a"' } })).toEqual(['9']);
    });

    it('gives every document exactly once over the pages of any size', async () => {
      const sizes = fc.array(fc.nat(3), { minLength: 1, maxLength: 25 });
      await fc.assert(
        fc.asyncProperty(sizes, fc.integer({ min: 1, max: 7 }), async (all, limit) => {
          await store.startOver();
          await commit(1n, put(...all.map((size, index) => thing(`t${index}`, { size }))));
          const seen: string[] = [];
          for (let after: readonly (string | number)[] | undefined; ;) {
            const page: readonly Thing[] = await store.find(thingCollection, {
              filter: {},
              sort: bySize,
              limit,
              ...(after ? { after } : {}),
            });
            seen.push(...page.map(({ _id }) => _id));
            const last = page.at(-1);
            if (!last) break;
            after = [last.size, last._id];
          }
          expect(seen).toEqual(await found({}));
          expect(seen).toHaveLength(all.length);
        }),
        { numRuns: 12 },
      );
    });
  });
}
