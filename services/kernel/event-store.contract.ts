/**
 * What the product needs from an event store, whatever stands behind the connection string: the embedded server in every
 * run, a real EventStoreDB when one is named. Stream names are new in each test, so it runs on a log that others use too.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { connectEventStore } from './event-store.ts';
import { describeDeath, type MortalServer } from './event-store-death.contract.ts';
import type { EventStore, LogUpkeep } from './event-store-port.ts';
import { describeStreams } from './event-store-streams.contract.ts';
import { describeSubscriptions } from './event-store-subscriptions.contract.ts';
import { describeUpkeep } from './event-store-upkeep.contract.ts';

export type ServerUnderTest = { readonly connectionString: string; stop(): Promise<void> };

/** Runs on any server. */
export function describeEventStore(name: string, start: () => Promise<ServerUnderTest>): void {
  describe(`the log on ${name}`, () => {
    const { store } = connected(start);
    describeStreams(store);
    describeSubscriptions(store);
    describeUpkeep(store);
    it('answers a ping', async () => {
      await store().ping(5_000);
    });
  });
}

/** Runs on a server of ours. */
export function describeMortalEventStore(name: string, start: () => Promise<MortalServer>): void {
  describe(`the log on ${name}, when the server dies`, () => {
    const { server, store } = connected(start);
    describeDeath(server, store);
  });
}

function connected<S extends ServerUnderTest>(
  start: () => Promise<S>,
): { server: () => S; store: () => EventStore & LogUpkeep } {
  let server: S;
  let store: EventStore & LogUpkeep;
  beforeAll(async () => {
    server = await start();
    store = connectEventStore({ connectionString: server.connectionString });
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });
  return { server: () => server, store: () => store };
}
