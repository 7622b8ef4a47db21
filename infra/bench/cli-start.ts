/**
 * `node infra/bench/cli-start.ts`: how long the command line tool takes from its start to its end, median of twenty rounds, beside an empty script for scale: the exec
 * plugin's answer from its cache, for which every kubectl waits; help and `whoami`, which ask nobody; and one list from a server beside it. The
 * cases take turns, so that a busy moment meets all of them. It ends with an error only half over a budget, because the machines are noisy.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { makeHome, signIn, type Home } from '@clustral/cli/testing/command-line.ts';
import { startInstallation } from '@clustral/cli/testing/installation.ts';

type Case = {
  readonly name: string;
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly budgetMs?: number;
};

type Exec = {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
};
type Kubeconfig = { readonly users: readonly { readonly user: { readonly exec: Exec } }[] };

const rounds = 20;
const tolerance = 1.5;
const entry = join(import.meta.dirname, '..', '..', 'cli', 'clustral.mjs');

const installation = await startInstallation();
const home = makeHome();
const folder = mkdtempSync(join(tmpdir(), 'cli-start-'));
try {
  const signedIn = await signIn(home, installation);
  if (signedIn.code !== 0) throw new Error(`nobody could be signed in: ${signedIn.stderr}`);
  await timeOf(home, { name: 'kube login', words: [entry, 'kube', 'login', 'prod'] });
  const cases: readonly Case[] = [
    { name: 'an empty script', words: [emptyScript(folder)] },
    { name: 'kube credential, cached', ...pluginCall(home), budgetMs: 75 },
    { name: '--help', words: [entry, '--help'], budgetMs: 110 },
    { name: 'whoami', words: [entry, 'whoami'], budgetMs: 110 },
    // With the way to a server and its answer in it, so for scale only.
    { name: 'clusters list', words: [entry, 'clusters', 'list'] },
  ];
  const medians = await mediansOf(home, cases);
  for (const { name, budgetMs } of cases) console.log(row(name, medians.get(name) ?? 0, budgetMs));
  const isOver = cases.some(({ name, budgetMs = Infinity }) => (medians.get(name) ?? 0) > budgetMs * tolerance);
  process.exitCode = isOver ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
  home.remove();
  await installation.close();
}

function emptyScript(place: string): string {
  const path = join(place, 'empty.mjs');
  writeFileSync(path, '');
  return path;
}

/** The plugin exactly as kubectl calls it. */
function pluginCall({ path }: Home): Pick<Case, 'words' | 'env'> {
  const kubeconfig = parse(readFileSync(join(path, '.kube', 'config'), 'utf8')) as Kubeconfig;
  const exec = kubeconfig.users[0]?.user.exec;
  if (!exec) throw new Error('kube login wrote no exec plugin');
  return { words: exec.args, env: Object.fromEntries(exec.env.map(({ name, value }) => [name, value])) };
}

/** Milliseconds by the name of a case. The first round, which fills the caches, does not count. */
async function mediansOf(place: Home, cases: readonly Case[]): Promise<ReadonlyMap<string, number>> {
  const times = new Map(cases.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round <= rounds; round += 1)
    for (const one of cases) {
      const took = await timeOf(place, one);
      if (round > 0) times.get(one.name)?.push(took);
    }
  return new Map([...times].map(([name, all]) => [name, all.toSorted((a, b) => a - b)[rounds / 2] ?? 0]));
}

async function timeOf({ path }: Home, { words, env }: Case): Promise<number> {
  const begun = performance.now();
  await promisify(execFile)(process.execPath, words, {
    env: { PATH: process.env['PATH'] ?? '', HOME: path, ...env },
  });
  return performance.now() - begun;
}

function row(name: string, ms: number, budgetMs: number | undefined): string {
  const budget = budgetMs === undefined ? '' : `   of ${String(budgetMs).padStart(3)} ms`;
  return `${name.padEnd(26)}${ms.toFixed(0).padStart(5)} ms${budget}`;
}
