/**
 * Lock files, made exclusively as client-go makes them beside a kubeconfig, so that kubectl and this tool respect each other. The holder touches its
 * lock while it works; one that nobody has touched for 30 s was left by somebody who died.
 */
import { linkSync, mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError, exitCodes } from './failure.ts';
import { visible } from './text.ts';

export type LockOptions<T = never> = {
  /** How long to wait for whoever holds it. */
  readonly limitMs: number;
  /** Said when it cannot be had in that time: a clause, e.g. `another program holds …`. */
  readonly busy: string;
  /** Age at which an untouched lock is stale; 30 s. */
  readonly staleMs?: number;
  /** Looked at between two tries: what it gives ends the waiting, without the lock and without the work. */
  readonly instead?: () => T | undefined;
};

const retryMs = 50;
const touchEveryMs = 5_000;

/** Does the work while holding the lock file. Throws exit code 7 when it cannot be had in time. */
export async function withLock<T>(path: string, options: LockOptions<T>, work: () => Promise<T>): Promise<T> {
  const found = await take(path, options);
  if (found !== undefined) return found;
  const release = (): void => rmSync(path, { force: true });
  process.once('exit', release);
  const toucher = setInterval(() => touch(path), touchEveryMs).unref();
  try {
    return await work();
  } finally {
    clearInterval(toucher);
    process.off('exit', release);
    release();
  }
}

/** Undefined when the lock was taken, else what came instead of it. */
async function take<T>(path: string, options: LockOptions<T>): Promise<T | undefined> {
  const { limitMs, busy, staleMs = 30_000, instead } = options;
  makeFolderOf(path);
  const deadline = performance.now() + limitMs;
  while (!tryToMake(path)) {
    const found = instead?.();
    if (found !== undefined) return found;
    const seen = statSync(path, { throwIfNoEntry: false });
    if (seen !== undefined && Date.now() - seen.mtimeMs > staleMs) breakStale(path, seen);
    else if (performance.now() > deadline)
      throw new CliError(exitCodes.unavailable, busy, `try again; if nothing uses it, remove ${visible(path)}`);
    // Several that wait shall not all look at the same moment.
    else await delay(retryMs * (0.5 + Math.random()));
  }
  return undefined;
}

function tryToMake(path: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw notMade(path, cause);
  }
}

function makeFolderOf(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw notMade(path, cause);
  }
}

const notMade = (path: string, cause: unknown): CliError =>
  new CliError(
    exitCodes.failed,
    `cannot make the lock ${visible(path)} (${(cause as NodeJS.ErrnoException).code})`,
    'check the permissions of its folder',
  );

/** Takes a stale lock away. Renamed first: if another process was quicker, what was taken is its new lock and is given back. */
function breakStale(path: string, seen: Stats): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (statSync(aside).ino !== seen.ino) linkSync(aside, path);
  } catch {
    // Gone, or made anew by somebody else in between: the next round sees what is there.
  }
  rmSync(aside, { force: true });
}

function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // Somebody removed it by hand; the work goes on and ends soon.
  }
}
