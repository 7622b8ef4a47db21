/**
 * What the embedded event store costs beside bare SQLite with the same durability (write-ahead log, `synchronous = FULL`), taken
 * in turns in one run: bare, store, bare, store, … Figures of one run may be compared with each other and with nothing else.
 * `node infra/bench/event-store.ts [--quick]`; the full form also fills a log with a million events (about a minute).
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import type { NewFact, Revision } from '@clustral/schemas/events/envelope.ts';
import { openEventLog, type EventLog } from '../embedded/event-store/event-log.ts';
import { startEventStore } from '../embedded/event-store/start.ts';
import { append } from '../embedded/event-store/testing/changes.ts';
import { countAll } from '../embedded/event-store/testing/official-client.ts';
import { BareTable } from './bare-sqlite.ts';

/** Of bare SQLite in the same run. */
const goals = { single: 0.28, inFlight: 0.03, hundred: 0.15 };
const inFlight = 32;
const perAppend = 100;

const quick = process.argv.includes('--quick');
const rounds = quick ? 3 : 7;
const millisecondsEach = quick ? 700 : 1_500;
const base = mkdtempSync(join(tmpdir(), 'bench-es-'));

function factOf(n: number): NewFact {
  return {
    id: randomUUID(),
    type: 'test.counted',
    data: { n, fill: 'x'.repeat(400) },
    metadata: { schemaVersion: 1, actor: { kind: 'user', id: randomUUID() }, epoch: 3, $correlationId: randomUUID() },
  };
}

