/**
 * The product as a person starts it: `npm start`'s own program on a data folder and ports of its own, real sign-in through the pages of the identity
 * provider, the real command line tool with a home of its own. It is torn down by process id, and only what it started.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { signInWithForm } from '../../embedded/identity-provider/sign-in.ts';
import { freePorts } from '../../standalone/ports.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const readyLimitMs = 90_000;

export type Product = {
  readonly url: string;
  readonly dataFolder: string;
  readonly ports: { readonly gateway: number; readonly tunnel: number };
  /** PEM of the CA that signed the gateway's certificate. */
  caPem(): string;
  /** Milliseconds from start to `ready`. */
  readonly readyMs: number;
  /** Everything printed so far. */
  printed(): string;
  readonly process: ChildProcess;
  /** Ends it as Ctrl-C does; gives the exit code. */
  stop(): Promise<number | null>;
};

export type ProductPlace = {
  readonly dataFolder: string;
  readonly gateway: number;
  readonly tunnel: number;
  /** A cluster of the tester's own, to be served as `local`. */
  readonly kubeconfig?: string;
  /** Another build of the dashboard than the one of the clone. */
  readonly uiFolder?: string;
  /** By what agents that are not on this machine's loopback reach the tunnel. */
  readonly tunnelHost?: string;
};

/** A new empty place for a product: a folder in the temporary folder and two free ports. */
export async function newPlace(): Promise<ProductPlace> {
  const [gateway = 0, tunnel = 0] = await freePorts(2);
  return { dataFolder: join(mkdtempSync(join(tmpdir(), 'clustral-e2e-')), 'data'), gateway, tunnel };
}

/** Starts the product there and waits for `ready`. Throws with everything it printed when it does not come. */
export async function startProduct(place: ProductPlace): Promise<Product> {
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [
      join(root, 'infra/standalone/main.ts'),
      '--data',
      place.dataFolder,
      '--port',
      String(place.gateway),
      '--tunnel-port',
      String(place.tunnel),
      ...(place.tunnelHost === undefined ? [] : ['--tunnel-host', place.tunnelHost]),
      ...(place.kubeconfig === undefined ? [] : ['--kubeconfig', place.kubeconfig]),
    ],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...(place.uiFolder === undefined ? {} : { WEB_UI_PATH: place.uiFolder }) },
    },
  );
  const output = collect(child);
  await until(() => /^ready: /m.test(output.text()), {
    limitMs: readyLimitMs,
    what: () => `'ready' from npm start:\n${output.text()}`,
    failed: () => child.exitCode !== null,
  });
  return {
    url: `https://localhost:${place.gateway}`,
    dataFolder: place.dataFolder,
    ports: { gateway: place.gateway, tunnel: place.tunnel },
    caPem: () => readFileSync(join(place.dataFolder, 'tls/edge-ca.crt'), 'utf8'),
    readyMs: performance.now() - begun,
    printed: output.text,
    process: child,
    stop: () => end(child, 'SIGINT'),
  };
}

/** Runs `npm start`'s program where it is expected to refuse: gives what it said and its exit code. */
export function refusedStart(...args: readonly string[]): Promise<Finished> {
  return start(process.execPath, [join(root, 'infra/standalone/main.ts'), ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir() },
  }).exited;
}

