/** The real `clustral` as a process with a home of its own: started, watched, waited for, each wait with a deadline. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signInWithForm } from '../../infra/embedded/identity-provider/sign-in.ts';
import type { Installation } from './installation.ts';

export type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Started = {
  readonly child: ChildProcessWithoutNullStreams;
  /** Waits until stderr matches and returns the match. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  finished(): Promise<Finished>;
};

/** A folder that is HOME for the processes of a test. */
export type Home = {
  readonly path: string;
  start(args: readonly string[], environment?: Record<string, string>): Started;
  run(args: readonly string[], environment?: Record<string, string>): Promise<Finished>;
  remove(): void;
};

const main = join(import.meta.dirname, '..', 'main.ts');
const limitMs = 60_000;
// Every home is new, and compiling everything anew for each would take most of the time of the tests.
const compiled = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'clustral-cli');

export function makeHome(): Home {
  const path = mkdtempSync(join(tmpdir(), 'clustral-home-'));
  const start = (args: readonly string[], environment: Record<string, string> = {}): Started =>
    watch(
      // As bad as it gets: what must be private has to be made so.
      spawn('/bin/sh', ['-c', 'umask 000; exec "$@"', 'sh', process.execPath, main, ...args], {
        cwd: path,
        // No kubectl but one that a test puts there.
        env: { PATH: path, HOME: path, NODE_COMPILE_CACHE: compiled, ...environment },
      }),
    );
  return {
    path,
    start,
    run: (args, environment) => start(args, environment).finished(),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

function watch(child: ChildProcessWithoutNullStreams): Started {
  let [stdout, stderr] = ['', ''];
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    changed();
  });
  child.stdin.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const closed = new Promise<Finished>((resolve) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
      changed();
    });
  });
  return {
    child,
    finished: () => closed,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stderr);
          if (match) resolve(match);
          else if (child.exitCode !== null)
            reject(new Error(`ended (${child.exitCode}) without saying it:\n${stderr}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
  };
}

/** Does in the browser what the address asks for; returns the address that the provider sends the browser back to. */
export function answerOf(installation: Installation, authorizationUrl: string, username: string): Promise<URL> {
  return signInWithForm({ authorizationUrl, username, password: username, ca: installation.ca });
}

/** Signs a person in by browser, start to end. */
export function signIn(home: Home, installation: Installation, username = 'dev'): Promise<Finished> {
  return throughBrowser(home.start(['login', installation.origin, '--no-browser']), installation, username);
}

/** Signs somebody in beside whoever is signed in already. */
export function signInToo(home: Home, installation: Installation, username: string): Promise<Finished> {
  return throughBrowser(home.start(['login', installation.origin, '--no-browser', '--force']), installation, username);
}

async function throughBrowser(login: Started, installation: Installation, username: string): Promise<Finished> {
  const [, address = ''] = await login.said(/\n {2}(https:\S+)\n/);
  await fetch(await answerOf(installation, address, username));
  return login.finished();
}
