/**
 * Evidence for "durable before answered" (G1): the embedded event store runs under strace, appends come through the official client
 * over several connections at once, and the trace must show an fsync of the log between the last data write and the answer of
 * every one of them. Exit code 1 when one was answered too early, when the trace does not show it, or without a strace.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import { judgeAppends, syncs, type AppendEvidence } from './synchronised.ts';
import { parseTrace } from './trace.ts';

/** Of the system, not of the packages. */
const strace: string = 'strace';
const connections = 5;
const appendsEach = 20;
const traceWithinMs = 20_000;
const longestShown = 20;
const calls = 'fsync,fdatasync,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,read,readv,recvfrom,recvmsg';

/** What keeps strace from working here, in a sentence; undefined when it works. */
function missingStrace(): string | undefined {
  const { status, error, stderr } = spawnSync(strace, ['-qq', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

type Traced = { readonly socket: string; readonly data: string; readonly trace: string; readonly child: ChildProcess };

async function startTraced(folder: string): Promise<Traced> {
  const [data, socket, trace] = [join(folder, 'log'), join(folder, 's'), join(folder, 'trace')];
  const store = join(import.meta.dirname, '..', 'embedded', 'event-store', 'main.ts');
  // With -D the child is the store itself and strace the one beside it, so that signals reach the store.
  const words = ['-D', '-f', '-yy', '-q', '-s', '1000000', '-e', `trace=${calls}`, '-e', 'signal=none', '-o', trace];
  const child = spawn(strace, [...words, process.execPath, store, '--data', data, '--socket', socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const listening = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('listening ') && listening.resolve());
  child.once('exit', (code) => listening.reject(new Error(`the event store ended with ${code} before it listened`)));
  await listening.promise;
  return { socket, data, trace, child };
}

/** Appends, one after the other on each connection, and gives the marks of those that were acknowledged. */
async function append(socket: string): Promise<readonly string[]> {
  const all = Array.from({ length: connections }, async () => {
    const store = connectEventStore({ connectionString: `unix:${socket}` });
    const stream = `traced-${randomUUID()}`;
    const marks: string[] = [];
    try {
      for (let n = 0; n < appendsEach; n += 1) {
        const mark = randomBytes(16).toString('hex');
        const metadata = {
          schemaVersion: 1,
          actor: { kind: 'service', id: 'evidence' },
          epoch: 1,
          $correlationId: mark,
        } as const;
        await store.append(stream, n === 0 ? 'none' : n - 1, [
          { id: randomUUID(), type: 'evidence.given', data: { mark }, metadata },
        ]);
        marks.push(mark);
      }
    } finally {
      await store.close();
    }
    return marks;
  });
  return (await Promise.all(all)).flat();
}

/** The trace, once it tells of the end of the process. */
async function finishedTrace({ child, trace }: Traced): Promise<string> {
  const pid = child.pid;
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  for (const deadline = performance.now() + traceWithinMs; performance.now() < deadline; await sleep(50)) {
    const text = readFileSync(trace, 'utf8');
    if (new RegExp(`^${pid} +\\+\\+\\+ (?:exited|killed)`, 'm').test(text)) return text;
  }
  throw new Error(`strace did not finish its trace within ${traceWithinMs / 1_000} s`);
}

export type Gathered = {
  readonly evidence: readonly AppendEvidence[];
  /** The same trace judged without its fsyncs. Whoever believes one of these cannot tell. */
  readonly counterEvidence: readonly AppendEvidence[];
};

/** Runs the store on the folder, under strace, and judges each append that it acknowledged. Throws without a strace. */
export async function gatherEvidence(folder: string): Promise<Gathered> {
  const traced = await startTraced(folder);
  const marks = await append(traced.socket);
  const trace = parseTrace(await finishedTrace(traced));
  const isLog = (path: string): boolean => path.startsWith(join(traced.data, 'log.db')) && !path.endsWith('-shm');
  const unsynchronised = trace.filter(({ name }) => !syncs.has(name));
  return { evidence: judgeAppends(trace, marks, isLog), counterEvidence: judgeAppends(unsynchronised, marks, isLog) };
}

const believed = (evidence: readonly AppendEvidence[]): number =>
  evidence.filter(({ fault }) => fault === undefined).length;

async function report(folder: string): Promise<boolean> {
  const { evidence, counterEvidence } = await gatherEvidence(folder);
  for (const { mark, fault } of evidence.filter(({ fault: said }) => said !== undefined).slice(0, longestShown))
    console.log(`append ${mark}: ${fault}`);
  console.log(
    `${evidence.length} acknowledged appends over ${connections} connections: ${believed(evidence)} were answered after an fsync of the log; ` +
      `with the fsyncs taken out of the trace ${believed(counterEvidence)} would be believed`,
  );
  return evidence.length > 0 && believed(evidence) === evidence.length && believed(counterEvidence) === 0;
}

async function main(): Promise<number> {
  const missing = missingStrace();
  if (missing !== undefined) {
    console.log(`NOT RUN: this machine lacks a strace that works (${missing}), which this evidence needs`);
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), 'fsync-'));
  try {
    return (await report(folder)) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exitCode = await main();
