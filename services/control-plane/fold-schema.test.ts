import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { foldSchema, sourcesOfFold } from './fold-schema.ts';

/** The modules that a module is made of, itself among them; types are erased and make nothing. */
function modulesOf(path: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(path)) return found;
  found.add(path);
  const source = readFileSync(path, 'utf8');
  for (const [, specifier] of source.matchAll(/^(?:import|export) (?!type )[^;]*? from '([^']+\.ts)';$/gm)) {
    modulesOf(realpathSync(createRequire(path).resolve(specifier ?? '')), found);
  }
  return found;
}

describe('the schema of a snapshot', () => {
  it('changes with every module that the fold is made of', () => {
    const sources = new Set(sourcesOfFold().map((path) => realpathSync(path)));
    const made = ['policy-fold.ts', 'policy-snapshot.ts'].flatMap((name) => [
      ...modulesOf(join(import.meta.dirname, name)),
    ]);
    expect(made.length).toBeGreaterThan(15);
    // What says no to somebody, and no more: it makes nothing that is kept.
    const outside = made.filter((path) => !sources.has(path) && !path.endsWith('schemas/errors.ts'));
    expect(outside).toEqual([]);
  });

  it('is the same each time', () => {
    expect(foldSchema()).toMatch(/^[0-9a-f]{64}$/);
    expect(foldSchema()).toBe(foldSchema());
  });
});
