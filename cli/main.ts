#!/usr/bin/env node
/**
 * The entry of `clustral`, in two stages: the exec plugin's answer from the cache first, because kubectl waits for it at every start, and
 * everything else only when it is needed. It decides nothing; it ends with the exit code that the command returned.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();

const args = process.argv.slice(2);
if (args[0] === 'kube' && args[1] === 'credential') {
  const { answerFromCache } = await import('./credential-cache.ts');
  const answer = answerFromCache({ args: args.slice(2), environment: process.env, now: Date.now() });
  if (answer !== undefined) {
    process.stdout.write(answer);
    process.exit(0);
  }
}
const { run } = await import('./run.ts');
process.exitCode = await run(args);
