/**
 * Where the read models are kept: in MongoDB when a server is named, else in files of the data folder. Writer and readers find
 * the same place from the same three variables; nothing else in the product knows which of the two it is.
 */
import { join } from 'node:path';
import { allCollections, readModelsVersion } from './all-models.ts';
import type { ReadStore, ReadStoreReader } from './read-store.ts';
import { openSqliteReader } from './sqlite/reader.ts';
import { buildSqliteStore, openSqliteStore } from './sqlite/store.ts';

/** A folder, or a server with the name of a database. */
export type ReadModelsPlace =
  | { readonly folder: string }
  | { readonly connectionString: string; readonly database: string };

/** What the services read from their environment. */
export type PlaceVariables = {
  readonly CLUSTRAL_DATA: string;
  readonly MONGO_CONNECTION_STRING?: string | undefined;
  readonly MONGO_DATABASE_NAME: string;
};

/** The place that the variables name. */
export function placeOf(variables: PlaceVariables): ReadModelsPlace {
  const { CLUSTRAL_DATA: data, MONGO_CONNECTION_STRING: connectionString, MONGO_DATABASE_NAME: database } = variables;
  return connectionString === undefined ? { folder: join(data, 'read-models') } : { connectionString, database };
}

/** Opens the place for the one who writes. Throws `ReadStoreFailed` when the server does not answer. */
export async function openReadStore(place: ReadModelsPlace): Promise<ReadStore> {
  const options = { version: readModelsVersion, collections: allCollections };
  if ('folder' in place) return openSqliteStore({ ...place, ...options });
  // The driver is large, and most processes never need it.
  const { openMongoStore } = await import('./mongodb/store.ts');
  return openMongoStore({ ...place, ...options });
}

/** A place for building the read models anew, beside those that readers see, which another process goes on writing. */
export async function openReadStoreBeside(place: ReadModelsPlace): Promise<ReadStore> {
  const options = { version: readModelsVersion, collections: allCollections };
  if ('folder' in place) return buildSqliteStore({ ...place, ...options });
  const { buildMongoStore } = await import('./mongodb/store.ts');
  return buildMongoStore({ ...place, ...options });
}

/** Opens it for those who read; nothing need be there yet. */
export async function openReader(
  place: ReadModelsPlace,
): Promise<ReadStoreReader & { readonly isBuilt: () => boolean; readonly close: () => void }> {
  const version = readModelsVersion;
  if ('folder' in place) return openSqliteReader({ ...place, version });
  const { openMongoReader } = await import('./mongodb/reader.ts');
  return openMongoReader({ ...place, version });
}
