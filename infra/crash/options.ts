/** The words of `npm run crash`. */
import { parseArgs } from 'node:util';

export type Options = {
  readonly rounds: number;
  /** 32 bits; the same seed gives the same plan of kills. */
  readonly seed: number;
  /** Leaves the data folder and the logs where they are. */
  readonly keep: boolean;
  readonly writers: number;
  /** The checker looks every so many rounds, and after the last. Some twenty times if not told: each time it reads the whole log. */
  readonly checkEvery: number;
  /** G10. A machine that is busy with other things may need more than the 10 s of the promise. */
  readonly readyWithinMs: number;
};

export const usage = `usage: npm run crash -- [--rounds N] [--seed S] [--writers N] [--check-every N] [--ready-within SECONDS] [--keep]`;

/** Throws one sentence for whoever typed them. `randomSeed` stands in for a seed that is not given. */
export function parseOptions(words: readonly string[], randomSeed: number): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      rounds: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(randomSeed) },
      writers: { type: 'string', default: '10' },
      'check-every': { type: 'string' },
      'ready-within': { type: 'string', default: '10' },
      keep: { type: 'boolean', default: false },
    },
  });
  const rounds = whole('rounds', values.rounds, 1, 100_000);
  const seldom = String(Math.max(5, Math.ceil(rounds / 20)));
  return {
    rounds,
    seed: whole('seed', values.seed, 0, 2 ** 32 - 1),
    keep: values.keep,
    writers: whole('writers', values.writers, 1, 64),
    readyWithinMs: 1_000 * whole('ready-within', values['ready-within'], 1, 60),
    checkEvery: whole('check-every', values['check-every'] ?? seldom, 1, 100_000),
  };
}

function whole(...[name, text, least, most]: readonly [string, string, number, number]): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`--${name} must be a whole number from ${least} to ${most}`);
}
