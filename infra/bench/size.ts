/**
 * What a large installation asks of the control plane: 10,000 people, 100 clusters, 50 roles, 100,000 assignments, 20,000 live
 * credentials and 200,000 requests that have ended. The real process is started on a log of them, once without a snapshot of
 * its policy fold and once with it (D25); then decisions are made on that fold. `node infra/bench/size.ts`, about two
 * minutes. A figure that misses its goal is said and fails nothing, because the machines are noisy.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { authorize } from '@clustral/control-plane/authorize.ts';
import { PolicyFold } from '@clustral/control-plane/policy-fold.ts';
import { readSnapshotFile } from '@clustral/control-plane/policy-snapshot-file.ts';
import { snapshotFrom } from '@clustral/control-plane/policy-snapshot.ts';
import { prepareInstallation } from '@clustral/control-plane/testing/installation.ts';
import type { LifecycleMessage } from '@clustral/kernel/lifecycle.ts';
import { accessStream } from '@clustral/schemas/events/access.ts';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import { credentialStream } from '@clustral/schemas/events/credential.ts';
import { roleStream } from '@clustral/schemas/events/role.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import type { InternalClaims } from '@clustral/schemas/tokens.ts';
import { startEventStore } from '../embedded/event-store/start.ts';
import {
  assigned,
  endedRequest,
  fillLog,
  idsOf,
  issued,
  registered,
  roleCreated,
  synced,
  type Beginning,
  type Pair,
} from './policy-facts.ts';

const goals = { readyMs: 10_000, megabytes: 300, decisionUs: 20 };
const size = { people: 10_000, clusters: 100, roles: 50, assignments: 100_000, credentials: 20_000, requests: 200_000 };
const decisions = 200_000;
const saveWithinMs = 60_000;
const afterwardsMs = 10_000;
/** Linux has had this number on every machine for decades. */
const ticksPerSecond = 100;
const mainOfControlPlane = new URL(import.meta.resolve('@clustral/control-plane/main.ts'));

const folder = mkdtempSync(join(tmpdir(), 'bench-size-'));
const data = join(folder, 'data');
const snapshot = join(data, 'snapshots', 'policy-fold');
const people = idsOf<UserId>(size.people);
const clusters = idsOf<ClusterId>(size.clusters);
const roles = idsOf<RoleId>(size.roles);
const credentials = idsOf<CredentialId>(size.credentials);
const of = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

/** Pairs of person and cluster, each only once: the first are assigned a role, and every one has an ended request or more. */
const pairOf = (n: number): Pair => ({
  userId: of(people, n),
  clusterId: of(clusters, Math.floor(n / people.length)),
});

function* log(): Generator<Beginning> {
  for (const [n, id] of clusters.entries()) yield [clusterStream(id), [registered(id, n)]];
  for (const [n, id] of roles.entries()) yield [roleStream(id), [roleCreated(id, n)]];
  for (const [n, id] of people.entries()) yield [userStream(id), [synced(id, n)]];
  for (let n = 0; n < size.requests; n += 1) {
    const pair = pairOf(n);
    const facts = endedRequest(pair, of(roles, n), n);
    const own = n < size.assignments ? [assigned(pair, 0, of(roles, n))] : [];
    yield [accessStream(pair.userId, pair.clusterId), [...own, ...facts]];
  }
  for (const [n, id] of credentials.entries()) yield [credentialStream(id), [issued(id, pairOf(n))]];
}

/** Starts the process, says how long it took and what it takes, and ends it once its snapshot is there. */
async function start(environment: NodeJS.ProcessEnv): Promise<void> {
  const isCached = existsSync(snapshot);
  const from = performance.now();
  const child = fork(mainOfControlPlane, [], { env: { ...process.env, ...environment, LOG_LEVEL: 'warn' } });
  await ready(child);
  const ms = performance.now() - from;
  const { megabytes, cpuSeconds } = takenBy(child.pid ?? 0);
  const figures = `${(ms / 1_000).toFixed(1)} s, of the processors ${cpuSeconds.toFixed(1)} s, RSS ${megabytes.toFixed(0)} MB`;
  const slow = isCached ? missed(ms, goals.readyMs) : '';
  console.log(
    `ready ${isCached ? 'with the' : 'without a'} snapshot: ${figures}${slow}${missed(megabytes, goals.megabytes)}`,
  );
  for (const until = performance.now() + saveWithinMs; !existsSync(snapshot) && performance.now() < until;)
    await sleep(200);
  await sleep(afterwardsMs);
  console.log(`  ${afterwardsMs / 1_000} s later: RSS ${takenBy(child.pid ?? 0).megabytes.toFixed(0)} MB`);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: LifecycleMessage) => {
      if (message.kind === 'ready') resolve();
      else reject(new Error(message.message));
    });
    child.once('exit', (code) => reject(new Error(`the control plane ended with ${code} before it was ready`)));
  });
}

/** What a process has in memory, and the time that processors worked for it (proc(5)). */
function takenBy(pid: number): { readonly megabytes: number; readonly cpuSeconds: number } {
  const rssKilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  // After the name, which may hold anything: state, then eleven more fields, then user and system time in ticks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { megabytes: Number(rssKilobytes) / 1_024, cpuSeconds: ticks / ticksPerSecond };
}

const missed = (figure: number, goal: number): string => (figure > goal ? ` (goal ${goal} MISSED)` : '');

/** Decides for one credential after the other, on a fold made of what the control plane saved. */
async function decide(): Promise<void> {
  const { parts } = snapshotFrom((await readSnapshotFile(snapshot)) as Buffer);
  const fold = new PolicyFold(Date.now, parts);
  const now = new Date();
  const claims = credentials.map((id, n): InternalClaims => {
    const { userId, clusterId } = pairOf(n);
    return { kind: 'internal', sub: userId, cluster_id: clusterId, credential_id: id, iat: 0, exp: 0 };
  });
  const run = (count: number): number => {
    const from = process.threadCpuUsage();
    for (let n = 0; n < count; n += 1) {
      // A step that has no common part with the number of credentials: no two in a row are neighbours.
      const at = n * 7_919;
      authorize(fold, { claims: of(claims, at), clusterId: pairOf(at % size.credentials).clusterId }, now);
    }
    const { user, system } = process.threadCpuUsage(from);
    return (user + system) / count;
  };
  run(decisions / 10);
  const us = run(decisions);
  console.log(`a decision: ${us.toFixed(2)} µs, of ${decisions}${missed(us, goals.decisionUs)}`);
  console.log(`the snapshot: ${(statSync(snapshot).size / 1e6).toFixed(1)} MB`);
}

try {
  const files = join(folder, 'log');
  console.log(`${await fillLog(files, log())} facts`);
  const server = await startEventStore({ folder: files, socketPath: join(folder, 'es.sock') });
  const { environment } = await prepareInstallation(data, server.connectionString);
  await start(environment);
  await start(environment);
  await decide();
  await server.stop();
} finally {
  rmSync(folder, { recursive: true });
}
