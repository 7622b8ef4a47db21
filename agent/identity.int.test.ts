import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { realDisk, type Disk } from './disk.ts';
import { withLock } from './folder-lock.ts';
import { IdentityFolder } from './identity-folder.ts';
import { datesOf, type Identity } from './identity.ts';
import { createIdentity } from './testing/identities.ts';

let old: Identity;
let renewed: Identity;
beforeAll(async () => {
  [old, renewed] = await Promise.all([createIdentity('c1', 'old-token'), createIdentity('c1', 'new-token')]);
});

let path: string;
beforeEach(() => void (path = mkdtempSync(join(tmpdir(), 'identity-'))));
afterEach(() => rmSync(path, { recursive: true, force: true }));

class Killed extends Error {}

/** A disk on which the process dies at step number `at`: before it, or in the middle of it. */
function dyingDisk(at: number, when: 'before' | 'within'): Disk & { steps: number } {
  const disk = { ...realDisk, steps: 0 };
  const step =
    <A extends unknown[]>(name: 'makeFolder' | 'writeFile' | 'rename' | 'syncFolder' | 'remove') =>
    async (...args: A): Promise<void> => {
      disk.steps += 1;
      if (disk.steps > at) throw new Killed();
      const dies = disk.steps === at;
      if (dies && when === 'before') throw new Killed();
      await (realDisk[name] as unknown as (...args: A) => Promise<void>)(...args);
      if (!dies) return;
      if (name === 'writeFile') truncateSync(args[0] as string, 5);
      throw new Killed();
    };
  disk.makeFolder = step('makeFolder');
  disk.writeFile = step('writeFile');
  disk.rename = step('rename');
  disk.syncFolder = step('syncFolder');
  disk.remove = step('remove');
  return disk;
}

describe('an identity on disk', () => {
  it('is read as it was saved, and only by its owner', async () => {
    const folder = new IdentityFolder(join(path, 'deep', 'er'), realDisk);
    expect(await folder.load()).toBeUndefined();
    await folder.save(old);
    await folder.save(renewed);
    expect(await folder.load()).toEqual(renewed);
    expect(readdirSync(folder.path)).toEqual(['identity-2']);
    const inside = join(folder.path, 'identity-2');
    expect(statSync(inside).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(inside)) expect(statSync(join(inside, file)).mode & 0o777).toBe(0o600);
  });

  it.each(['before', 'within'] as const)(
    'is the old or the new one when the process dies %s any step (F-05)',
    async (when) => {
      const seen = new Set<string>();
      for (let at = 1; ; at += 1) {
        const place = join(path, `${at}`);
        await new IdentityFolder(place, realDisk).save(old);
        const disk = dyingDisk(at, when);
        const ending = await new IdentityFolder(place, disk).save(renewed).catch((error: unknown) => error);
        const found = await new IdentityFolder(place, realDisk).load();
        expect([old, renewed]).toContainEqual(found);
        seen.add(found?.token ?? '');
        // Whoever starts next goes on from there.
        await new IdentityFolder(place, realDisk).save(renewed);
        expect(await new IdentityFolder(place, realDisk).load()).toEqual(renewed);
        expect(readdirSync(place)).toHaveLength(1);
        if (ending === undefined) break;
        expect(ending).toBeInstanceOf(Killed);
      }
      expect([...seen]).toEqual(['old-token', 'new-token']);
    },
  );

  it('is none, with the key kept, when the process dies before the first was saved (F-06)', async () => {
    for (let at = 1; ; at += 1) {
      const place = join(path, `${at}`);
      const keys = await new IdentityFolder(place, realDisk).pendingKey();
      const ending = await new IdentityFolder(place, dyingDisk(at, 'within'))
        .save(old)
        .catch((error: unknown) => error);
      const folder = new IdentityFolder(place, realDisk);
      const found = await folder.load();
      if (found) expect(found).toEqual(old);
      else expect(await folder.pendingKey()).toEqual(keys);
      if (ending === undefined) break;
    }
  });

  it('is not read from a folder that was damaged later, but from the one before', async () => {
    const folder = new IdentityFolder(path, realDisk);
    await folder.save(old);
    const keeping: Disk = { ...realDisk, remove: async () => undefined };
    await new IdentityFolder(path, keeping).save(renewed);
    truncateSync(join(path, 'identity-2', 'certificate.pem'), 40);
    expect(await folder.load()).toEqual(old);
  });

  it('is whole whenever a process that saves it is killed', async () => {
    const identities = [old, renewed];
    for (let round = 0; round < 8; round += 1) {
      const child = fork(join(import.meta.dirname, 'testing', 'saving-process.ts'), { stdio: 'ignore' });
      const begun = new Promise<void>((resolve) => child.once('message', () => resolve()));
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.send({ folder: path, identities });
      await begun;
      await sleep(Math.random() * 20);
      child.kill('SIGKILL');
      await ended;
      expect(identities).toContainEqual(await new IdentityFolder(path, realDisk).load());
    }
  }, 60_000);

  it('says when it ends', () => {
    const { certificateFrom, certificateUntil, tokenUntil } = datesOf(old);
    expect(certificateUntil - certificateFrom).toBeGreaterThan(395 * 86_400_000);
    // What is no token that can be read has expired.
    expect(tokenUntil).toBe(0);
  });
});

describe('the lock of a folder', () => {
  it('lets one work at a time', async () => {
    let inside = 0;
    const most = await Promise.all(
      Array.from({ length: 10 }, () =>
        withLock(path, async () => {
          inside += 1;
          const seen = inside;
          await sleep(5);
          inside -= 1;
          return seen;
        }),
      ),
    );
    expect(Math.max(...most)).toBe(1);
    expect(readdirSync(path)).toEqual([]);
  });

  it('is taken over from a process that was killed with it', async () => {
    const child = fork(join(import.meta.dirname, 'testing', 'locking-process.ts'), [path], { stdio: 'ignore' });
    await new Promise<void>((resolve) => child.once('message', () => resolve()));
    child.kill('SIGKILL');
    await new Promise<void>((resolve) => child.once('exit', () => resolve()));
    expect(readdirSync(path)).toEqual(['lock']);
    expect(await withLock(path, async () => 'mine')).toBe('mine');
  });

  it('is given back when the work fails', async () => {
    await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(path, async () => 'mine')).toBe('mine');
  });
});
