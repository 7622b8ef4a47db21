/**
 * The database files of the read models: `read-models-v<version>-<n>.db`, and beside them `read-models-v<version>.current`, a
 * text file that names the one that readers open. A new database is built beside and becomes current by one rename of that
 * text file; a database file itself is never renamed or overwritten, because its WAL belongs to its name.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const databaseName = /^read-models-v(\d+)-(\d+)\.db$/;
const anyName = /^read-models-v(\d+)(?:-(\d+)\.db(?:-wal|-shm)?|\.current(?:\.new)?)$/;

/** One version's files in the folder. */
export type Files = { readonly folder: string; readonly version: number };

export const pointerPath = ({ folder, version }: Files): string => join(folder, `read-models-v${version}.current`);

/** Path of the database that readers open; undefined before the first was built. */
export function currentDatabase(files: Files): string | undefined {
  try {
    const name = readFileSync(pointerPath(files), 'utf8').trim();
    return databaseName.test(name) ? join(files.folder, name) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Path of the database that was being built when the process ended, if there is one. */
export function unfinishedDatabase(files: Files): string | undefined {
  const newest = databasesOf(files).at(-1);
  return newest === undefined ? undefined : join(files.folder, newest);
}

/** Path for a new database; creates the folder, for this user only. */
export function newDatabase(files: Files): string {
  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  const newest = databasesOf(files).at(-1);
  const number = newest === undefined ? 0 : Number(databaseName.exec(newest)?.[2]);
  return join(files.folder, `read-models-v${files.version}-${number + 1}.db`);
}

/** Makes the database the one that readers open, then removes every other one, of this version and of older ones. */
export function makeCurrent(files: Files, name: string): void {
  const pointer = pointerPath(files);
  writeFileSync(`${pointer}.new`, `${name}\n`, { mode: 0o600 });
  renameSync(`${pointer}.new`, pointer);
  for (const other of readdirSync(files.folder)) {
    const version = Number(anyName.exec(other)?.[1] ?? Number.POSITIVE_INFINITY);
    const isCurrent = other.startsWith(name) || join(files.folder, other) === pointer;
    if (version <= files.version && !isCurrent) rmSync(join(files.folder, other), { force: true });
  }
}

/** Removes a database with its WAL. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
}

function databasesOf({ folder, version }: Files): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => Number(databaseName.exec(name)?.[1]) === version)
    .toSorted((one, other) => Number(databaseName.exec(one)?.[2]) - Number(databaseName.exec(other)?.[2]));
}
