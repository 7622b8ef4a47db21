/**
 * For tests: a projector as a process of its own that ends itself as a crash would, in the middle of a commit: after its nth
 * write of a document, before the checkpoint. `dying-projector.ts CONNECTION FOLDER N`
 */
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { allCollections, allModels, readModelsVersion } from '../all-models.ts';
import { runProjector } from '../projector.ts';
import type { Commit, Write } from '../read-store.ts';
import { openSqliteStore } from '../sqlite/store.ts';

const [connectionString = '', folder = '', nth = '1'] = process.argv.slice(2);
let left = Number(nth);

function* untilDeath(writes: readonly Write[]): Generator<Write> {
  for (const write of writes) {
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    left -= 1;
    yield write;
  }
}

const store = openSqliteStore({ folder, version: readModelsVersion, collections: allCollections });
// The store only walks through the writes, inside its transaction.
const commit = store.commit.bind(store);
store.commit = (whole: Commit) => commit({ ...whole, writes: untilDeath(whole.writes) as unknown as Write[] });
await runProjector({
  eventStore: connectEventStore({ connectionString }),
  store,
  models: allModels,
  log: createLog('test', 'silent'),
  signal: new AbortController().signal,
  now: () => new Date('2026-11-26T00:00:00Z'),
  keepSeconds: 90 * 86_400,
});
