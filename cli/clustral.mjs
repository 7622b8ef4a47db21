#!/usr/bin/env node
/**
 * What is started as `clustral`. It says where Node keeps this tool's code compiled and hands over to `main.ts`: said from TypeScript that would come too late,
 * because the compiler that Node loads for the first line of it takes longer than a short command in all. The folder is our own: what stands in
 * the common temporary folder could be put there by anybody, and compiled code is run as it is found.
 */
import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// The same place as in `home.ts` and `compile-cache.ts`; a test compares them.
const { CLUSTRAL_HOME, HOME } = process.env;
const folder = join(CLUSTRAL_HOME || join(HOME || homedir(), '.clustral'), 'compile-cache');
try {
  // Node would let everybody look into it.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  enableCompileCache(folder);
} catch {
  // A read-only home: a start is slower, and works.
}
const { main } = await import('./main.ts');
await main(process.argv.slice(2));
