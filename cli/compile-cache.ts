/**
 * Where Node keeps the code of this tool compiled: in our own folder, because what stands in the common temporary folder could be put there by anybody, and
 * compiled code is run as it is found.
 */
import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

/** The folder below the home of this tool. */
export const compileCacheOf = (home: string): string => join(home, 'compile-cache');

/** Has code compiled once. Where nothing can be written a start is slower, and works. */
export function keepCompiledCode(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    enableCompileCache(compileCacheOf(home));
  } catch {
    // A read-only home.
  }
}
