/**
 * Opens the log's files: one folder, one process, one SQLite database. It refuses a folder that another process has open,
 * a schema it does not know, and files that are not what was written; it repairs nothing but the torn tail of a crash.
 *
 *   lock.db    held under an exclusive lock for as long as the folder is open; holds nothing
 *   log.db     the events, with log.db-wal and log.db-shm beside it
 *   log.head   what was acknowledged last (head-file.ts)
 *
 * Rule: nobody writes to log.db or its WAL before holding lock.db, and nothing is written before everything was looked at. The
 * walk of the WAL cuts torn tails, and what looks like a torn tail may be another process's commit on its way.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { asDamage, DamagedLog } from './damage.ts';
import { HeadFile, readHead, type FoundHead } from './head-file.ts';
import { inspectDatabase, isEmptyDatabase, type Inspection } from './integrity.ts';
import type { Note } from './records.ts';
import { schema, schemaVersion } from './schema.ts';
import { isBusy } from './sqlite-errors.ts';
import { cutWal, walkWal, type WalVerdict } from './wal-walk.ts';

export type OpenedDatabase = Inspection & {
  readonly database: DatabaseSync;
  readonly head: HeadFile;
  /** Copies the WAL into the database and releases the files. Safe to leave out: a crash takes the same start path. */
  close(): void;
};

const readableWithinMs = 5_000;

export const logFile = 'log.db';
export const headFile = 'log.head';

/**
 * Opens the folder, creating it (mode 0700) when it is not there. Throws `DamagedLog`, or a plain `Error` whose message
 * is one sentence for the operator.
 */
export function openDatabase(folder: string, note: (note: Note) => void): OpenedDatabase {
  prepareFolder(folder);
  const lock = takeLock(folder);
  const path = join(folder, logFile);
  try {
    const acknowledged = readHead(join(folder, headFile));
    const wal = walkWal(`${path}-wal`);
    const found = inspectFiles(path, { wal, acknowledged });
    if (acknowledged === 'unreadable') {
      note({ level: 'warn', message: `${join(folder, headFile)} is not what was written; it is written anew` });
    }
    if (wal.kind === 'torn') {
      cutWal(`${path}-wal`, wal);
      const message = `cut ${wal.bytes} bytes of an unfinished commit at byte ${wal.offset} of ${path}-wal`;
      note({ level: 'warn', message });
    }
    const database = new DatabaseSync(path);
    configure(database);
    if (found === undefined) create(database);
    const inspection = found ?? inspectDatabase(database, 'none');
    const head = new HeadFile(join(folder, headFile));
    head.write(inspection.end);
    const close = () => {
      // In this order: a head that is ahead of the database would be taken for a loss.
      database.close();
      head.close();
      lock.close();
    };
    return { ...inspection, database, head, close };
  } catch (cause) {
    lock.close();
    throw asDamage(cause, path);
  }
}

/** Held by an open transaction: the system releases it when the process ends, however it ends. Undefined when another has it. */
export function tryLock(folder: string): DatabaseSync | undefined {
  const lock = new DatabaseSync(join(folder, 'lock.db'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw cause;
    return undefined;
  }
}

/** A connection that reads beside a running store; it waits for the moments in which nobody may read. */
export function openToRead(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: readableWithinMs });
}

/** Waits until a file, or the entries of a folder, are on the disk. A new file is only as durable as the entry that names it. */
export function syncFile(path: string): void {
  const handle = openSync(path, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

function takeLock(folder: string): DatabaseSync {
  const lock = tryLock(folder);
  if (lock !== undefined) return lock;
  throw new Error(
    `Another process has the log in ${folder} open: the embedded event store is for one process. ` +
      'Stop the other one, or set EVENTSTORE_CONNECTION_STRING to an EventStoreDB (or KurrentDB) that both use.',
  );
}

type Found = { readonly wal: WalVerdict; readonly acknowledged: FoundHead };

/** Undefined when there is no log yet. Throws `DamagedLog` before anything was written. */
function inspectFiles(path: string, { wal, acknowledged }: Found): Inspection | undefined {
  if (existsSync(path)) {
    const database = openToRead(path);
    try {
      if (!isEmptyDatabase(database)) return inspectDatabase(database, acknowledged);
    } catch (cause) {
      // A last commit that is torn and was acknowledged is damage, and the byte to look at is in the write-ahead log.
      if (!(cause instanceof DamagedLog) || wal.kind !== 'torn') throw cause;
      throw new DamagedLog(`${path}-wal breaks off at byte ${wal.offset}; ${cause.finding}`);
    } finally {
      database.close();
    }
  }
  if (typeof acknowledged === 'string' || acknowledged.position === 0) return undefined;
  throw new DamagedLog(`${path} is empty from byte 0 on, and position ${acknowledged.position} was acknowledged.`);
}

function prepareFolder(folder: string): void {
  const created = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
  for (const directory of created === undefined ? [folder] : [folder, dirname(folder)]) syncFile(directory);
}

function configure(database: DatabaseSync): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA cache_size = -32768;
    PRAGMA temp_store = MEMORY;
    PRAGMA cell_size_check = ON;
  `);
}

function create(database: DatabaseSync): void {
  database.exec(`BEGIN IMMEDIATE; ${schema.join('; ')}; PRAGMA user_version = ${schemaVersion}`);
  database.prepare("INSERT INTO meta (k, v) VALUES ('store id', ?)").run(randomUUID());
  database.exec('COMMIT');
}
