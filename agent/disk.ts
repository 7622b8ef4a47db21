/**
 * The few steps on a disk from which the identity folder is made, each durable when it returns. They stand behind one
 * interface so that a test can end the process's life between any two of them (F-05).
 */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';

export type Disk = {
  /** Makes the folder and those above it, for the owner only. */
  makeFolder(path: string): Promise<void>;
  /** Writes a new file and waits until it is on the disk. */
  writeFile(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Waits until the names in the folder are on the disk. */
  syncFolder(path: string): Promise<void>;
  /** Removes a file or a folder with all in it; one that is not there is fine. */
  remove(path: string): Promise<void>;
  /** Names in the folder; none when there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  /** Undefined when there is no such file. */
  readFile(path: string): Promise<string | undefined>;
};

export const realDisk: Disk = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  async writeFile(path, text) {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  async syncFolder(path) {
    // Windows opens no folders; its file systems keep their own journal of names.
    if (process.platform === 'win32') return;
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  async remove(path) {
    await rm(path, { recursive: true, force: true });
  },
  async list(path) {
    return unlessMissing(readdir(path), []);
  },
  readFile(path) {
    return unlessMissing<string | undefined>(readFile(path, 'utf8'), undefined);
  },
};

async function unlessMissing<T>(promise: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise;
    throw error;
  }
}
