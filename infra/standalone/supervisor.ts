/**
 * Keeps the processes of the embedded default alive: each is forked with its assignment, restarted after a death with a backoff of
 * 0.2 to 5 s, and given up when it dies five times within a minute. It decides nothing else and shares no memory with
 * what it runs.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { LifecycleMessage } from '@clustral/kernel/lifecycle.ts';
import type { Assignment } from './child.ts';

const backoff = { firstMs: 200, mostMs: 5_000 };
const givesUp = { deaths: 5, withinMs: 60_000 };
const stopLimitMs = 4_800;
const largestLogBytes = 10 * 1024 * 1024;

export type SupervisorOptions = {
  readonly logFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Told in one sentence of a death and of giving up. */
  readonly say: (sentence: string) => void;
};

export type Supervisor = {
  /** Starts a process; resolves when it says that it is ready, rejects when it is given up before. */
  run(assignment: Assignment): Promise<void>;
  /** Resolves with a sentence when a process was given up. */
  readonly givenUp: Promise<string>;
  /** Ends all processes: SIGTERM, then SIGKILL after a limit. */
  stop(): Promise<void>;
};

type Managed = {
  readonly assignment: Assignment;
  child: ChildProcess | undefined;
  deaths: number[];
  lastWords: string;
  timer: NodeJS.Timeout | undefined;
};

export function createSupervisor(options: SupervisorOptions): Supervisor {
  mkdirSync(options.logFolder, { recursive: true, mode: 0o700 });
  const all: Managed[] = [];
  const gaveUp = Promise.withResolvers<string>();
  let stopping = false;

  const launch = (managed: Managed, ready: PromiseWithResolvers<void>): void => {
    const log = openLog(options.logFolder, managed.assignment.name);
    const child = fork(join(import.meta.dirname, 'child.ts'), [], {
      env: options.environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C reaches the whole terminal group; only the supervisor may act on it.
      detached: true,
    });
    managed.child = child;
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.on('message', (message) => {
      const said = message as LifecycleMessage;
      if (said.kind === 'ready') ready.resolve();
      else managed.lastWords = said.message;
    });
    child.on('error', (error) => (managed.lastWords = error.message));
    child.on('close', (code, signal) => {
      log.end();
      managed.child = undefined;
      if (!stopping) afterDeath(managed, { ready, how: signal ?? `exit code ${code}` });
    });
    child.send(managed.assignment, () => undefined);
  };

  const afterDeath = (managed: Managed, death: { ready: PromiseWithResolvers<void>; how: string }): void => {
    const now = performance.now();
    managed.deaths = [...managed.deaths.filter((at) => now - at < givesUp.withinMs), now];
    const { name } = managed.assignment;
    const why = managed.lastWords === '' ? death.how : managed.lastWords;
    if (managed.deaths.length >= givesUp.deaths) {
      const sentence = `${name} ended ${givesUp.deaths} times within a minute (${why}); its log is ${join(options.logFolder, `${name}.log`)}.`;
      death.ready.reject(new Error(sentence));
      gaveUp.resolve(sentence);
      return;
    }
    const delayMs = Math.min(backoff.mostMs, backoff.firstMs * 2 ** (managed.deaths.length - 1));
    options.say(`${name} ended (${why}); starting it again in ${delayMs} ms`);
    managed.timer = setTimeout(() => launch(managed, death.ready), delayMs);
  };

  return {
    givenUp: gaveUp.promise,
    run(assignment) {
      const managed: Managed = { assignment, child: undefined, deaths: [], lastWords: '', timer: undefined };
      all.push(managed);
      const ready = Promise.withResolvers<void>();
      launch(managed, ready);
      return ready.promise;
    },
    async stop() {
      stopping = true;
      for (const { timer } of all) clearTimeout(timer);
      const deadline = performance.now() + stopLimitMs;
      const childrenOf = (lasting: boolean): ChildProcess[] =>
        all.filter(({ assignment }) => assignment.lasting === lasting).flatMap(({ child }) => child ?? []);
      await Promise.all(childrenOf(false).map((child) => endChild(child, deadline - performance.now())));
      // What others depend on ends after them.
      for (const child of childrenOf(true).toReversed()) await endChild(child, deadline - performance.now());
    },
  };
}

function endChild(child: ChildProcess, limitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => child.kill('SIGKILL'), Math.max(0, limitMs));
  child.once('close', () => {
    clearTimeout(timer);
    resolve();
  });
  child.kill('SIGTERM');
  return promise;
}

function openLog(folder: string, name: string): WriteStream {
  const file = join(folder, `${name}.log`);
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > largestLogBytes) renameSync(file, `${file}.1`);
  return createWriteStream(file, { flags: 'a', mode: 0o600 });
}
