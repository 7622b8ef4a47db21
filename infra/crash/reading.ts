/** Reads what the checker decides on: the whole log, and the read models beside what the log makes of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { allModels } from '@clustral/projections/all-models.ts';
import { openReadStore } from '@clustral/projections/place.ts';
import { openReadModels } from '@clustral/projections/read-models.ts';
import { verify, type ReplayReport } from '@clustral/projections/replay/replay.ts';
import { auditPrefixes } from '@clustral/schemas/events/catalogue.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { Installation } from './installation.ts';
import type { Violation } from './violation.ts';

/** Where the log answers, and where the read models lie. */
type Place = Pick<Installation, 'connectionString' | 'dataFolder' | 'root'>;

const readLimitMs = 60_000;
const projectedWithinMs = 15_000;
const tenYearsSeconds = 3_650 * 86_400;

/** The whole log in its order, up to its end when it was reached. Throws when the store does not answer. */
export async function readLog({ connectionString }: Place): Promise<readonly Recorded[]> {
  const store = connectEventStore({ connectionString });
  try {
    return await factsOf(store);
  } finally {
    await store.close();
  }
}

async function factsOf(store: EventStore): Promise<readonly Recorded[]> {
  const log: Recorded[] = [];
  const stop = AbortSignal.timeout(readLimitMs);
  for await (const message of store.subscribe({ prefixes: auditPrefixes, signal: stop })) {
    if (message.kind === 'fact') log.push(message.fact);
    if (message.kind === 'caughtUp') return log;
  }
  throw new Error(`the log could not be read to its end within ${readLimitMs / 1_000} s`);
}

/** What stream by stream reads otherwise than the whole log did. Facts that came since then, from a reactor, are none of it. */
export async function streamsReadOtherwise(
  { connectionString }: Place,
  log: readonly Recorded[],
  streams: readonly string[],
): Promise<readonly Violation[]> {
  const store = connectEventStore({ connectionString });
  const byStream = Map.groupBy(log, ({ stream }) => stream);
  const end = log.at(-1)?.position ?? -1n;
  const violations: Violation[] = [];
  try {
    for (const stream of streams) {
      const { facts } = await store.load(stream);
      const known = facts.filter(({ position }) => position <= end);
      if (textOf(known) === textOf(byStream.get(stream) ?? [])) continue;
      violations.push({ promise: 'G3', what: `${stream} reads otherwise by itself than in the whole log` });
    }
  } finally {
    await store.close();
  }
  return violations;
}

const textOf = (facts: readonly Recorded[]): string =>
  JSON.stringify(facts.map((fact) => ({ ...fact, position: String(fact.position) })));

/** The read models, once they include the position, against a fold of the whole log (G4). */
export async function readModelViolations(
  { connectionString, dataFolder, root }: Place,
  position: bigint,
): Promise<readonly Violation[]> {
  await using opened = new AsyncDisposableStack();
  const eventStore = opened.adopt(connectEventStore({ connectionString }), (store) => store.close());
  const live = opened.adopt(await openReadModels({ folder: join(dataFolder, 'read-models') }), (models) =>
    models.close(),
  );
  try {
    await live.waitFor(position, projectedWithinMs);
  } catch (cause) {
    return [{ promise: 'G4', what: `the read models stay behind: ${(cause as Error).message}` }];
  }
  const folder = await mkdtemp(join(root, 'fold-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const built = opened.adopt(await openReadStore({ folder }), (store) => store.close());
  const options = { eventStore, live, built, models: allModels, compared: [], now: () => new Date() };
  const { differences }: ReplayReport = await verify({ ...options, keepSeconds: tenYearsSeconds });
  return differences.map(({ collection, id, kind, fields }) => ({
    promise: 'G4',
    what: `${kind}: ${collection.name} ${id} (${fields.join(', ')})`,
  }));
}
