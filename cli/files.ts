/**
 * Files at rest in `~/.clustral`: folders 0700, files 0600 and made so, written beside and renamed so that a reader sees the old or the new one
 * and never half of it (ID-12). A symbolic link in place of a file is refused.
 */
import { lstatSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import writeFileAtomic from 'write-file-atomic';
import { CliError, exitCodes } from './failure.ts';

/** The JSON in a file, or undefined when there is none. Throws when the file cannot be read or is damaged. */
export function readJson<T>(path: string): T | undefined {
  refuseLink(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError(
      exitCodes.failed,
      `cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`,
      'check who owns the file and its permissions',
    );
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new CliError(
      exitCodes.failed,
      `${path} is damaged: it is not JSON`,
      `remove the file and run 'clustral login' again`,
    );
  }
}

/** Writes JSON with mode 0600, all or nothing. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  refuseLink(path);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new CliError(
      exitCodes.failed,
      `cannot write ${path} (${(cause as NodeJS.ErrnoException).code})`,
      'check the free space and the permissions of the folder',
    );
  }
}

/** Removes a file or folder if it is there. */
export function remove(path: string): void {
  rmSync(path, { force: true, recursive: true });
}

function refuseLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new CliError(
      exitCodes.failed,
      `${path} is a symbolic link, which is refused for files that hold tokens`,
      'remove it',
    );
  }
}

const lockRules = { retryMs: 50, staleMs: 30_000 };

/**
 * Takes a lock file, made exclusively as client-go does it, and returns what releases it. One older than 30 s was left by somebody who died.
 * `busy` is said when it cannot be had within `limitMs`.
 */
export async function lockFile(
  path: string,
  { limitMs, busy }: { limitMs: number; busy: string },
): Promise<() => void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const deadline = performance.now() + limitMs;
  for (;;) {
    try {
      writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      if (code !== 'EEXIST')
        throw new CliError(
          exitCodes.failed,
          `cannot make the lock ${path} (${code})`,
          'check the permissions of its folder',
        );
    }
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > lockRules.staleMs) rmSync(path, { force: true });
    else if (performance.now() > deadline)
      throw new CliError(exitCodes.unavailable, busy, `wait for it, or remove ${path} if nothing uses it`);
    else await delay(lockRules.retryMs);
  }
}
