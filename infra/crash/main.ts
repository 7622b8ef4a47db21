/**
 * `npm run crash`: kills the parts of the product with SIGKILL under concurrent writers, and shows from history and log whether the
 * promises G1 to G4 and G10 held (F-02, F-03, F-08, F-09). The exit code is 1 when one was broken, and the data folder stays.
 */
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { prepareInstallation } from './installation.ts';
import { parseOptions, usage, type Options } from './options.ts';
import { run } from './run.ts';
import { summaryLines } from './summary.ts';

const say = (line: string): void => console.log(line);

async function main(options: Options): Promise<number> {
  const installation = await prepareInstallation();
  say(`seed ${options.seed}, ${options.rounds} rounds, ${options.writers} writers, data in ${installation.root}`);
  let isFine = false;
  try {
    const result = await run(installation, options, say);
    for (const line of summaryLines(result)) say(line);
    isFine = result.violations.length === 0 && result.rounds.length === options.rounds;
    return isFine ? 0 : 1;
  } finally {
    installation.release();
    if (isFine && !options.keep) rmSync(installation.root, { recursive: true, force: true });
    else say(`data and logs are in ${installation.root}; --seed ${options.seed} gives the same kills again`);
  }
}

function optionsOrUsage(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2), randomInt(2 ** 32 - 1));
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    return undefined;
  }
}

if (import.meta.main) {
  const options = optionsOrUsage();
  process.exitCode = options === undefined ? 2 : await main(options);
}
