/**
 * The product's parts as processes of their own: started with the entry that `npm start` uses, killed with SIGKILL, started again
 * after a moment. Unlike the product's supervisor it never gives up, because here dying often is the point. What dies
 * without having been killed is written down.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { LifecycleMessage } from '@clustral/kernel/lifecycle.ts';
import type { Assignment } from '../standalone/child.ts';
import type { Kill, ProcessName } from './plan.ts';

const restartMs = 200;
const stopLimitMs = 6_000;

export type ProcessesOptions = {
  readonly assignments: Readonly<Record<ProcessName, Assignment>>;
  readonly logFolder: string;
};

type Managed = {
  readonly assignment: Assignment;
  readonly log: WriteStream;
  child: ChildProcess | undefined;
  isReady: boolean;
  /** Set by a kill: how long it then stays dead. */
  deadMs: number | undefined;
  timer: NodeJS.Timeout | undefined;
};

export class Processes {
  /** One sentence for each process that ended by itself. */
  readonly unexpected: string[] = [];
  readonly #all: ReadonlyMap<ProcessName, Managed>;
  #stopping = false;

  constructor({ assignments, logFolder }: ProcessesOptions) {
    this.#all = new Map(
      Object.entries(assignments).map(([name, assignment]) => [
        name as ProcessName,
        {
          assignment,
          log: createWriteStream(join(logFolder, `${name}.log`), { flags: 'a', mode: 0o600 }),
          child: undefined,
          isReady: false,
          deadMs: undefined,
          timer: undefined,
        },
      ]),
    );
  }

  start(): void {
    for (const managed of this.#all.values()) this.#launch(managed);
  }

  /** True when every process has said that it is ready since it was last started. */
  get areReady(): boolean {
    return [...this.#all.values()].every(({ isReady }) => isReady);
  }

  /** Kills them at one instant. One that is dead already stays so a while longer. */
  kill({ victims, deadMs }: Kill): void {
    if (this.#stopping) return;
    for (const name of victims) {
      const managed = this.#all.get(name);
      if (managed === undefined) continue;
      managed.isReady = false;
      managed.deadMs = deadMs[name];
      if (managed.child !== undefined) managed.child.kill('SIGKILL');
      else this.#launchLater(managed);
    }
  }

  /** Ends them cleanly, those that depend on others first; by force what does not end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { timer } of this.#all.values()) clearTimeout(timer);
    for (const name of ['projections', 'control-plane', 'event-store'] as const) await end(this.#all.get(name)?.child);
    for (const { log } of this.#all.values()) log.end();
  }

  #launch(managed: Managed): void {
    const child = fork(join(import.meta.dirname, '..', 'standalone', 'child.ts'), [], {
      env: { ...process.env, LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    let lastWords = '';
    managed.child = child;
    child.stdout?.pipe(managed.log, { end: false });
    child.stderr?.pipe(managed.log, { end: false });
    child.on('message', (message) => {
      const said = message as LifecycleMessage;
      if (said.kind === 'ready') managed.isReady = true;
      else lastWords = said.message;
    });
    child.on('error', (error) => (lastWords = error.message));
    child.on('close', (code, signal) => {
      managed.child = undefined;
      managed.isReady = false;
      if (this.#stopping) return;
      if (managed.deadMs === undefined)
        this.unexpected.push(`${managed.assignment.name} ended by itself (${signal ?? code}): ${lastWords}`);
      this.#launchLater(managed);
    });
    child.send(managed.assignment, () => undefined);
  }

  #launchLater(managed: Managed): void {
    clearTimeout(managed.timer);
    managed.timer = setTimeout(() => this.#launch(managed), managed.deadMs ?? restartMs);
    managed.deadMs = undefined;
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined) return;
  const closed = Promise.withResolvers<void>();
  child.once('close', () => closed.resolve());
  const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  child.kill('SIGTERM');
  await closed.promise;
  clearTimeout(timer);
}