const factsOf = (count: number): NewFact[] => Array.from({ length: count }, (_, n) => factOf(n));
const at = (sorted: readonly number[], part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
const median = (numbers: readonly number[]): number =>
  at(
    numbers.toSorted((a, b) => a - b),
    0.5,
  );

async function appends(): Promise<void> {
  const store = await startEventStore({ folder: join(base, 'appends'), socketPath: join(base, 'es.sock') });
  const log = connectEventStore({ connectionString: store.connectionString });
  const nothing = await startNothing(join(base, 'no.sock'));
  const rows = [
    { name: 'append alone', goal: goals.single, batch: 1, work: { writers: 1, count: 1 } },
    {
      name: `${inFlight} appends in flight`,
      goal: goals.inFlight,
      batch: inFlight,
      work: { writers: inFlight, count: 1 },
    },
    {
      name: `${perAppend} events per append`,
      goal: goals.hundred,
      batch: perAppend,
      work: { writers: 1, count: perAppend },
    },
  ];
  console.log(`events per second, median of ${rounds} rounds in turns; "nothing" is a server that stores nothing`);
  for (const { name, goal, batch, work } of rows) {
    await appending(log, work);
    const figures: { bare: number; store: number; nothing: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const table = new BareTable(join(base, 'bare.db'));
      const bare = table.eventsPerSecond(batch, millisecondsEach);
      table.remove();
      figures.push({ bare, store: await appending(log, work), nothing: await appending(nothing.log, work) });
    }
    const ratios = figures.map((figure) => figure.store / figure.bare);
    const [ofStore, ofBare, ofNothing] = (['store', 'bare', 'nothing'] as const).map((kind) =>
      median(figures.map((figure) => figure[kind])).toFixed(0),
    );
    const span = `${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`;
    console.log(
      `  ${name.padEnd(22)} ratio ${median(ratios).toFixed(3)} (${span}; goal ${goal})   ` +
        `store ${ofStore}   bare ${ofBare}   nothing ${ofNothing}`,
    );
  }
  await nothing.stop();
  await log.close();
  await store.stop();
}

async function startNothing(path: string): Promise<{ readonly log: EventStore; stop(): Promise<void> }> {
  const worker = new Worker(new URL('./event-store-nothing.ts', import.meta.url), { workerData: { path } });
  await once(worker, 'message');
  const log = connectEventStore({ connectionString: `unix:${path}` });
  const stop = async () => {
    await log.close();
    await worker.terminate();
  };
  return { log, stop };
}

type Work = { readonly writers: number; readonly count: number };

async function appending(log: EventStore, { writers, count }: Work): Promise<number> {
  let events = 0;
  const begunAt = performance.now();
  const write = async () => {
    const stream = `bench-${randomUUID()}`;
    let revision: Revision = 'none';
    while (performance.now() - begunAt < millisecondsEach) {
      ({ revision } = await log.append(stream, revision, factsOf(count)));
      events += count;
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return events / ((performance.now() - begunAt) / 1_000);
}

async function reads(): Promise<void> {
  const store = await startEventStore({ folder: join(base, 'reads'), socketPath: join(base, 'er.sock') });
  const log = connectEventStore({ connectionString: store.connectionString });
  const aggregate = `bench-${randomUUID()}`;
  await log.append(aggregate, 'none', factsOf(20));
  const loads = await timesOf(quick ? 200 : 500, () => log.load(aggregate));
  console.log(
    `load a stream of 20 facts    p50 ${at(loads, 0.5).toFixed(2)} ms   p99 ${at(loads, 0.99).toFixed(2)} ms`,
  );
  const latencies = await deliveries(log, quick ? 200 : 1_000);
  console.log(
    `append to subscriber         p50 ${at(latencies, 0.5).toFixed(2)} ms   p99 ${at(latencies, 0.99).toFixed(2)} ms`,
  );
  const many = `bench-${randomUUID()}`;
  let revision: Revision = 'none';
  for (let n = 0; n < (quick ? 100 : 300); n += 1)
    ({ revision } = await log.append(many, revision, factsOf(perAppend)));
  const begunAt = performance.now();
  const count = await countAll(store.connectionString);
  const seconds = (performance.now() - begunAt) / 1_000;
  console.log(`read everything              ${(count / seconds).toFixed(0)} events/s of ${count}`);
  await log.close();
  await store.stop();
}

async function timesOf(times: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const found: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const begunAt = performance.now();
    await work();
    found.push(performance.now() - begunAt);
  }
  return found.toSorted((a, b) => a - b);
}

/** From the answer of an append being asked for to the fact being in a subscriber's hands. */
async function deliveries(log: EventStore, times: number): Promise<readonly number[]> {
  const category = `delivered${randomUUID().replaceAll('-', '')}`;
  const stop = new AbortController();
  let arrived = Promise.withResolvers<void>();
  const following = (async () => {
    for await (const { kind } of log.subscribe({ prefixes: [category], signal: stop.signal }))
      if (kind !== 'checkpoint') arrived.resolve();
  })();
  await arrived.promise;
  let revision: Revision = 'none';
  const found = await timesOf(times, async () => {
    arrived = Promise.withResolvers();
    ({ revision } = await log.append(`${category}-1`, revision, [factOf(1)]));
    await arrived.promise;
  });
  stop.abort();
  await following;
  return found;
}

/** A log of many events of 650 bytes, straight into its files: how long it takes to open, and to scavenge half of it. */
async function greatLog(events: number): Promise<void> {
  const folder = join(base, 'great');
  const data = [JSON.stringify({ fill: 'x'.repeat(600) })];
  const fatal = (error: Error): never => {
    throw error;
  };
  const open = (): EventLog => openEventLog({ folder, note: () => undefined, fatal, now: () => Date.now() });
  const filling = open();
  const streams = 1_000;
  const each = Array.from({ length: 50 }, () => data[0] ?? '');
  for (let n = 0; n * 50 < events; n += 32) {
    await Promise.all(
      Array.from({ length: 32 }, (_, k) => append(filling, `aggregate-${(n + k) % streams}`, { data: each })),
    );
  }
  await filling.close();
  const megabytes = statSync(join(folder, 'log.db')).size / 1e6;
  const openings: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    const begunAt = performance.now();
    const log = open();
    openings.push(performance.now() - begunAt);
    await log.close();
  }
  console.log(`open a log of ${events} events    ${median(openings).toFixed(0)} ms (${megabytes.toFixed(0)} MB)`);
  await scavenging(open(), events);
}

async function scavenging(log: EventLog, events: number): Promise<void> {
  for (let n = 0; n < 500; n += 1) await append(log, `$$aggregate-${n}`, { data: ['{"$maxCount":5}'] });
  const holds: number[] = [];
  let done = false;
  // What a caller feels: how long an append takes while slices run.
  const feeling = (async () => {
    while (!done) {
      const begunAt = performance.now();
      await append(log, 'felt');
      holds.push(performance.now() - begunAt);
    }
  })();
  const begunAt = performance.now();
  const limit = setTimeout(() => (done = true), 60_000);
  const removed = await log.scavenge();
  done = true;
  clearTimeout(limit);
  await feeling;
  const { scavenges, checkpoints } = log.metrics;
  const sorted = holds.toSorted((a, b) => a - b);
  console.log(
    `scavenge ${removed} of ${events}      ${((performance.now() - begunAt) / 1_000).toFixed(1)} s; longest slice ${scavenges.longestMs.toFixed(1)} ms, ` +
      `longest checkpoint ${checkpoints.longestMs.toFixed(1)} ms; appends meanwhile p50 ${at(sorted, 0.5).toFixed(2)} ms, longest ${at(sorted, 1).toFixed(1)} ms`,
  );
  await log.close();
}

try {
  await appends();
  await reads();
  await greatLog(quick ? 100_000 : 1_000_000);
} finally {
  rmSync(base, { recursive: true });
}