/** The processes that the product forked, by name. */
export function processesOf(product: Product): ReadonlyMap<string, number> {
  const pids = readFileSync(`/proc/${product.process.pid}/task/${product.process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  return new Map(
    pids.map((pid) => [
      readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        .replaceAll('\0', ' ')
        .trim()
        .replace(/^clustral /, ''),
      pid,
    ]),
  );
}

export type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** A person at a terminal: a home of their own, the command line tool and kubectl in it. */
export type Person = {
  readonly home: string;
  clustral(...args: readonly string[]): Promise<Finished>;
  /** Runs a kubectl of the given path with this person's kubeconfig. */
  kubectl(binary: string, args: readonly string[], input?: string): Promise<Finished>;
  /** Starts kubectl, or any other program, in this person's environment and leaves it running. */
  startKubectl(binary: string, args: readonly string[], options?: StartOptions): Running;
  /** `clustral login --no-browser`, the printed address followed as a browser would. */
  signIn(product: Pick<Product, 'url' | 'caPem'>, username: string): Promise<Finished>;
  remove(): void;
};

/** `env` is added to the person's own; with `typing` the program's input stays open for whoever writes to it. */
export type StartOptions = { readonly env?: Readonly<Record<string, string>>; readonly typing?: boolean };

/** A program that goes on running. */
export type Running = {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<Finished>;
  kill(): void;
};

export function newPerson(): Person {
  const home = mkdtempSync(join(tmpdir(), 'clustral-person-'));
  mkdirSync(join(home, '.kube'), { mode: 0o700 });
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: join(home, '.kube', 'config'), CI: '1' };
  const clustral = (args: readonly string[]): Running =>
    start(process.execPath, [join(root, 'cli/clustral.mjs'), ...args], { env });
  return {
    home,
    clustral: (...args) => clustral(args).exited,
    kubectl: (binary, args, input) => start(binary, args, { env, ...(input === undefined ? {} : { input }) }).exited,
    startKubectl: (binary, args, { env: more = {}, typing = false } = {}) =>
      start(binary, args, { env: { ...env, ...more }, typing }),
    async signIn(product, username) {
      const login = clustral(['login', product.url, '--no-browser']);
      const address = /^\s+(https:\/\/\S+)$/m;
      await until(() => address.test(login.stderr()), {
        limitMs: 20_000,
        what: () => `the sign-in address:\n${login.stderr()}`,
        failed: () => login.child.exitCode !== null,
      });
      const authorizationUrl = address.exec(login.stderr())?.[1] ?? '';
      const callback = await signInWithForm({ authorizationUrl, username, password: username, ca: product.caPem() });
      await get(callback);
      return login.exited;
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** The REST face of the product with the signed-in person's own token. Throws with the answer when it is not a success. */
export function adminApi(
  product: Product,
  person: Person,
): (method: string, path: string, body?: object) => Promise<Record<string, unknown>> {
  const dispatcher = new Agent({ connect: { ca: product.caPem() } });
  return async (method, path, body) => {
    const answer = await fetch(`${product.url}${path}`, {
      method,
      dispatcher,
      headers: {
        authorization: `Bearer ${accessToken(person)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
}

function accessToken(person: Person): string {
  const accounts = join(person.home, '.clustral/profiles/default/accounts');
  const [file = ''] = readdirSync(accounts).filter((name) => name.endsWith('.json'));
  return (JSON.parse(readFileSync(join(accounts, file), 'utf8')) as { accessToken: string }).accessToken;
}

/** Waits for a condition, looking often, with a limit. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  options: { readonly limitMs: number; readonly what: () => string; readonly failed?: () => boolean },
): Promise<void> {
  const deadline = performance.now() + options.limitMs;
  while (!(await condition())) {
    if (options.failed?.() === true && !(await condition())) throw new Error(`gave up on ${options.what()}`);
    if (performance.now() > deadline) throw new Error(`waited ${options.limitMs} ms in vain for ${options.what()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function start(
  command: string,
  args: readonly string[],
  { env, input, typing = false }: { env: Record<string, string>; input?: string; typing?: boolean },
): Running {
  const isRead = input !== undefined || typing;
  const child = spawn(command, args, { env, stdio: [isRead ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  if (input !== undefined) child.stdin?.end(input);
  const text = (chunks: readonly Buffer[]) => (): string => Buffer.concat(chunks).toString();
  const exited = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout: text(out)(), stderr: text(err)() }));
  });
  return { child, stdout: text(out), stderr: text(err), exited, kill: () => child.kill('SIGKILL') };
}

function collect(child: ChildProcess): { text: () => string } {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { text: () => Buffer.concat(chunks).toString() };
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.kill(signal);
  });
}

function get(url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.on('error', reject);
    asked.end();
  });
}
