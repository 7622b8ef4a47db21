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
  for (const { stream, revision, id, type, data, metadata } of facts) {
    const appended = await store.append(stream, revision === 0 ? 'none' : revision - 1, [{ id, type, data, metadata }]);
    last = appended.position;
  }
  return last;
}

/** A moment at which nothing of the golden story is old. */
const goldenNow = new Date('2026-11-26T00:00:00Z');

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
  return {
    status,
    stop: async () => {
      stopping.abort();
      await running;
      await store.close();
    },
  };
}

/** All documents of all collections, as their JSON is stored, for comparing byte by byte. */
export async function dump(folder: string): Promise<Readonly<Record<string, readonly Document[]>>> {
  const models: ReadModels = await openReadModels({ folder });
  const all: Record<string, readonly Document[]> = {};
  for (const collection of allCollections) {
    all[collection.name] = await models.find(collection, {
      filter: {},
      sort: { fields: ['_id'], direction: 'ascending' },
      limit: 100_000,
    });
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
