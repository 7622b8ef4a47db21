/**
 * A simulated container to run programs in, without a cluster around it. For tests only.
 */
import { ByteQueue, type Input, type Output } from '../byte-queue.ts';
import { Budget } from '../files/budget.ts';
import { FileTree } from '../files/file-tree.ts';
import { fillContainer } from '../shell/container-files.ts';
import { findProgram, type Machine, runProgram } from '../shell/process.ts';
import { programs } from '../shell/programs.ts';
import type { Terminal } from '../shell/terminal.ts';

/** How a program ended and what it wrote. */
export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Keeps what is written. */
export class Collector implements Output {
  readonly #pieces: Buffer[] = [];

  async write(chunk: Buffer): Promise<void> {
    this.#pieces.push(Buffer.from(chunk));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  get text(): string {
    return this.bytes.toString();
  }
}

export class ShellWorld {
  readonly budget: Budget;
  readonly machine: Machine;

  constructor(roomBytes = 4 * 1024 * 1024) {
    this.budget = new Budget(roomBytes);
    const now = (): Date => new Date('2026-01-02T15:04:05Z');
    const files = new FileTree(this.budget, now);
    fillContainer(files, { hostname: 'web-1', address: '10.244.0.2', programs: programs.keys() });
    const environment = new Map([
      ['PATH', '/bin'],
      ['HOME', '/root'],
      ['LEVEL', 'info'],
    ]);
    this.machine = {
      hostname: 'web-1',
      container: 'web',
      image: 'shop/web:1',
      files,
      environment,
      programs,
      now,
      running: 0,
    };
  }

  /** Runs a text in a shell of its own, or in what is named. */
  async sh(text: string, stdin: string | Buffer = ''): Promise<Ran> {
    return this.run(['sh', '-c', text], { stdin: inputOf(stdin) });
  }

  async run(
    [name = '', ...args]: string[],
    given: { stdin?: Input; signal?: AbortSignal; terminal?: Terminal; stdout?: Output } = {},
  ): Promise<Ran> {
    const [out, err] = [new Collector(), new Collector()];
    const found = findProgram(this.machine, name, '/');
    if (!('program' in found)) throw new Error(found.why);
    const code = await runProgram(found.program, {
      name,
      args,
      environment: this.machine.environment,
      workingDirectory: '/',
      machine: this.machine,
      stdin: given.stdin ?? inputOf(''),
      stdout: given.stdout ?? out,
      stderr: err,
      terminal: given.terminal,
      signal: given.signal ?? new AbortController().signal,
    });
    return { code, out: out.text, err: err.text };
  }
}

/** An input that holds these bytes and ends. */
export function inputOf(content: string | Buffer): ByteQueue {
  const queue = new ByteQueue(Number.POSITIVE_INFINITY);
  queue.push(Buffer.from(content));
  queue.end();
  return queue;
}
