/** `clustral.mjs` as a process: where it has code compiled, and that it is the same tool. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileCacheOf } from './compile-cache.ts';
import { homeOf } from './home.ts';

const entry = join(import.meta.dirname, 'clustral.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clustral-entry-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (environment: Record<string, string>) =>
  promisify(execFile)(process.execPath, [entry, 'version'], { env: environment });

describe('the start of clustral', () => {
  it.each([
    ['HOME', () => ({ HOME: folder })],
    ['CLUSTRAL_HOME', () => ({ HOME: '/nonexistent', CLUSTRAL_HOME: join(folder, 'own') })],
  ])('keeps compiled code in its own private folder below %s', async (_variable, environmentOf) => {
    const environment = environmentOf();
    expect(await run(environment)).toEqual({ stdout: 'clustral 0.1.0\n', stderr: '' });
    const home = homeOf(environment);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(readdirSync(compileCacheOf(home))).not.toEqual([]);
    expect(await run(environment)).toEqual({ stdout: 'clustral 0.1.0\n', stderr: '' });
  });

  it('works where nothing can be kept compiled', async () => {
    mkdirSync(homeOf({ HOME: folder }));
    writeFileSync(compileCacheOf(homeOf({ HOME: folder })), 'a file where a folder should be');
    expect(await run({ HOME: folder })).toEqual({ stdout: 'clustral 0.1.0\n', stderr: '' });
  });
});
