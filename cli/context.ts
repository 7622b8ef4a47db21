/** What a command may touch of the process around it: streams, environment, home, clock. Nothing else reads `process`. */
import type { BaseContext } from 'clipanion';
import { homedir } from 'node:os';
import { join } from 'node:path';

export type CliContext = BaseContext & {
  readonly env: Record<string, string | undefined>;
  /** `CLUSTRAL_HOME`, else `~/.clustral`: the same place on every system. */
  readonly home: string;
  readonly now: () => Date;
  /** True when a person can be asked: a terminal on both ends, no `CI`, no `--no-input`. */
  readonly interactive: boolean;
  readonly isTerminal: boolean;
};

/** The context of the real process. */
export function createContext(env: NodeJS.ProcessEnv = process.env): CliContext {
  const isTerminal = process.stdout.isTTY === true;
  return {
    env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    colorDepth: 1,
    home: homeOf(env),
    now: () => new Date(),
    isTerminal,
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true && !env['CI'],
  };
}

/** Where this tool keeps its files. */
export function homeOf(env: Readonly<Record<string, string | undefined>>): string {
  return env['CLUSTRAL_HOME'] || join(env['HOME'] || homedir(), '.clustral');
}
