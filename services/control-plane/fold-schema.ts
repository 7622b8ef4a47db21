/**
 * Names what a snapshot of the policy fold means: the SHA-256 of the source of every module that reads policy facts, folds
 * them or holds what comes of them (D25). A hand-raised number would be forgotten, and a fold that was mended would go on
 * with what the broken one had made; this way any change of the code costs one slow start and nothing else.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const own = [
  'access-index.ts',
  'credential-index.ts',
  'fold-names.ts',
  'fold-parts.ts',
  'policy-facts.ts',
  'policy-fold.ts',
  'policy-snapshot.ts',
  'request-index.ts',
  'user-index.ts',
] as const;

const here = import.meta.dirname;
const events = dirname(createRequire(import.meta.url).resolve('@clustral/schemas/events/catalogue.ts'));

/** The name of this build's fold on this engine, lower-case hex. Reads its sources, about forty small files. */
export function foldSchema(): string {
  const sum = createHash('sha256');
  // It wrote the pieces, and an older one may not read them.
  sum.update(`${process.versions.v8}\n`);
  for (const path of sourcesOfFold()) {
    const source = readFileSync(path);
    // With its length, so that text that moved from one file to the next is a change.
    sum.update(`${source.length}\n`).update(source);
  }
  return sum.digest('hex');
}

/** Their paths, in an order that does not change. */
export function sourcesOfFold(): readonly string[] {
  const inFolders = [join(here, 'domain'), events].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .toSorted()
      .map((name) => join(folder, name)),
  );
  return [...own.map((name) => join(here, name)), ...inFolders];
}
