/**
 * Files of keys as they are written: whole or not at all, on the disk before anybody relies on them, and with the owner and mode of the file
 * they replace, because the command may run as somebody else than the service that reads them.
 */
import {
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** The text of a file of keys. Throws what reading it throws. */
export const readKeyFile = (path: string): string => readFileSync(path, 'utf8');

/** Replaces a file by these keys; mode and owner are those of `like`. */
export function replaceKeyFile(path: string, keysPem: readonly string[], like = path): void {
  const { mode, uid, gid } = statSync(like);
  const beside = `${path}.new`;
  rmSync(beside, { force: true });
  const file = openSync(beside, 'wx', mode & 0o777);
  try {
    writeSync(file, `${keysPem.join('\n')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (process.getuid?.() === 0) chownSync(beside, uid, gid);
  renameSync(beside, path);
  syncFolder(path);
}

/** Puts a file in the place of another; its time is that of the change. */
export function renameKeyFile(from: string, to: string): void {
  const now = new Date();
  utimesSync(from, now, now);
  renameSync(from, to);
  syncFolder(to);
}

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
