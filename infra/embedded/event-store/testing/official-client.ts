/** A store in a thread of this process, and the official client as it comes, without our facade. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent, type ResolvedEvent } from '@eventstore/db-client';
import { startEventStore, type RunningEventStore } from '../start.ts';

export type Stage = {
  readonly folder: string;
  readonly store: RunningEventStore;
  /** Of a loopback port, without TLS. */
  readonly connectionString: string;
  readonly client: EventStoreDBClient;
  stop(): Promise<void>;
};

export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'es-'));
  const store = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock'), tcpPort: 0 });
  const connectionString = store.tcpConnectionString ?? '';
  const client = EventStoreDBClient.connectionString(connectionString);
  const stop = async () => {
    await client.dispose();
    await store.stop();
    rmSync(folder, { recursive: true });
  };
  return { folder, store, connectionString, client, stop };
}

/** Makes the client use the plain append: without it, it uses batch appends. */
export const credentials = { username: 'admin', password: 'changeit' };

export const counted = (n: number, type = 'counted') => jsonEvent({ type, data: { n } });
export const countedTo = (count: number, type?: string) => Array.from({ length: count }, (_, n) => counted(n, type));

export async function collect(events: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const found: ResolvedEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

export const numbersOf = (events: readonly ResolvedEvent[]) =>
  events.map(({ event }) => (event?.data as { n: number } | undefined)?.n);

export async function numbers(events: AsyncIterable<ResolvedEvent>): Promise<(number | undefined)[]> {
  return numbersOf(await collect(events));
}

/** What a promise was rejected with. */
export function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
}

/** Reads everything that a server holds and says how many events that were. */
export async function countAll(connectionString: string): Promise<number> {
  const client = connectionString.startsWith('unix:')
    ? new EventStoreDBClient({ endpoint: connectionString }, { insecure: true })
    : EventStoreDBClient.connectionString(connectionString);
  let count = 0;
  for await (const _ of client.readAll()) count += 1;
  await client.dispose();
  return count;
}
