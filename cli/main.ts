#!/usr/bin/env node
/**
 * The tool in two stages: the exec plugin's answer from the cache first, because kubectl waits for it at every start, and everything else only when it
 * is needed. It decides nothing; the process ends with the exit code that the command returned.
 */

/** Answers the command line `args`. */
export async function main(args: readonly string[]): Promise<void> {
  const answer = await fromCache(args);
  if (answer !== undefined) {
    process.stdout.write(answer);
    return;
  }
  // Whoever reads us may stop early (`| head`): that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  process.once('SIGINT', () => process.exit(130));
  const { run } = await import('./run.ts');
  process.exitCode = await run(args);
}

async function fromCache(args: readonly string[]): Promise<string | undefined> {
  if (args[0] !== 'kube' || args[1] !== 'credential') return undefined;
  const { answerFromCache } = await import('./credential-cache.ts');
  return answerFromCache({ args: args.slice(2), environment: process.env, now: Date.now() });
}

if (import.meta.main) await main(process.argv.slice(2));
