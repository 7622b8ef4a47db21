import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditEvents } from '@clustral/projections/audit/query.ts';
import { replayCommand } from '@clustral/projections/replay/command.ts';
import { openReadModels } from '@clustral/projections/read-models.ts';
import { startProjector } from '@clustral/projections/testing/rig.ts';
import type { NewFact, Recorded } from '@clustral/schemas/events/envelope.ts';
import { proxyDaysStream, proxyStream, utcDay, type DayFact, type ProxyFact } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { StreamGone, type EventStore, type LogUpkeep } from '@clustral/kernel/event-store-port.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { openEventLog } from '../../../infra/embedded/event-store/event-log.ts';
import { startEventStore, type RunningEventStore } from '../../../infra/embedded/event-store/start.ts';
import { takeLease, type Lease } from '../lease.ts';
import { startPolicy } from '../policy.ts';
import { Retention, startRetention, type RetentionOptions } from './retention.ts';

type Policy = Awaited<ReturnType<typeof startPolicy>>;

const log = createLog('test', 'silent');
const dayMs = 86_400_000;
const keepSeconds = 90 * 86_400;
const clusterId = 'b1d6f0a4-2c3e-4f58-8e1b-9a7c6d5e4f31' as ClusterId;
const today = utcDay(new Date());
/** So many days after the one that is beginning now. */
const after = (days: number): Date => new Date(Math.floor(Date.now() / dayMs) * dayMs + days * dayMs);
/** Today is over since 48 hours, and older than it is kept. */
const [closing, deleting] = [after(3), after(91)];

let folder: string;
let server: RunningEventStore;
let store: EventStore & LogUpkeep;
let lease: Lease;
let policy: Policy;
let stopping: AbortController;

async function start(): Promise<void> {
  server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  store = connectEventStore({ connectionString: server.connectionString });
  stopping = new AbortController();
  const { signal } = stopping;
  const monotonic = (): number => performance.now();
  lease = await takeLease({ eventStore: store, holder: 'test', log, monotonic, signal });
  policy = await startPolicy({ eventStore: store, lease, log, now: Date.now, monotonic, signal });
}

async function stop(): Promise<void> {
  await policy.stop();
  await lease.stop();
  stopping.abort();
  await store.close();
  await server.stop();
}

/** Stops everything, takes out of the files what their streams no longer show, and starts again. */
async function scavenge(): Promise<number> {
  await stop();
  const fatal = (error: Error): never => {
    throw error;
  };
  const files = openEventLog({ folder: join(folder, 'log'), note: () => undefined, fatal, now: Date.now });
  const removed = await files.scavenge();
  await files.close();
  await start();
  return removed;
}

const metadata = () => ({
  schemaVersion: 1,
  actor: { kind: 'service', id: 'test' } as const,
  epoch: lease.epoch,
  $correlationId: randomUUID(),
});
const refused = (n: number, of: ClusterId | null = clusterId): NewFact<ProxyFact> => ({
  id: randomUUID(),
  type: 'proxy.access_denied',
  data: {
    requestId: randomUUID(),
    clusterId: of,
    userId: null,
    credentialId: null,
    errorCode: 'NO_ROLE_ASSIGNMENT',
    status: 403,
    method: 'GET',
    path: `/api/v1/pods/${n}`,
    count: 1,
  },
  metadata: metadata(),
});

async function appendToday(count: number, of: ClusterId | null = clusterId): Promise<void> {
  const stream = proxyStream(of, today);
  const { revision } = await store.load(stream);
  await store.append(
    stream,
    revision,
    Array.from({ length: count }, (_, n) => refused(n, of)),
  );
}

const retentionAt = (now: Date, options: Partial<RetentionOptions> = {}): Retention =>
  new Retention(
    {
      store,
      policy,
      epoch: lease.epoch,
      keepSeconds,
      log,
      now: () => now,
      recovered: Promise.resolve(),
      ...options,
    },
    stopping.signal,
  );
const daysOf = async (of: ClusterId | null = clusterId): Promise<readonly Recorded<DayFact>[]> =>
  (await store.load<DayFact>(proxyDaysStream(of))).facts;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keep-'));
  await start();
  const data = { clusterId, name: 'prod', description: '', labels: {} };
  const registered = { id: randomUUID(), type: 'cluster.registered', data, metadata: metadata() };
  const { position } = await store.append(`cluster-${clusterId}`, 'none', [registered]);
  await policy.reached(position, 5_000);
});
afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true });
});

