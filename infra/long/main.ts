/**
 * `npm run long -- NAME [arguments]`: what is too long for every commit, each under one name. Without a name it says which there are.
 * The exit code is that of what was run.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

type Long = { readonly says: string; readonly run: readonly string[]; readonly environment?: Record<string, string> };

const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.workspace.ts', '--project'];

const all: Readonly<Record<string, Long>> = {
  'access-races': {
    says: 'JT-03 with 200 rounds a pair and JT-07 with 1,000 rounds, about a minute',
    run: [...vitest, 'int', 'services/control-plane/api/access-request-races'],
    environment: { LONG: '1' },
  },
  crash: {
    says: '250 rounds of SIGKILL under writers, and whether G1 to G4 held, about twenty minutes',
    run: ['infra/crash/main.ts', '--rounds', '250'],
  },
  fuzz: {
    says: "the event store's decoders and its guard against expressions, a few minutes",
    run: ['infra/bench/event-store-fuzz.ts'],
  },
  revocation: {
    says: 'how fast 1,000 revocations bite, about four minutes',
    run: ['infra/bench/revocation.ts'],
  },
  start: {
    says: 'the start of a control plane with a million policy facts, with and without a snapshot, about two minutes',
    run: ['infra/bench/start.ts', '1000000'],
  },
};

const [name = '', ...more] = process.argv.slice(2);
const chosen = all[name];
if (chosen === undefined) {
  const lines = Object.entries(all).map(([key, { says }]) => `  ${key.padEnd(14)}${says}`);
  console.error(`usage: npm run long -- NAME\n${lines.join('\n')}`);
  process.exitCode = 2;
} else {
  const child = spawn(process.execPath, [...chosen.run, ...more], {
    cwd: root,
    env: { ...process.env, ...chosen.environment },
    stdio: 'inherit',
  });
  child.once('exit', (code) => (process.exitCode = code ?? 1));
}
