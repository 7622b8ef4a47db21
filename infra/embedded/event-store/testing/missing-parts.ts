/**
 * Faults that only the system can make: a small disk, a failing fsync, few descriptors. On a machine that lacks one of the
 * tools the test says by its title that it was not run, and which part is missing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import type { RunningProcess } from './processes.ts';

export type Tool = 'unshare' | 'strace' | 'prlimit';

const trials: Readonly<Record<Tool, readonly string[]>> = {
  unshare: ['unshare', '-rm', 'true'],
  strace: ['strace', '-qq', '-o', '/dev/null', 'true'],
  prlimit: ['prlimit', '--nofile=64', 'true'],
};

/** Undefined when the tool works here, else a sentence that says what is missing. */
function missing(tool: Tool): string | undefined {
  const [command = '', ...args] = trials[tool];
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return `this machine lacks ${tool} (${error?.message ?? stderr.trim()}), which this fault needs`;
}

/** Runs a command where a process lives that `unshare` has started. Resolves with its exit code. */
export function runBeside({ child }: RunningProcess, command: string): Promise<number | null> {
  const tool: string = 'nsenter';
  const args = ['-t', String(child.pid), '-U', '-m', '--preserve-credentials', 'sh', '-c', command];
  const entered = spawn(tool, args);
  return new Promise((resolve) => entered.once('exit', resolve));
}

/** A test of a fault that a tool makes. */
export function faultTest(name: string, tool: Tool, body: () => Promise<void>): void {
  const lack = missing(tool);
  if (lack === undefined) it(name, body);
  else it(`${name}: NOT RUN, ${lack}`, () => expect(lack).toContain(tool));
}
