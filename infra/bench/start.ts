/**
 * How long the deciding half of the control plane takes to be ready, with a log of so many policy facts: once from the
 * beginning and once from a snapshot (D25), and what saving the snapshot costs whoever is served meanwhile.
 * `node infra/bench/start.ts [facts, default 100000]`; every stream has 100 facts. `--apart` builds no log: it measures a
 * fold with as many people, each with access and a credential, which is the most that so many facts can leave behind.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDeciding } from '@clustral/control-plane/deciding.ts';
import { PolicyFold } from '@clustral/control-plane/policy-fold.ts';
import { readSnapshotFile, writeSnapshotFile } from '@clustral/control-plane/policy-snapshot-file.ts';
import { snapshotBytes, snapshotFrom } from '@clustral/control-plane/policy-snapshot.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { accessStream } from '@clustral/schemas/events/access.ts';
import { credentialStream } from '@clustral/schemas/events/credential.ts';
import type { Fact } from '@clustral/schemas/events/envelope.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import type { ClusterId, CredentialId, UserId } from '@clustral/schemas/ids.ts';
import { startEventStore } from '../embedded/event-store/start.ts';
import { assigned, fillLog, idsOf, issued, metadata, synced, type Beginning } from './policy-facts.ts';

const perStream = 100;
const count = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 100_000);
const folder = mkdtempSync(join(tmpdir(), 'bench-start-'));
const clusters = idsOf<ClusterId>(10);
const clusterOf = (n: number): ClusterId => clusters[n % clusters.length] as ClusterId;

/** Half of the streams are people who sign in, half are roles given and taken. */
function* log(): Generator<Beginning> {
  for (let n = 0; n < count / perStream; n += 1) {
    const userId = randomUUID() as UserId;
    const pair = { userId, clusterId: clusterOf(n) };
    const facts = Array.from({ length: perStream }, (_, k) => (n % 2 === 0 ? synced(userId, k) : assigned(pair, k)));
    yield [n % 2 === 0 ? userStream(userId) : accessStream(userId, pair.clusterId), facts];
  }
}

async function timed<T>(what: string, work: () => Promise<T> | T): Promise<T> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // Its first look is a beginning and no figure.
  await sleep(10);
  const from = performance.now();
  const before = process.threadCpuUsage();
  const result = await work();
  const ms = performance.now() - from;
  const { user, system } = process.threadCpuUsage(before);
  // What was one long pause is counted when it is over.
  await sleep(10);
  delay.disable();
  // On a busy machine the first and the last are as much about the others; the second is about this thread alone.
  const [cpu, pause] = [(user + system) / 1e3, delay.max / 1e6];
  console.log(`${what}: ${ms.toFixed(0)} ms, at work ${cpu.toFixed(0)} ms, longest pause ${pause.toFixed(0)} ms`);
  return result;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function starts(): Promise<void> {
  await timed(`writing ${count} facts`, () => fillLog(join(folder, 'log'), log()));
  const server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  const eventStore = connectEventStore({ connectionString: server.connectionString });
  const options = {
    eventStore,
    holder: 'bench',
    log: createLog('bench', 'warn'),
    now: () => new Date(),
    monotonic: () => performance.now(),
    snapshotFolder: join(folder, 'snapshots'),
  };
  const first = await timed('ready without a snapshot', () => startDeciding(options));
  await timed('stop, which saves one', () => first.stop());
  console.log(`the snapshot: ${megabytes(statSync(join(folder, 'snapshots', 'policy-fold')).size)}`);
  const second = await timed('ready with the snapshot', () => startDeciding(options));
  await second.stop();
  await eventStore.close();
  await server.stop();
}

/** What is left of as many facts when each is about something else. */
function fullFold(): PolicyFold {
  const fold = new PolicyFold(Date.now);
  let position = 0n;
  const take = (stream: string, fact: Fact): void => {
    const recorded = { ...fact, id: randomUUID(), stream, revision: 0, recordedAt: new Date(), metadata: metadata() };
    if (fold.take({ ...recorded, position: position++ }) !== 'taken') throw new Error(`${fact.type} was not taken`);
  };
  for (let n = 0; n < count / 3; n += 1) {
    const pair = { userId: randomUUID() as UserId, clusterId: clusterOf(n) };
    const credentialId = randomUUID() as CredentialId;
    take(userStream(pair.userId), synced(pair.userId, n));
    take(accessStream(pair.userId, pair.clusterId), assigned(pair, 0));
    take(credentialStream(credentialId), issued(credentialId, pair));
  }
  return fold;
}

async function saveFull(path: string): Promise<void> {
  const fold = fullFold();
  const at = { stream: 'user-x', revision: 0, position: BigInt(count), id: 'fact' };
  const parts = await timed('taking the fold apart', () => fold.parts());
  const pieces = snapshotBytes({ logId: 'log', schema: 'schema', at, parts });
  const bytes = await timed('writing it', () => writeSnapshotFile(path, pieces));
  console.log(`the snapshot: ${megabytes(bytes)}`);
}

async function apart(): Promise<void> {
  const path = join(folder, 'policy-fold');
  await saveFull(path);
  const read = await timed('reading it', () => readSnapshotFile(path));
  const snapshot = await timed('understanding it', () => snapshotFrom(read as Buffer));
  await timed('building the fold', () => new PolicyFold(Date.now, snapshot.parts));
}

try {
  await (process.argv.includes('--apart') ? apart() : starts());
} finally {
  rmSync(folder, { recursive: true });
}
