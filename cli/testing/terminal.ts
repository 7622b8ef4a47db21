/** `clustral` with a terminal in front of it, by the `script` of util-linux: what is typed goes in, all that is shown comes out. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Home } from './command-line.ts';

export type OnTerminal = {
  /** Waits until the screen matches and returns the match. */
  showed(pattern: RegExp): Promise<RegExpExecArray>;
  type(text: string): void;
  finished(): Promise<{ readonly code: number | null; readonly screen: string }>;
};

/** Runs a line on a terminal of its own. */
const program = 'script';
const limitMs = 20_000;
const main = join(import.meta.dirname, '..', 'main.ts');

/** Why there is no terminal to be had here, or undefined. */
export function missingTerminal(): string | undefined {
  const found = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return found.stdout?.includes('util-linux') ? undefined : "'script' of util-linux is not on this machine";
}

/** Starts a line on a terminal of 100 columns. */
export function startOnTerminal(home: Home, line: string, environment: Record<string, string> = {}): OnTerminal {
  const command = `stty cols 100 -echo; exec '${process.execPath}' '${main}' ${line}`;
  const child = spawn(program, ['-qefc', command, '/dev/null'], {
    cwd: home.path,
    env: { PATH: process.env['PATH'], HOME: home.path, TERM: 'xterm', SHELL: '/bin/sh', ...environment },
  });
  let screen = '';
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text.replaceAll('\r\n', '\n');
    changed();
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const closed = new Promise<{ code: number | null; screen: string }>((resolve) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, screen });
      changed();
    });
  });
  return {
    finished: () => closed,
    type: (text) => void child.stdin.write(text),
    showed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(screen);
          if (match) resolve(match);
          else if (child.exitCode !== null)
            reject(new Error(`ended (${child.exitCode}) without showing it:\n${screen}`));
          else return;
          watchers.delete(look);
        };
        watchers.add(look);
        look();
      }),
  };
}
