import { spawn } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJson, writeJson } from './files.ts';
import { withLock } from './lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clustral-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const anything = (_json: unknown): _json is Record<string, unknown> => true;
const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

describe('a file with tokens', () => {
  it('is private from its first moment, and so are its folders', async () => {
    const path = join(folder, 'a', 'b', 'c.json');
    await writeJson(path, { token: 't' });
    expect([path, join(folder, 'a'), join(folder, 'a', 'b')].map(modeOf)).toEqual(['600', '700', '700']);
    chmodSync(path, 0o644);
    await writeJson(path, { token: 'u' });
    expect(modeOf(path)).toBe('600');
    expect(readJson(path, anything)).toEqual({ token: 'u' });
  });

  it('is not read or written through a symbolic link', async () => {
    const target = join(folder, 'victim');
    writeFileSync(target, '{"keep":true}');
    const path = join(folder, 'account.json');
    symlinkSync(target, path);
    expect(() => readJson(path, anything)).toThrow('is a symbolic link');
    await expect(writeJson(path, { token: 't' })).rejects.toThrow('is a symbolic link');
    expect(readFileSync(target, 'utf8')).toBe('{"keep":true}');
  });

  it('that is damaged says so and is not taken for empty', () => {
    const path = join(folder, 'torn.json');
    writeFileSync(path, '{"token": "a');
    expect(() => readJson(path, (json): json is object => typeof json === 'object')).toThrow('is damaged');
    expect(readJson(join(folder, 'none.json'), anything)).toBeUndefined();
  });

  it('that cannot be written names the reason and what to do', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(writeJson(join(folder, 'file', 'x.json'), {})).rejects.toMatchObject({
      message: expect.stringMatching(/cannot write .* \(E(NOTDIR|EXIST)\)/),
      fix: expect.stringContaining('permissions'),
    });
  });

  it('is the old one or the new one however the writer dies', async () => {
    const path = join(folder, 'account.json');
    const big = 'x'.repeat(200_000);
    await writeJson(path, { round: 0, big });
    const script = `
      import { writeJson } from ${JSON.stringify(join(import.meta.dirname, 'files.ts'))};
      for (let round = 1; ; round += 1) { await writeJson(${JSON.stringify(path)}, { round, big: 'x'.repeat(200_000) }); process.stdout.write('.'); }`;
    for (let kill = 0; kill < 5; kill += 1) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let seen = 0;
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          seen += chunk.length;
          if (seen > 3 + kill) child.kill('SIGKILL');
        });
        child.once('exit', () => resolve());
      });
      expect(readJson(path, anything)).toMatchObject({ big });
    }
  });
});

describe('a lock', () => {
  const options = { limitMs: 5_000, busy: 'somebody else is busy' };

  it('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const path = join(folder, 'x.lock');
    await Promise.all(
      Array.from({ length: 8 }, () =>
        withLock(path, options, async () => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is released when the work fails', async () => {
    const path = join(folder, 'x.lock');
    await expect(withLock(path, options, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await withLock(path, { ...options, limitMs: 0 }, async () => undefined);
  });

  it('of somebody who works is respected, for as long as one may wait', async () => {
    const path = join(folder, 'x.lock');
    writeFileSync(path, '');
    await expect(withLock(path, { ...options, limitMs: 120 }, async () => 'in')).rejects.toMatchObject({
      message: 'somebody else is busy',
      exitCode: 7,
    });
  });

  it('of somebody who died is taken over, by one of those who wait', async () => {
    const path = join(folder, 'x.lock');
    writeFileSync(path, '');
    const longAgo = new Date(Date.now() - 31_000);
    utimesSync(path, longAgo, longAgo);
    let inside = 0;
    const entered = await Promise.all(
      Array.from({ length: 4 }, () =>
        withLock(path, options, async () => {
          inside += 1;
          await new Promise((resolve) => setImmediate(resolve));
          return inside--;
        }),
      ),
    );
    expect(entered).toEqual([1, 1, 1, 1]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('goes with a process that is interrupted', async () => {
    const path = join(folder, 'x.lock');
    const script = `
      import { withLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
      process.once('SIGINT', () => process.exit(130));
      setInterval(() => undefined, 1000);
      await withLock(${JSON.stringify(path)}, { limitMs: 0, busy: '' }, () => new Promise(() => process.stdout.write('in')));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(readdirSync(folder)).toEqual(['x.lock']);
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130);
    expect(readdirSync(folder)).toEqual([]);
  });
});
