/**
 * Copies of the log. A backup is taken in one read transaction, so it is the log as it was at one moment, whether or not a
 * store is running on it; it is checked as a whole before it counts. A restore checks the copy again, puts it into a folder
 * that holds no log, and is there completely or not at all.
 *
 * A backup is one database without a write-ahead log, with its head file: a folder that can be read where nothing can be
 * written.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { chainTail } from '../chain-check.ts';
import { asDamage } from '../damage.ts';
import { headFile, logFile, openDatabase, openToRead, syncFile, tryLock } from '../database.ts';
import { HeadFile } from '../head-file.ts';
import { inspectDatabase } from '../integrity.ts';
import { checkFolder } from './verify.ts';

/** More pages than any log has: all in one step, which is one transaction. */
const allPages = 2 ** 31 - 1;

/** Resolves with a sentence that says what was copied. Throws before anything is written when `to` holds something. */
export async function backUp({ data, to }: { readonly data: string; readonly to: string }): Promise<string> {
  if (!existsSync(join(data, logFile))) throw new Error(`There is no log in ${data}.`);
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new Error(`${to} is not empty: a backup wants a folder of its own.`);
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const target = join(to, logFile);
  try {
    await copyLog(data, target);
    finishCopy(data, to);
    const { events, position } = await checkFolder(to);
    syncFile(to);
    return `backed up ${events} events up to position ${position} into ${to}`;
  } catch (error) {
    for (const name of [logFile, headFile]) rmSync(join(to, name), { force: true });
    throw error;
  }
}

/** Resolves with a sentence that says what was restored. */
export async function restore({ from, data }: { readonly from: string; readonly data: string }): Promise<string> {
  const { events, position } = await checkFolder(from);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const lock = tryLock(data);
  if (lock === undefined) throw new Error(`A store is running on ${data}: stop it before something is restored there.`);
  try {
    if (existsSync(join(data, logFile))) {
      throw new Error(`${data} holds a log already: restore into an empty folder, or move that log away first.`);
    }
    // The log before its head: a head without its log would be taken for a loss.
    for (const name of [logFile, headFile]) {
      const partial = join(data, `${name}.partial`);
      copyFileSync(join(from, name), partial);
      syncFile(partial);
      renameSync(partial, join(data, name));
      syncFile(data);
    }
    syncFile(dirname(data));
  } finally {
    lock.close();
  }
  return `restored ${events} events up to position ${position} into ${data}`;
}

/** From a connection that reads beside the running store, or, when none runs, after the start that a store would make. */
async function copyLog(data: string, target: string): Promise<void> {
  const lock = tryLock(data);
  lock?.close();
  if (lock !== undefined) {
    const opened = openDatabase(data, () => undefined);
    try {
      await backup(opened.database, target, { rate: allPages });
    } finally {
      opened.close();
    }
    return;
  }
  const source = openToRead(join(data, logFile));
  try {
    await backup(source, target, { rate: allPages });
  } catch (error) {
    throw asDamage(error, join(data, logFile));
  } finally {
    source.close();
  }
}

/** Makes the copy a database by itself and holds it against what was acknowledged before it was begun. */
function finishCopy(data: string, to: string): void {
  const copy = new DatabaseSync(join(to, logFile));
  try {
    copy.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL');
    inspectDatabase(copy, 'none');
    const head = new HeadFile(join(to, headFile));
    head.write(chainTail(copy, Buffer.alloc(32), 0));
    head.close();
  } finally {
    copy.close();
  }
  syncFile(join(to, logFile));
}
