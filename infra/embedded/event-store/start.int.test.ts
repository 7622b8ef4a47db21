import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEventStore, type RunningEventStore } from './start.ts';

let base: string;
let folder: string;
let socketPath: string;
let running: RunningEventStore[] = [];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'start-'));
  folder = join(base, 'log');
  socketPath = join(base, 'es.sock');
});
afterEach(async () => {
  for (const store of running) await store.stop();
  running = [];
  rmSync(base, { recursive: true });
});

const start = async (): Promise<RunningEventStore> => {
  const store = await startEventStore({ folder, socketPath });
  running.push(store);
  return store;
};

describe('the embedded event store in a thread of its host', () => {
  it('listens on a socket for this user alone, and leaves clean files behind when it stops', async () => {
    const store = await start();
    expect(store.connectionString).toBe(`unix:${socketPath}`);
    expect(store.tcpConnectionString).toBeUndefined();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    await store.stop();
    expect(existsSync(socketPath)).toBe(false);
    expect(existsSync(join(folder, 'log.db-wal'))).toBe(false);
    await store.stop();
  });

  it('stops within its limit although a subscription is open, and its client hears of it', async () => {
    const store = await start();
    const client = new EventStoreDBClient({ endpoint: store.connectionString }, { insecure: true });
    const subscription = client.subscribeToAll();
    const ended = new Promise((resolve) => subscription.once('error', resolve));
    await new Promise((resolve) => subscription.once('caughtUp', () => resolve(0)));
    const since = performance.now();
    await store.stop();
    expect(performance.now() - since).toBeLessThan(3_000);
    expect(await ended).toMatchObject({ type: 'unavailable' });
    await client.dispose();
  });

  it('keeps its files through a stop and a new start', async () => {
    const first = await start();
    const client = new EventStoreDBClient({ endpoint: first.connectionString }, { insecure: true });
    await client.appendToStream('kept', jsonEvent({ type: 'counted', data: { n: 1 } }));
    await first.stop();
    await start();
    await expect
      .poll(
        async () => {
          const found = [];
          for await (const { event } of client.readStream('kept')) found.push(event?.data);
          return found;
        },
        { timeout: 5_000 },
      )
      .toEqual([{ n: 1 }]);
    await client.dispose();
  });

  it('rejects a second start on the same folder and does not disturb the first', async () => {
    const first = await start();
    const second = startEventStore({ folder, socketPath: join(base, 'other.sock') });
    await expect(second).rejects.toThrow(`Another process has the log in ${folder} open`);
    const client = new EventStoreDBClient({ endpoint: first.connectionString }, { insecure: true });
    await client.appendToStream('still', jsonEvent({ type: 'counted', data: { n: 1 } }));
    await client.dispose();
  });

  it('rejects a socket path that the system cannot take, before anything is created', async () => {
    const long = join(base, 'x'.repeat(100));
    await expect(startEventStore({ folder, socketPath: long })).rejects.toThrow('longer than 103 bytes');
    expect(existsSync(folder)).toBe(false);
  });

  it('tells its host what it counts', async () => {
    const store = await start();
    const client = new EventStoreDBClient({ endpoint: store.connectionString }, { insecure: true });
    await client.appendToStream(
      'counted',
      [1, 2].map((n) => jsonEvent({ type: 'counted', data: { n } })),
    );
    const metrics = await store.metrics();
    expect(metrics).toMatchObject({ head: 2, events: 2, queuedChanges: 0, connections: 1 });
    expect(metrics.outcomes.done).toBe(1);
    expect(metrics.commits.count).toBe(1);
    await client.dispose();
    await store.stop();
    await expect(store.metrics()).rejects.toThrow('has stopped');
  });

  it('tells its host why it ended when it finds that the log is not what was written', async () => {
    const first = await start();
    const client = new EventStoreDBClient({ endpoint: first.connectionString }, { insecure: true });
    for (let from = 0; from < 10_100; from += 1_010) {
      const events = Array.from({ length: 1_010 }, (_, n) => jsonEvent({ type: 'counted', data: { n: from + n } }));
      await client.appendToStream('counted', events);
    }
    await client.dispose();
    await first.stop();
    const database = new DatabaseSync(join(folder, 'log.db'));
    database.exec('UPDATE events SET created = created + 1 WHERE pos = 7');
    database.close();
    const store = await start();
    expect((await store.exited).message).toContain('the event at position 7 (stream counted, revision 6)');
  });
});
