/** For tests with real parts: an embedded event store, read models in files, and a projector between them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStore } from '@clustral/infra/embedded/event-store/start.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import { createLog } from '@clustral/kernel/log.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { allCollections, allModels, readModelsVersion } from '../all-models.ts';
import { newStatus, runProjector, type ProjectorStatus } from '../projector.ts';
import { pulseId } from '../projector-state.ts';
import { openReadModels, type ReadModels } from '../read-models.ts';
import { openFold } from '../fold.ts';
import type { Document, ReadStore } from '../read-store.ts';
import { openSqliteStore } from '../sqlite/store.ts';

export type LogUnderTest = {
  readonly store: EventStore;
  readonly connectionString: string;
  stop(): Promise<void>;
};

/** An empty log. */
export async function startLog(): Promise<LogUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'es-'));
  const server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 's') });
  const store = connectEventStore({ connectionString: server.connectionString });
  return {
    store,
    connectionString: server.connectionString,
    stop: async () => {
      await store.close();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Appends facts as they were told, in their order, and gives the position of the last. */
export async function append(store: EventStore, facts: readonly Recorded[]): Promise<bigint> {
  let last = 0n;
  for (const run of runsOf(facts)) last = await appendRun(store, run);
  return last;
}

/** Appends facts with their streams side by side, which is much faster and mixes them; gives the position of the last. */
export async function appendSideBySide(store: EventStore, facts: readonly Recorded[]): Promise<bigint> {
  const streams = Map.groupBy(facts, ({ stream }) => stream);
  const positions = await Promise.all([...streams.values()].map((ofStream) => appendRun(store, ofStream)));
  return positions.reduce((last, position) => (position > last ? position : last), 0n);
}

async function appendRun(store: EventStore, facts: readonly Recorded[]): Promise<bigint> {
  const [first] = facts;
  if (first === undefined) return 0n;
  const expected = first.revision === 0 ? 'none' : first.revision - 1;
  const told = facts.map(({ id, type, data, metadata }) => ({ id, type, data, metadata }));
  return (await store.append(first.stream, expected, told)).position;
}

/** The facts in their order, those that follow each other on one stream together. */
function runsOf(facts: readonly Recorded[]): readonly (readonly Recorded[])[] {
  const runs: Recorded[][] = [];
  for (const fact of facts) {
    const run = runs.at(-1);
    if (run?.[0]?.stream === fact.stream) run.push(fact);
    else runs.push([fact]);
  }
  return runs;
}

/** A moment at which nothing of the golden story is old. */
const goldenNow = new Date('2026-11-26T00:00:00Z');

/** `stop` may be called again. */
export type RunningProjector = { readonly status: ProjectorStatus; stop(): Promise<void> };

export function startProjector(
  eventStore: EventStore,
  folder: string,
  options: { readonly now?: () => Date; readonly keepSeconds?: number } = {},
): RunningProjector {
  const store = openSqliteStore({ folder, version: readModelsVersion, collections: allCollections });
  const stopping = new AbortController();
  const status = newStatus();
  const running = runProjector(
    {
      eventStore,
      store,
      models: allModels,
      log: createLog('test', 'silent'),
      signal: stopping.signal,
      now: options.now ?? (() => goldenNow),
      keepSeconds: options.keepSeconds ?? 90 * 86_400,
    },
    status,
  );
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
    await store.close();
  };
  let stopped: Promise<void> | undefined;
  return { status, stop: () => (stopped ??= stop()) };
}

/** All documents of all collections, as their JSON is stored, for comparing byte by byte; without the projector's sign of life. */
export async function dump(folder: string): Promise<Readonly<Record<string, readonly Document[]>>> {
  const models: ReadModels = await openReadModels({ folder });
  const all: Record<string, readonly Document[]> = {};
  for (const collection of allCollections) {
    const found = await models.find(collection, {
      filter: {},
      sort: { fields: ['_id'], direction: 'ascending' },
      limit: 100_000,
    });
    all[collection.name] = found.filter(({ _id }) => _id !== pulseId);
  }
  models.close();
  return all;
}

/** Read models in files that hold what the facts make of them, without a log in between. */
export async function storeAfter(facts: readonly Recorded[]): Promise<{ store: ReadStore; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'rm-'));
  const store = openSqliteStore({ folder, version: readModelsVersion, collections: allCollections });
  const fold = await openFold(store, allModels);
  for (const fact of facts) await fold.take(fact);
  await fold.commit();
  return {
    store,
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
