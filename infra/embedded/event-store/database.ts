/**
 * Opens the log's files: one folder, one process, one SQLite database. It refuses a folder that another process has open,
 * a schema it does not know, and files that are not what was written; it repairs nothing but the torn tail of a crash.
 *
 *   lock.db   held under an exclusive lock for as long as the folder is open; holds nothing
 *   log.db    the events, with log.db-wal beside it
 *
 * Rule: nobody touches log.db or its WAL before holding lock.db. The walk of the WAL cuts torn tails, and what looks like
 * a torn tail may be another process's commit on its way.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { chainTail, checkChain, genesis } from './hash-chain.ts';
import type { Note } from './records.ts';
import { isBusy } from './sqlite-errors.ts';
import { walkWal } from './wal-walk.ts';

const schemaVersion = 1;
const rowsCheckedAtStart = 10_000;

const schema = `
  CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE types (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last INTEGER NOT NULL, metadata TEXT
  ) STRICT;
  CREATE TABLE events (
    pos INTEGER PRIMARY KEY, stream INTEGER NOT NULL, rev INTEGER NOT NULL, id BLOB NOT NULL, type INTEGER NOT NULL,
    json INTEGER NOT NULL, created INTEGER NOT NULL, data BLOB NOT NULL, meta BLOB NOT NULL, hash BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_by_stream ON events (stream, rev);
`;

export type OpenedDatabase = {
  readonly database: DatabaseSync;
  /** The hash that the first event is chained to. */
  readonly origin: Buffer;
  /** Copies the WAL into the database and releases both files. Safe to leave out: a crash takes the same start path. */
  close(): void;
};

/**
 * Opens the folder, creating it (mode 0700) when it is not there. Throws `DamagedLog`, or a plain `Error` whose message
 * is one sentence for the operator.
 */
export function openDatabase(folder: string, note: (note: Note) => void): OpenedDatabase {
  prepareFolder(folder);
  const lock = takeLock(folder);
  try {
    const path = join(folder, 'log.db');
    const wal = walkWal(`${path}-wal`);
    if (wal.kind === 'torn') {
      const message = `cut ${wal.bytes} bytes of an unfinished commit at byte ${wal.offset} of ${path}-wal`;
      note({ level: 'warn', message });
    }
    const database = new DatabaseSync(path);
    const origin = prepareDatabase(database, path);
    checkChain(database, chainTail(database, origin, rowsCheckedAtStart), rowsCheckedAtStart);
    return { database, origin, close: () => closeBoth(database, lock) };
  } catch (cause) {
    lock.close();
    throw cause;
  }
}

function prepareFolder(folder: string): void {
  const created = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
  // A new file is only as durable as the directory entry that names it.
  for (const directory of created === undefined ? [folder] : [folder, dirname(folder)]) {
    const handle = openSync(directory, 'r');
    fsyncSync(handle);
    closeSync(handle);
  }
}

/** Held by an open transaction: the system releases it when the process ends, however it ends. */
function takeLock(folder: string): DatabaseSync {
  const lock = new DatabaseSync(join(folder, 'lock.db'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw cause;
    throw new Error(
      `Another process has the log in ${folder} open: the embedded event store is for one process. ` +
        'Stop the other one, or set EVENTSTORE_CONNECTION_STRING to an EventStoreDB that both use.',
      { cause },
    );
  }
}

function prepareDatabase(database: DatabaseSync, path: string): Buffer {
  database.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA cache_size = -32768;
    PRAGMA temp_store = MEMORY;
  `);
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (version === 0) {
    database.exec(`BEGIN IMMEDIATE; ${schema} PRAGMA user_version = ${schemaVersion}`);
    database.prepare("INSERT INTO meta (k, v) VALUES ('store id', ?)").run(randomUUID());
    database.exec('COMMIT');
  } else if (version !== schemaVersion) {
    throw new Error(
      `${path} was written by another version of the event store (schema ${String(version)}, not ${schemaVersion}).`,
    );
  }
  const storeId = database.prepare("SELECT v FROM meta WHERE k = 'store id'").get()?.['v'];
  return genesis(String(storeId));
}

function closeBoth(database: DatabaseSync, lock: DatabaseSync): void {
  database.close();
  lock.close();
}
