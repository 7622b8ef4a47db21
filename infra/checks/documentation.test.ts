/** Keeps the pages that explain the repository true: a path that they name is there. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { committedFiles, root, textOf } from './committed-files.ts';

const topFolders = new Set(committedFiles().flatMap((file) => (file.includes('/') ? [file.split('/')[0] ?? ''] : [])));

/** Words in backticks that are paths of the repository: a known folder first, and a slash. */
function pathsIn(text: string): readonly string[] {
  return [...text.matchAll(/`([\w.-]+\/[\w./-]*)`/g)]
    .map(([, path = '']) => path)
    .filter((path) => topFolders.has(path.split('/')[0] ?? ''));
}

/** Targets of links that are no addresses. */
function linksIn(text: string): readonly string[] {
  return [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, to = '']) => to).filter((to) => !/^[a-z]+:/.test(to));
}

describe('the pages that explain the repository', () => {
  const named = ['README.md', 'ARCHITECTURE.md'].flatMap((page) =>
    pathsIn(textOf(page)).map((path) => [page, path] as const),
  );

  it('name paths at all', () => expect(named.length).toBeGreaterThan(50));

  it.each(named)('%s names %s, which exists', (_, path) => {
    expect(existsSync(join(root, path))).toBe(true);
  });
});

describe('links between the pages', () => {
  const links = committedFiles()
    .filter((file) => file.endsWith('.md'))
    .flatMap((page) => linksIn(textOf(page)).map((to) => [page, to] as const));

  it.each(links)('%s leads to %s, which exists', (page, to) => {
    expect(existsSync(join(root, dirname(page), to))).toBe(true);
  });
});
