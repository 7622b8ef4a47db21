/**
 * One writer at a time in a folder that several agent processes may share (D36): whoever enrols or renews holds a lock file.
 * A lock whose holder died is taken over; one that is held is waited for, not longer than the deadline.
 */
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { backoff, pause } from './backoff.ts';

const staleMs = 120_000;
const deadlineMs = 60_000;
const waitWindow = { shortest: 20, first: 100, longest: 1_000 };

type Holder = { readonly id: string; readonly host: string; readonly pid: number; readonly began: number };

/** Runs `work` while holding the folder's lock. Throws when it stays held. The folder must be there. */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, 'lock');
  const holder: Holder = {
    id: randomUUID(),
    host: hostname(),
    pid: process.pid,
    began: performance.timeOrigin,
  };
  const limit = AbortSignal.timeout(deadlineMs);
  for (let attempt = 1; !(await tryLock(path, holder)); attempt += 1) {
    if (limit.aborted) throw new Error(`${path} is held by another process for more than ${deadlineMs / 1000} s.`);
    await removeIfDead(path);
    await pause(backoff(attempt, Math.random, waitWindow), limit);
  }
  try {
    return await work();
  } finally {
    if ((await read(path))?.id === holder.id) await rm(path, { force: true });
  }
}

async function tryLock(path: string, holder: Holder): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(JSON.stringify(holder)).finally(() => file.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeIfDead(path: string): Promise<void> {
  const holder = await read(path);
  const age = await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  const isDead = holder ? !isAlive(holder) || age > staleMs : age > staleMs;
  if (!isDead) return;
  // Moved before it is removed: of two that saw the same dead lock, the slower must not remove the faster one's new lock.
  const aside = `${path}-${randomUUID()}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await read(aside);
  if (moved && moved.id !== holder?.id) await rename(aside, path);
  else await rm(aside, { force: true });
}

async function read(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

// In containers every process may have the same number: a process that began at another time is another process.
function isAlive({ host, pid, began }: Holder): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return began === performance.timeOrigin;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
