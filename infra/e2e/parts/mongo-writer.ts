/**
 * A process that commits to the read models in MongoDB for as long as it lives: the commit at position n gives every one of ten
 * documents the size n. It tells its parent each position that was stored, and is there to be killed.
 */
import { thingCollection } from '@clustral/projections/read-store.contract.ts';
import { openMongoStore } from '@clustral/projections/mongodb/store.ts';

const [connectionString = '', database = ''] = process.argv.slice(2);
const store = await openMongoStore({ connectionString, database, version: 1, collections: [thingCollection] });
let position = (await store.position('test')) ?? 0n;
for (;;) {
  position += 1n;
  const writes = Array.from({ length: 10 }, (_, number) => {
    const document = {
      _id: `t${number}`,
      name: 'x'.repeat(2_000),
      colour: null,
      size: Number(position),
      old: false,
      words: [],
    };
    return { kind: 'put', collection: thingCollection, document } as const;
  });
  await store.commit({ projection: 'test', position, writes });
  process.send?.(String(position));
}
