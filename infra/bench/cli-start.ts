/**
 * `node infra/bench/cli-start.ts`: how long the command line tool takes to start, median of twenty runs, beside an empty script for scale: the exec plugin's answer from
 * its cache, help, and `whoami`. Every kubectl waits for the first. It ends with an error only half over the budget, because the machines are noisy.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { makeHome, signIn } from '@clustral/cli/testing/command-line.ts';
import { startInstallation } from '@clustral/cli/testing/installation.ts';

const runs = 20;
const entry = join(import.meta.dirname, '..', '..', 'cli', 'clustral.mjs');

type Case = {
  readonly name: string;
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly budgetMs: number | undefined;
};

type Exec = {
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
};
type Kubeconfig = { readonly users: readonly { readonly user: { readonly exec?: Exec } }[] };

const installation = await startInstallation();
const home = makeHome();
const folder = mkdtempSync(join(tmpdir(), 'cli-start-'));
try {
  const empty = join(folder, 'empty.mjs');
  writeFileSync(empty, '');
  const signedIn = await signIn(home, installation);
  if (signedIn.code !== 0) throw new Error(`nobody could be signed in: ${signedIn.stderr}`);
  // Not in this process's way: it is the server that is asked.
  await promisify(execFile)(process.execPath, [entry, 'kube', 'login', 'prod'], { env: { HOME: home.path } });
  const cases: readonly Case[] = [
    { name: 'an empty script', words: [empty], budgetMs: undefined },
    { name: 'kube credential, cached', ...pluginCall(), budgetMs: 75 },
    { name: '--help', words: [entry, '--help'], budgetMs: 110 },
    { name: 'whoami', words: [entry, 'whoami'], budgetMs: 110 },
  ];
  const over = cases.filter((one) => !isWithin(one, medianOf(one)));
  process.exitCode = over.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
  home.remove();
  await installation.close();
}

/** The plugin exactly as kubectl calls it. */
function pluginCall(): Pick<Case, 'words' | 'env'> {
  const kubeconfig = parse(readFileSync(join(home.path, '.kube', 'config'), 'utf8')) as Kubeconfig;
  const { args = [], env = [] } = kubeconfig.users[0]?.user.exec ?? {};
  return { words: args, env: Object.fromEntries(env.map(({ name, value }) => [name, value])) };
}

function medianOf({ words, env }: Case): number {
  const environment = { PATH: process.env['PATH'] ?? '', HOME: home.path, ...env };
  const times = Array.from({ length: runs }, () => {
    const begun = performance.now();
    const { status, stderr } = spawnSync(process.execPath, words, { env: environment });
    if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${String(stderr)}`);
    return performance.now() - begun;
  });
  return times.toSorted((a, b) => a - b)[runs / 2] ?? 0;
}

function isWithin({ name, budgetMs }: Case, ms: number): boolean {
  console.log(
    `${name.padEnd(26)}${ms.toFixed(0).padStart(5)} ms${budgetMs === undefined ? '' : `   of ${budgetMs} ms`}`,
  );
  return budgetMs === undefined || ms <= budgetMs * 1.5;
}
