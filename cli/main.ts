#!/usr/bin/env node
/**
 * The tool in two stages: the exec plugin's answer from the cache first, because kubectl waits for it at every start, and everything else only when it
 * is needed. It decides nothing; the process ends with the exit code that the command returned.
 */

/** Answers the command line `args`. */
export async function main(args: readonly string[]): Promise<void> {
  const answer = args[0] === 'kube' && args[1] === 'credential' ? await pluginAnswer(args) : await wholeTool(args);
  if (answer !== undefined) process.stdout.write(answer);
}

/** The plugin's answer from the cache, now or once another plugin has renewed it; undefined when the whole tool answered. */
async function pluginAnswer(args: readonly string[]): Promise<string | undefined> {
  const { answerFromCache } = await import('./credential-cache.ts');
  const call = { args: args.slice(2), environment: process.env };
  const answer = answerFromCache({ ...call, now: Date.now() });
  if (answer !== undefined) return answer;
  const { renewInTurn } = await import('./credential-turn.ts');
  return renewInTurn(call, () => wholeTool(args));
}

async function wholeTool(args: readonly string[]): Promise<undefined> {
  // Whoever reads us may stop early (`| head`): that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  process.once('SIGINT', () => process.exit(130));
  const { run } = await import('./run.ts');
  process.exitCode = await run(args);
}

if (import.meta.main) await main(process.argv.slice(2));
