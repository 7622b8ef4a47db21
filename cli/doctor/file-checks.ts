/** Files at rest in `~/.clustral`: folders 0700, files 0600, nothing that is a link (ID-12). */
import { chmodSync, lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { compileCacheOf } from '../compile-cache.ts';
import { fail, ok, type Check, type Finding } from './check.ts';
import type { Patient } from './patient.ts';

type Wrong = { readonly path: string; readonly why: string; readonly mode?: number };

const mostLookedAt = 10_000;
const mostNamed = 3;

/** The check of the modes. Windows has none. */
export function fileChecks({ context: { home }, mends }: Patient): readonly Check[] {
  return process.platform === 'win32' ? [] : [{ name: 'files', needs: [], run: async () => modesFinding(home, mends) }];
}

/** What others could read or change below the home of this tool; with `mends` it is made private. */
export function modesFinding(home: string, mends: boolean): Finding {
  const wrong = wrongBelow(home);
  const left = mends ? wrong.filter((one) => !mended(one)) : wrong;
  if (wrong.length === 0) return ok(`${home} is private`);
  if (left.length === 0) return ok(`made ${named(wrong)} private`);
  const link = left.find(({ mode }) => mode === undefined);
  const fix = mends ? 'give them to yourself: they belong to somebody else' : 'clustral doctor --fix';
  return fail(
    named(left.map(({ path, why }) => ({ path: `${path} ${why}` }))),
    link === undefined ? fix : `remove ${link.path}, then sign in again`,
  );
}

function wrongBelow(home: string): readonly Wrong[] {
  const wrong: Wrong[] = [];
  const waiting = [home];
  for (let count = 0; count < mostLookedAt; count += 1) {
    const path = waiting.pop();
    if (path === undefined) break;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    const problem = problemOf(path, stats);
    if (problem !== undefined) wrong.push(problem);
    // What Node keeps there is many files, none of which can be reached through a private folder.
    if (stats.isDirectory() && path !== compileCacheOf(home))
      waiting.push(...readdirSync(path).map((name) => join(path, name)));
  }
  return wrong;
}

function problemOf(path: string, stats: Stats): Wrong | undefined {
  if (stats.isSymbolicLink()) return { path, why: 'is a symbolic link' };
  const wanted = stats.isDirectory() ? 0o700 : 0o600;
  const mode = stats.mode & 0o777;
  return (mode & ~wanted) === 0
    ? undefined
    : { path, why: `can be reached by others (${mode.toString(8)})`, mode: wanted };
}

function mended({ path, mode }: Wrong): boolean {
  if (mode === undefined) return false;
  try {
    chmodSync(path, mode);
    return true;
  } catch {
    // It belongs to somebody else; the finding says so by staying.
    return false;
  }
}

function named(wrong: readonly { readonly path: string }[]): string {
  const paths = wrong.slice(0, mostNamed).map(({ path }) => path);
  return paths.join(', ') + (wrong.length > mostNamed ? ` and ${wrong.length - mostNamed} more` : '');
}
