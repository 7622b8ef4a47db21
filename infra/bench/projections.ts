/**
 * How fast the read models are built from the log: the same log as `audit-pages.ts` has, first appended to an embedded event store,
 * then followed by the projector until it has caught up. `node infra/bench/projections.ts --rows 1000000`; the files lie in the temporary
 * folder and go with the run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { allCollections, allModels, readModelsVersion } from '@clustral/projections/all-models.ts';
import { newStatus, runProjector } from '@clustral/projections/projector.ts';
import { openSqliteStore } from '@clustral/projections/sqlite/store.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { startEventStore } from '../embedded/event-store/start.ts';
import { auditLog } from './audit-log.ts';

const { values } = parseArgs({ options: { rows: { type: 'string' } } });
const rows = Number(values.rows ?? 1_000_000);
const perAppend = 100;
const streamsAtOnce = 64;
const tenYearsSeconds = 3_650 * 86_400;
const base = mkdtempSync(join(tmpdir(), 'bench-projections-'));

/** Appends to each stream in its order, many streams side by side. */
async function fill(store: EventStore): Promise<void> {
  let waiting = new Map<string, Recorded[]>();
  let count = 0;
  const flush = async (): Promise<void> => {
    const streams = [...waiting.values()];
    waiting = new Map();
    for (let at = 0; at < streams.length; at += streamsAtOnce) {
      await Promise.all(streams.slice(at, at + streamsAtOnce).map((facts) => appendAll(store, facts)));
    }
  };
  for (const fact of auditLog(rows)) {
    const stream = waiting.get(fact.stream) ?? [];
    waiting.set(fact.stream, [...stream, fact]);
    count += 1;
    if (count % (perAppend * streamsAtOnce) === 0) await flush();
  }
  await flush();
}

async function appendAll(store: EventStore, facts: readonly Recorded[]): Promise<void> {
  for (let at = 0; at < facts.length; at += perAppend) {
    const part = facts.slice(at, at + perAppend);
    const first = part[0]?.revision ?? 0;
    const told = part.map(({ id, type, data, metadata }) => ({ id, type, data, metadata }));
    await store.append(part[0]?.stream ?? '', first === 0 ? 'none' : first - 1, told);
  }
}

async function build(eventStore: EventStore): Promise<void> {
  const store = openSqliteStore({
    folder: join(base, 'models'),
    version: readModelsVersion,
    collections: allCollections,
  });
  const stopping = new AbortController();
  const status = newStatus();
  const [begunAt, before] = [performance.now(), process.cpuUsage()];
  const running = runProjector(
    {
      eventStore,
      store,
      models: allModels,
      log: createLog('bench', 'warn'),
      signal: stopping.signal,
      now: () => new Date(),
      keepSeconds: tenYearsSeconds,
    },
    status,
  );
  while (!status.caughtUp) await sleep(20);
  const seconds = (performance.now() - begunAt) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const processor = ((user + system) / 1_000_000).toFixed(1);
  console.log(
    `${rows} facts read and ${status.facts} applied in ${seconds.toFixed(1)} s (${Math.round(rows / seconds)} a second), ` +
      `${processor} s of the processor, both threads`,
  );
  stopping.abort();
  await running;
  await store.close();
}

const server = await startEventStore({ folder: join(base, 'log'), socketPath: join(base, 's') });
const eventStore = connectEventStore({ connectionString: server.connectionString });
try {
  const begunAt = performance.now();
  await fill(eventStore);
  console.log(`${rows} facts appended in ${((performance.now() - begunAt) / 1_000).toFixed(0)} s`);
  await build(eventStore);
} finally {
  await eventStore.close();
  await server.stop();
  rmSync(base, { recursive: true });
}
