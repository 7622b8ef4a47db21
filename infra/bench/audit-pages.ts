/**
 * How long a page of the audit takes: each filter alone and broad ones together, first page, a later one by cursor, and its
 * total, over as many rows as asked for. `node infra/bench/audit-pages.ts --rows 1000000 [--into DIR] [--keep]`; the rows lie in the
 * temporary folder and go with the run, or stay with `--keep` and are found again in a folder that is named. A row above its goal
 * is marked and makes the run end with 1. On a machine that others use, go by the processor's time: every page is computed
 * in one piece, so on a free one the two are the same.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allCollections, allModels, readModelsVersion } from '@clustral/projections/all-models.ts';
import { auditEvents, type AuditFilters } from '@clustral/projections/audit/query.ts';
import { openFold } from '@clustral/projections/fold.ts';
import { openReadModels, type ReadModels } from '@clustral/projections/read-models.ts';
import { openSqliteStore } from '@clustral/projections/sqlite/store.ts';
import { auditLog, counts, idOf, lastInstant } from './audit-log.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string' }, into: { type: 'string' }, keep: { type: 'boolean' } },
});
const rows = Number(values.rows ?? 1_000_000);
const factsPerCommit = 2_000;
const asksEach = 60;
/** Milliseconds, at the 95th of a hundred. */
const goals = rows <= 1_000_000 ? { single: 5, broad: 20 } : { single: 300, broad: 300 };

type Question = { readonly name: string; readonly goal: number; readonly filters: (n: number) => AuditFilters };

const day = 86_400_000;
const minute = 60_000;
const recently = (n: number): number => lastInstant - (1 + (n % 80)) * day;
const cluster = (n: number): string => idOf('cluster', n % counts.clusters);
const person = (n: number): string => `person${(n * 7) % counts.users}@corp.example`;

const { single, broad } = goals;
const questions: readonly Question[] = [
  { name: 'nothing', goal: single, filters: () => ({}) },
  { name: 'category, common', goal: single, filters: () => ({ category: 'proxy' }) },
  { name: 'category, rare', goal: single, filters: () => ({ category: 'roles' }) },
  { name: 'code, common', goal: single, filters: () => ({ code: 'CPR001I' }) },
  { name: 'code, rare', goal: single, filters: () => ({ code: 'CAR001I' }) },
  { name: 'severity, common', goal: single, filters: () => ({ severity: 'Info' }) },
  { name: 'severity, less so', goal: single, filters: () => ({ severity: 'Warning' }) },
  { name: 'severity, never', goal: single, filters: () => ({ severity: 'Error' }) },
  { name: 'user by e-mail', goal: single, filters: (n) => ({ user: person(n) }) },
  { name: 'user, nobody', goal: single, filters: () => ({ user: '(a+)+$' }) },
  { name: 'cluster', goal: single, filters: (n) => ({ clusterId: cluster(n) }) },
  { name: 'resource', goal: single, filters: (n) => ({ resourceId: idOf('request', n * 997 + 600) }) },
  { name: 'correlation', goal: single, filters: (n) => ({ correlationId: idOf('trace', n * 331 + 300) }) },
  { name: 'access request', goal: single, filters: (n) => ({ accessRequestId: idOf('grant', n + 1) }) },
  { name: 'from', goal: single, filters: (n) => ({ fromAt: recently(n) }) },
  { name: 'to', goal: single, filters: (n) => ({ toAt: recently(n) }) },
  { name: 'one minute', goal: single, filters: (n) => ({ fromAt: recently(n), toAt: recently(n) + minute }) },
  { name: 'text, rare word', goal: single, filters: (n) => ({ text: `incident ${(n + 1) * 1_000 + 7}` }) },
  { name: 'text, common word', goal: single, filters: () => ({ text: 'pods' }) },
  { name: 'text, words together', goal: broad, filters: (n) => ({ text: `delete secrets billing ${n % 977}` }) },
  { name: 'text, beginning of many', goal: broad, filters: () => ({ text: 'web te' }) },
  { name: 'category and severity', goal: broad, filters: () => ({ category: 'proxy', severity: 'Warning' }) },
  { name: 'cluster and code', goal: broad, filters: (n) => ({ clusterId: cluster(n), code: 'CPR002W' }) },
  { name: 'cluster and user', goal: broad, filters: (n) => ({ clusterId: cluster(n), user: person(n) }) },
  { name: 'severity and from', goal: broad, filters: (n) => ({ severity: 'Warning', fromAt: recently(n) }) },
  { name: 'user and to', goal: broad, filters: (n) => ({ user: person(n), toAt: recently(n) }) },
  { name: 'code and text', goal: broad, filters: () => ({ code: 'CPR001I', text: 'secrets' }) },
  { name: 'severity and text', goal: broad, filters: () => ({ severity: 'Warning', text: 'delete' }) },
  {
    name: 'category that never meets severity',
    goal: broad,
    filters: () => ({ category: 'roles', severity: 'Warning' }),
  },
];

