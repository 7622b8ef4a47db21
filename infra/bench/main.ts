/**
 * `npm run bench`: a small GET through gateway, control plane, tunnel and agent as a ratio to one plain Node hop, taken in turns in one run, because the
 * machine is never quiet: hop, product, hop, product, … Figures of one run may be compared with each other and with nothing else. `--quick` is the form for CI:
 * fewer rounds. A ratio below the floor is said and fails nothing, because the machines are noisy; an error fails it.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { buildStage, type Stage } from './stage.ts';
import type { LoadOrder, LoadResult } from './load.ts';

/** Of one plain hop's requests per second at 32 connections, without an edge that ends TLS. */
const floor = 0.35;

const quick = process.argv.includes('--quick');
const rounds = quick ? 3 : 7;
const milliseconds = quick ? 1_500 : 3_000;

function load(order: LoadOrder): Promise<LoadResult> {
  const child = fork(join(import.meta.dirname, 'load.ts'), [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.send(order);
  return new Promise((resolve, reject) => {
    child.once('message', (result) => {
      child.kill();
      resolve(result as LoadResult);
    });
    child.once('exit', () => reject(new Error('the load generator ended without a result')));
  });
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

async function compare(stage: Stage, connections: number): Promise<{ ratio: number; errors: number }> {
  const hop: LoadResult[] = [];
  const product: LoadResult[] = [];
  const run = (place: Stage['hop'], time: number): Promise<LoadResult> =>
    load({ ...place, connections, milliseconds: time });
  await run(stage.product, 1_000);
  await run(stage.hop, 500);
  for (let round = 0; round < rounds; round += 1) {
    hop.push(await run(stage.hop, milliseconds));
    product.push(await run(stage.product, milliseconds));
  }
  const ratios = product.map(({ perSecond }, index) => perSecond / (hop[index]?.perSecond ?? 1));
  const errors = [...hop, ...product].reduce((sum, result) => sum + result.errors, 0);
  const row = (name: string, results: readonly LoadResult[]): void =>
    console.log(
      `  ${name.padEnd(34)}${median(results.map((r) => r.perSecond))
        .toFixed(0)
        .padStart(
          7,
        )} req/s   p50 ${median(results.map((r) => r.p50Ms)).toFixed(2)} ms   p99 ${median(results.map((r) => r.p99Ms)).toFixed(1)} ms`,
    );
  console.log(`${connections} connections, ${rounds} rounds of ${milliseconds / 1000} s in turns`);
  row('one plain hop', hop);
  row('gateway, control plane, tunnel, agent', product);
  console.log(
    `  ratio ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}), errors ${errors}`,
  );
  return { ratio: median(ratios), errors };
}

const stage = await buildStage();
try {
  if (!quick) await compare(stage, 1);
  const { ratio, errors } = await compare(stage, 32);
  if (errors > 0) console.log('There were errors: the figures mean nothing.');
  if (ratio < floor) console.log(`The ratio is below the floor of ${floor}.`);
  process.exitCode = errors > 0 ? 1 : 0;
} finally {
  await stage.stop();
}
