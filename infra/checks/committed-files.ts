/** The files of the repository as the checks see them: what is committed, or would be. Nothing that git ignores. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** Paths from the root, with `/`. */
export function committedFiles(): readonly string[] {
  return execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(root, file)));
}

/** Sources that run in the product: no test, no test part, no generated code. */
export function productSources(): readonly string[] {
  return committedFiles().filter(
    (file) => /\.m?ts$/.test(file) && !/\.(?:test|contract)\.ts$|\/testing\/|^schemas\/gen\//.test(file),
  );
}

/** The text of a file of the repository. */
export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
