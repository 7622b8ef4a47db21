/**
 * The data folder: made with mode 0700, marked with the number of its format, and locked, so that two starts on one folder
 * cannot both write. It never repairs and never deletes; what it cannot use it names.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Raised when the layout changes so that an older build must not touch it. */
const format = 1;

/** A folder that cannot be used, said in one sentence for the person at the terminal. */
export class DataFolderError extends Error {}

export type DataFolder = {
  readonly path: string;
  readonly isNew: boolean;
  folder(name: string): string;
  release(): void;
};

/** Opens the folder for this process alone. Throws `DataFolderError`. */
export function openDataFolder(path: string): DataFolder {
  makeFolder(path);
  const lock = lockFolder(path);
  try {
    const isNew = checkFormat(path);
    return {
      path,
      isNew,
      folder: (name) => {
        const folder = join(path, name);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        return folder;
      },
      release: () => lock.close(),
    };
  } catch (cause) {
    lock.close();
    throw cause;
  }
}

function makeFolder(path: string): void {
  try {
    // One by one: a recursive mkdir never comes back from some file systems that have no room for folders (/proc).
    for (const missing of missingFolders(path)) mkdirSync(missing, { mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new DataFolderError(
      `The data folder ${path} cannot be written (${code}): choose another with --data, or change its permissions.`,
    );
  }
  if (!statSync(path).isDirectory()) throw new DataFolderError(`${path} is not a folder: choose another with --data.`);
}

/** What has to be made, outermost first. */
function missingFolders(path: string): readonly string[] {
  if (existsSync(path)) return [];
  const parent = dirname(path);
  return parent === path ? [] : [...missingFolders(parent), path];
}

// SQLite's file lock is the one lock that Node offers which the kernel gives back after kill -9.
function lockFolder(path: string): DatabaseSync {
  const file = join(path, 'lock');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout: 0 });
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock?.close();
    if (/lock/.test((cause as Error).message)) {
      throw new DataFolderError(
        `The data folder ${path} is in use by another 'npm start': stop that one, or choose another folder with --data.`,
      );
    }
    throw new DataFolderError(
      `The file ${file} is damaged or cannot be written (${(cause as Error).message}): restore the folder from a backup, or choose another with --data.`,
    );
  }
}

function checkFormat(path: string): boolean {
  const file = join(path, 'format');
  if (!existsSync(file)) {
    const others = readdirSync(path).filter((name) => !name.startsWith('lock'));
    if (others.length > 0) {
      throw new DataFolderError(
        `The folder ${path} holds other files (${others.slice(0, 3).join(', ')}) and no Clustral data: choose an empty one with --data.`,
      );
    }
    writeFileSync(file, `${format}\n`, { mode: 0o600 });
    return true;
  }
  const text = readFileSync(file, 'utf8').trim();
  if (!/^\d+$/.test(text))
    throw new DataFolderError(
      `${file} is damaged: it must hold the number ${format}. Restore the folder from a backup, or choose another with --data.`,
    );
  if (Number(text) > format)
    throw new DataFolderError(
      `The data folder ${path} was written by a newer Clustral (format ${text}, this build knows ${format}): use that version.`,
    );
  return false;
}
