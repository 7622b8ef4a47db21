/**
 * Reads a whole log and says whether it is what was written: the write-ahead log frame by frame, every page, every index, and
 * the chain of hashes from the first event to the one acknowledged last. It changes nothing, and a store may be running.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { asDamage } from '../damage.ts';
import { headFile, logFile, openToRead, tryLock } from '../database.ts';
import { readHead } from '../head-file.ts';
import { checkEverything, inspectDatabase } from '../integrity.ts';
import { walkWal } from '../wal-walk.ts';

export type Checked = { readonly events: number; readonly position: number; readonly tornBytes: number };

/** Resolves with a sentence for the operator. Throws `DamagedLog`. */
export async function verify(folder: string): Promise<string> {
  const { events, position, tornBytes } = await checkFolder(folder);
  const scavenged = position - events;
  const torn = tornBytes === 0 ? '' : `, and ${tornBytes} bytes of a commit that was never finished`;
  return `${folder} is sound: ${events} events up to position ${position}, ${scavenged} scavenged${torn}`;
}

/** Throws `DamagedLog`, or a plain `Error` when there is no log. */
export async function checkFolder(folder: string): Promise<Checked> {
  const path = join(folder, logFile);
  if (!existsSync(path)) throw new Error(`There is no log in ${folder}.`);
  const acknowledged = readHead(join(folder, headFile));
  const tornBytes = tornBytesOf(folder, `${path}-wal`);
  const database = openToRead(path);
  try {
    const { end } = inspectDatabase(database, acknowledged);
    const events = await checkEverything(database, () => Promise.resolve());
    return { events, position: end.position, tornBytes };
  } catch (error) {
    throw asDamage(error, path);
  } finally {
    database.close();
  }
}

/** While a store is running the write-ahead log changes under the eyes of whoever walks it; the store itself has walked it. */
function tornBytesOf(folder: string, path: string): number {
  if (!existsSync(path)) return 0;
  const lock = tryLock(folder);
  if (lock === undefined) return 0;
  try {
    const wal = walkWal(path);
    return wal.kind === 'torn' ? wal.bytes : 0;
  } finally {
    lock.close();
  }
}
