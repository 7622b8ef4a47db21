/** The store as a process of its own, for tests that kill it, starve it or speak to it from outside. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const mainScript = fileURLToPath(new URL('../main.ts', import.meta.url));

export type RunningProcess = {
  readonly child: ChildProcess;
  /** What stands behind `listening`: `host:port` or `unix:path`. */
  readonly address: string;
  readonly lines: readonly string[];
  /** All that it has said on stderr so far. */
  errors(): string;
  /** Resolves with exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
};

type Launch = {
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Words before `node`: `unshare`, `strace`, `prlimit`. */
  readonly wrapper?: readonly string[];
};

/** Resolves when it listens. Rejects with what it said when it ends before. */
async function launch({ args, environment = {}, wrapper = [] }: Launch): Promise<RunningProcess> {
  const [command = '', ...rest] = [...wrapper, process.execPath, mainScript, ...args];
  const child = spawn(command, rest, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
  const lines: string[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const [, found] = /^listening (.+)$/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then((how) => reject(new Error(`the event store ended with ${how} before it listened: ${errors}`)));
  });
  return { child, address, lines, errors: () => errors, ended };
}

/** Stores of one test file, each in a folder of its own; `end` kills what is left of them. */
export class Stores {
  readonly base: string;
  readonly #running: RunningProcess[] = [];

  constructor() {
    this.base = mkdtempSync(join(tmpdir(), 'stores-'));
  }

  newFolder(): string {
    return join(this.base, randomUUID());
  }

  /** On a free loopback port, with more words of the command line if there are any. */
  async start({ data, args = [], ...rest }: Partial<Launch> & { readonly data: string }): Promise<RunningProcess> {
    const process = await launch({ args: ['--data', data, '--listen', '127.0.0.1:0', ...args], ...rest });
    this.#running.push(process);
    return process;
  }

  async end(): Promise<void> {
    for (const { child, ended } of this.#running.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
  }

  remove(): void {
    rmSync(this.base, { recursive: true });
  }
}

export type Finished = { readonly code: number | null; readonly output: string; readonly errors: string };

/** Runs a command of the store to its end, with `input` on stdin. */
export async function run(args: readonly string[], input = ''): Promise<Finished> {
  const child = spawn(process.execPath, [mainScript, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output, errors };
}
