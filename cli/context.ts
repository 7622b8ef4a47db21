/** What a command may touch of the process around it: streams, environment, home, clock. Nothing else reads `process`. */
import type { BaseContext } from 'clipanion';
import type { WriteStream } from 'node:tty';
import { homeOf } from './home.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type CliContext = BaseContext & {
  readonly env: Record<string, string | undefined>;
  /** `CLUSTRAL_HOME`, else `~/.clustral`: the same place on every system. */
  readonly home: string;
  readonly now: () => Date;
  /** True when stdout is a terminal: columns are aligned and may be shortened to `columns`. */
  readonly isTerminal: boolean;
  readonly columns: number;
  /** True when somebody is there to be asked: stdin and stderr are terminals, and this is no CI. */
  readonly isInteractive: boolean;
  readonly color: { readonly stdout: boolean; readonly stderr: boolean };
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
    columns: isTerminal ? ((process.stdout as WriteStream).columns ?? 80) : Number.POSITIVE_INFINITY,
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true && !env['CI'],
    color: {
      stdout: wantsColor(isTerminal, env),
      stderr: wantsColor(process.stderr.isTTY === true, env),
    },
  };
}

/** Whether a stream gets colours: `FORCE_COLOR`, `NO_COLOR`, `CLICOLOR` and `TERM` first, then whether it is a terminal. */
export function wantsColor(isTerminal: boolean, env: Environment): boolean {
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  if (env['NO_COLOR'] || env['CLICOLOR'] === '0' || env['TERM'] === 'dumb') return false;
  return isTerminal;
}