async function fill(folder: string): Promise<void> {
  const store = openSqliteStore({ folder, version: readModelsVersion, collections: allCollections });
  const fold = await openFold(store, allModels);
  const [begunAt, before] = [performance.now(), process.cpuUsage()];
  const secondsNow = (): number => (performance.now() - begunAt) / 1_000;
  let taken = 0;
  for (const fact of auditLog(rows)) {
    await fold.take(fact);
    taken += 1;
    if (taken % factsPerCommit === 0) await fold.commit();
    if (taken % 1_000_000 === 0) console.log(`  ${taken / 1_000_000} million rows after ${secondsNow().toFixed(0)} s`);
  }
  await fold.commit();
  await store.publish();
  const seconds = secondsNow();
  const { user, system } = process.cpuUsage(before);
  await store.close();
  const processor = ((user + system) / 1_000_000).toFixed(1);
  console.log(`${rows} rows built in ${seconds.toFixed(1)} s, ${processor} s of the processor; ${sizeOf(folder)} MB`);
}

const sizeOf = (folder: string): number =>
  Math.round(readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1_048_576);

const p95 = (times: readonly number[]): number =>
  times.toSorted((one, other) => one - other)[Math.ceil(times.length * 0.95) - 1] ?? 0;

/** What something took in milliseconds, by the clock and of the processor. */
type Took = { readonly clock: number; readonly processor: number };

async function timed(work: () => Promise<unknown>): Promise<Took> {
  const [begunAt, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { clock: performance.now() - begunAt, processor: (user + system) / 1_000 };
}

/** True when the goal is met, by the first page and by the second. */
async function ask(models: ReadModels, { name, goal, filters }: Question): Promise<boolean> {
  const [first, second]: [Took[], Took[]] = [[], []];
  let total = '';
  for (let n = 0; n < asksEach; n += 1) {
    const query = { filters: filters(n), limit: 50 };
    let after: string | undefined;
    first.push(
      await timed(async () => {
        const page = await auditEvents(models, query);
        after = page.next;
        total = `${page.total}${page.totalIsLowerBound ? '+' : ''}`;
      }),
    );
    if (after !== undefined) second.push(await timed(() => auditEvents(models, { ...query, after: after ?? '' })));
  }
  const clock = [first, second].map((took) => p95(took.map((one) => one.clock)));
  const processor = [first, second].map((took) => p95(took.map((one) => one.processor)));
  const isMet = clock.every((ms) => ms <= goal);
  const figures = [...clock, ...processor].map((ms) => ms.toFixed(1).padStart(8)).join('');
  console.log(`${name.padEnd(36)}${figures}${String(goal).padStart(6)}  ${total.padStart(7)}${isMet ? '' : '  above'}`);
  return isMet;
}

const folder = values.into ?? mkdtempSync(join(tmpdir(), 'bench-audit-'));
try {
  if (readdirSync(folder).length === 0) await fill(folder);
  const models = await openReadModels({ folder });
  console.log(`\n${'milliseconds, p95'.padEnd(36)}   first  second   of the processor  goal    total`);
  let met = true;
  for (const question of questions) met = (await ask(models, question)) && met;
  models.close();
  process.exitCode = met ? 0 : 1;
} finally {
  if (values.keep !== true) rmSync(folder, { recursive: true, force: true });
}