describe('a day of proxied requests', () => {
  it('D26 is closed once, 48 hours after it ended, of every cluster and of none', async () => {
    await appendToday(3);
    await appendToday(2, null);
    expect(await retentionAt(after(2)).round()).toEqual({ closed: 0, deleted: 0 });
    expect(await retentionAt(closing).round()).toEqual({ closed: 2, deleted: 0 });
    expect(await retentionAt(closing).round()).toEqual({ closed: 0, deleted: 0 });
    const { facts } = await store.load(proxyStream(clusterId, today));
    expect(await daysOf()).toMatchObject([
      {
        type: 'proxy.day_closed',
        data: {
          clusterId,
          day: today,
          count: 3,
          firstPosition: String(facts[0]?.position),
          lastPosition: String(facts[2]?.position),
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      },
    ]);
    expect(await daysOf(null)).toMatchObject([{ data: { clusterId: null, count: 2 } }]);
  });

  it('D26 is closed before it is deleted, also when both are overdue, and its digest stays', async () => {
    await appendToday(4);
    expect(await retentionAt(deleting).round()).toEqual({ closed: 1, deleted: 1 });
    await expect(store.load(proxyStream(clusterId, today))).rejects.toThrow(StreamGone);
    const [closed, deleted] = await daysOf();
    expect(deleted).toMatchObject({
      type: 'proxy.day_deleted',
      data: { day: today, count: 4, sha256: closed?.data.sha256, keepSeconds },
    });
    expect(await retentionAt(deleting).round()).toEqual({ closed: 0, deleted: 0 });
  });

  it('D26 is not deleted when its records are not those that were closed', async () => {
    await appendToday(2);
    await retentionAt(closing).round();
    await appendToday(1);
    expect(await retentionAt(deleting).round()).toEqual({ closed: 0, deleted: 0 });
    expect((await store.load(proxyStream(clusterId, today))).facts).toHaveLength(3);
  });

  it('D26 is said to be deleted after all when that was cut short in between', async () => {
    await appendToday(2);
    await retentionAt(closing).round();
    const cut = Object.assign(connectEventStore({ connectionString: server.connectionString }), {
      append: async () => {
        throw new Error('cut short');
      },
    });
    await expect(retentionAt(deleting, { store: cut }).round()).rejects.toThrow('cut short');
    await cut.close();
    await expect(store.load(proxyStream(clusterId, today))).rejects.toThrow(StreamGone);
    expect(await retentionAt(deleting).round()).toEqual({ closed: 0, deleted: 1 });
    expect((await daysOf()).map(({ type }) => type)).toEqual(['proxy.day_closed', 'proxy.day_deleted']);
  });

  it('D26 is closed by nobody who has lost the lease', async () => {
    await appendToday(1);
    const assertFresh = (): void => {
      throw new Error('not fresh');
    };
    const stale = retentionAt(closing, { policy: { allClusters: () => policy.allClusters(), assertFresh } });
    await expect(stale.round()).rejects.toThrow('not fresh');
    expect(await daysOf()).toEqual([]);
  });

  it('D26 is kept in order by a job that waits for what an earlier run left, and stops when told', async () => {
    await appendToday(1);
    const recovered = Promise.withResolvers<void>();
    const options = { store, policy, epoch: lease.epoch, keepSeconds, log, now: () => closing };
    const job = startRetention({ ...options, recovered: recovered.promise });
    await appendToday(1);
    recovered.resolve();
    await expect.poll(() => daysOf(), { timeout: 15_000 }).toMatchObject([{ data: { count: 2 } }]);
    await job.stop();
  });
});

describe('after a day was closed, deleted and scavenged', () => {
  it('D26 the log still proves what is left, the read models are what it makes of them, and the audit says from when on it is whole', async () => {
    await appendToday(20);
    await retentionAt(closing).round();
    const projector = startProjector(store, join(folder, 'read-models'), { now: () => closing, keepSeconds });
    const models = await openReadModels({ folder: join(folder, 'read-models') });
    const asked = { filters: { category: 'proxy' }, limit: 50 } as const;
    await models.waitFor((await daysOf()).at(-1)?.position ?? 0n, 10_000);
    const before = await auditEvents(models, asked);
    expect(before.total).toBe(21);
    await retentionAt(deleting).round();
    await models.waitFor((await daysOf()).at(-1)?.position ?? 0n, 10_000);
    await projector.stop();
    models.close();

    expect(await scavenge()).toBeGreaterThanOrEqual(20);
    const replay = await verified();
    expect(replay.text).toContain(
      '1 closed days of proxied requests: 0 as they were closed, 1 deleted, 0 not as they were',
    );
    expect(replay.text).toContain('0 differences');
    expect(replay.code).toBe(0);

    // Rows go by what the log says, before this projector's own time to drop them has come.
    const again = startProjector(store, join(folder, 'read-models'), { now: () => closing, keepSeconds });
    const shown = await openReadModels({ folder: join(folder, 'read-models') });
    const events = async () => (await auditEvents(shown, asked)).items.map(({ event }) => event);
    await expect.poll(events, { timeout: 15_000 }).toEqual(['proxy.day_deleted', 'proxy.day_closed']);
    const { completeFrom } = await auditEvents(shown, { filters: {}, limit: 1 });
    expect(completeFrom).toBe(after(1).getTime());
    shown.close();
    await again.stop();
  });

  it('D26 a record that nobody said was deleted is missed', async () => {
    await appendToday(3);
    await retentionAt(closing).round();
    await store.tombstone(proxyStream(clusterId, today), 2);
    await scavenge();
    const projector = startProjector(store, join(folder, 'read-models'), { now: () => closing, keepSeconds });
    const models = await openReadModels({ folder: join(folder, 'read-models') });
    await models.waitFor((await daysOf()).at(-1)?.position ?? 0n, 10_000);
    const { code, text } = await verified();
    expect(code).toBe(1);
    expect(text).toContain(`nobody said that they were deleted: ${proxyStream(clusterId, today)}`);
    models.close();
    await projector.stop();
  });

  async function verified(): Promise<{ readonly code: number; readonly text: string }> {
    const lines: string[] = [];
    const environment = { CLUSTRAL_DATA: folder, EVENTSTORE_CONNECTION_STRING: server.connectionString };
    const code = await replayCommand(['verify'], environment, { log, print: (line) => lines.push(line) });
    return { code, text: lines.join('\n') };
  }
});
