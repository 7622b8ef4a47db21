/**
 * `npm run check`: everything CI does without starting the product, in under a minute. Each check is one line of output and, when it
 * fails, what its tool said.
 *
 * types          tsc over the whole tree, and over the dashboard, which is for another world
 * lint           oxlint, type-aware: floating promises, import rules, sizes
 * format         oxfmt
 * proto          buf lint and buf format of schemas/proto
 * generated      schemas/gen is what `npm run gen` would write
 * size           the dashboard's build is within its budgets
 * chart          the agent's Helm chart: lint, values, and whether infra/k8s/agent is what it renders
 * dead code      knip: unused files, exports, dependencies
 * rules          this folder's unit tests: architecture, documentation, guarantees (vitest, project unit)
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chartProblems } from './chart.ts';

const root = join(import.meta.dirname, '..', '..');
const schemas = join(root, 'schemas');

type Outcome = { readonly ok: boolean; readonly output: string };
type Check = { readonly name: string; readonly run: () => Promise<Outcome> };

const checks: readonly Check[] = [
  { name: 'types', run: () => both(tool('tsc', ['-p', '.', '--noEmit']), tool('tsc', ['-p', 'ui', '--noEmit'])) },
  { name: 'lint', run: () => tool('oxlint', ['--type-aware', '--deny-warnings', '.']) },
  { name: 'format', run: () => tool('oxfmt', ['--check', '.']) },
  {
    name: 'proto',
    run: () => both(tool('buf', ['lint'], schemas), tool('buf', ['format', '--diff', '--exit-code'], schemas)),
  },
  { name: 'generated', run: generatedIsCurrent },
  { name: 'size', run: () => tool('node', [join(root, 'ui', 'size-budget.ts')]) },
  { name: 'chart', run: chart },
  { name: 'dead code', run: () => tool('knip', ['--no-progress']) },
  {
    name: 'rules',
    run: () => tool('vitest', ['run', '--config', 'vitest.workspace.ts', '--project', 'unit', 'infra/checks']),
  },
];

/** Runs a tool of node_modules/.bin and keeps what it printed. */
function tool(name: string, args: readonly string[], cwd = root): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const child = spawn(join(root, 'node_modules', '.bin', name), args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('error', (error) => resolve({ ok: false, output: error.message }));
  child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString() }));
  return promise;
}

async function both(...outcomes: readonly Promise<Outcome>[]): Promise<Outcome> {
  const all = await Promise.all(outcomes);
  return { ok: all.every(({ ok }) => ok), output: all.map(({ output }) => output).join('') };
}

async function generatedIsCurrent(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'clustral-gen-'));
  try {
    const made = await tool('buf', ['generate', '--output', folder], schemas);
    if (!made.ok) return made;
    const stale = differences(join(folder, 'gen'), join(schemas, 'gen'));
    return {
      ok: stale.length === 0,
      output: stale.map((file) => `schemas/gen/${file} differs: run 'npm run gen'\n`).join(''),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// Helm comes from a registry once; without one the check is not run at a desk, and says so.
async function chart(): Promise<Outcome> {
  try {
    const problems = chartProblems();
    return { ok: problems.length === 0, output: problems.join('\n') };
  } catch (error) {
    const ok = process.env['CI'] === undefined;
    if (ok) console.log(`not run: ${String(error)}`);
    return { ok, output: String(error) };
  }
}

function differences(fresh: string, committed: string): readonly string[] {
  const files = (folder: string): Map<string, string> =>
    new Map(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
    );
  const [a, b] = [files(fresh), files(committed)];
  return [...new Set([...a.keys(), ...b.keys()])].filter((file) => a.get(file) !== b.get(file)).toSorted();
}

const started = performance.now();
let failed = 0;
for (const { name, run } of checks) {
  const begun = performance.now();
  const { ok, output } = await run();
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
  if (!ok) {
    failed += 1;
    console.log(output.trimEnd());
  }
}
console.log(
  `${checks.length - failed} of ${checks.length} checks passed in ${((performance.now() - started) / 1000).toFixed(1)} s`,
);
process.exitCode = failed === 0 ? 0 : 1;
