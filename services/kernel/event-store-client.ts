/**
 * Makes the official client from a connection string, with the credentials that every call then carries. It refuses a
 * string that would lead to calls without credentials over TLS, and never puts a connection string into a message: there
 * is a password in it.
 */
import { EventStoreDBClient, type Credentials } from '@eventstore/db-client';

const stopLimitMs = 2_000;
/** Insecure connections send no credentials at all; a pair on the call only keeps the client from batch appends. */
const placeholder: Credentials = { username: 'clustral', password: 'clustral' };

/** What the client's types hide and this file needs. */
type ClientInside = {
  getChannel(): Promise<{ close(): void }>;
  handleError: (...failed: readonly unknown[]) => Promise<void>;
};

/** Throws a plain `Error` when the string cannot be used. Connects to nothing yet. */
export function createClient(connectionString: string): { client: EventStoreDBClient; credentials: Credentials } {
  const created = openClient(connectionString);
  const inside = created.client as unknown as ClientInside;
  const { handleError } = inside;
  // The client calls this after each failed call and does not wait for it. It rejects when a cluster has no reachable
  // member just then, and a rejection that nobody waits for ends the process.
  inside.handleError = (...failed) => handleError(...failed).catch(() => undefined);
  return created;
}

function openClient(connectionString: string): { client: EventStoreDBClient; credentials: Credentials } {
  if (connectionString.startsWith('unix:')) {
    const client = new EventStoreDBClient({ endpoint: connectionString }, { insecure: true });
    return { client, credentials: placeholder };
  }
  const credentials = credentialsOf(connectionString);
  try {
    return { client: EventStoreDBClient.connectionString(connectionString), credentials };
  } catch {
    // The client's own error carries the whole string.
    throw new Error(
      'EVENTSTORE_CONNECTION_STRING cannot be read: write esdb://user:password@host:2113?tls=true, or unix:/path.',
    );
  }
}

/** Ends all calls and closes the channel, which `dispose` leaves open. */
export async function closeClient(client: EventStoreDBClient): Promise<void> {
  const { promise: limit, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, stopLimitMs);
  await Promise.race([client.dispose(), limit]);
  clearTimeout(timer);
  (await (client as unknown as ClientInside).getChannel()).close();
}

function credentialsOf(connectionString: string): Credentials {
  const [, username, password] = /^[a-z+]+:\/\/([^:/?@]+):([^@]+)@/i.exec(connectionString) ?? [];
  if (username !== undefined && password !== undefined) {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  }
  if (/[?&]tls=false(&|$)/i.test(connectionString)) return placeholder;
  throw new Error('EVENTSTORE_CONNECTION_STRING names no user and password, which a server with TLS wants.');
}
