/**
 * A real Kubernetes for the suites: the scripts of `kubernetes/` as one part that is started and ended. What this machine lacks for it
 * is named by `missingForKubernetes`, so that a suite which does not run says why. It ends only what it started.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from '../../standalone/ports.ts';
import { kubectl } from './kubectl.ts';

const scripts = join(import.meta.dirname, 'kubernetes');
const cache = process.env['REALPARTS_CACHE'] ?? join(homedir(), '.cache', 'clustral-realparts');
/** A cold build takes about eight minutes on two cores; a start without one, a quarter of a minute. */
const startMs = 1_500_000;
const stopMs = 60_000;

export type RealKubernetes = {
  /** kubeconfig of the cluster's own administrator. */
  readonly adminKubeconfig: string;
  /** The API server's own audit log, a JSON object a line. */
  auditLog(): readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<void>;
};

/** What this machine lacks to run it; undefined when nothing. */
export function missingForKubernetes(): string | undefined {
  if (process.platform !== 'linux') return 'Linux, to run containers on';
  if (process.getuid?.() !== 0) return 'root, to run containers and to make a bridge';
  if (!existsSync(join(cache, `kubernetes-${version()}`, 'echo-server')) && !has('go', 'version')) {
    return 'Go, to build Kubernetes with';
  }
  return has('openssl', 'version') ? undefined : 'openssl, to make keys with';
}

/** Starts it with one node and real pods. Throws with what the scripts said when it does not come up. */
export async function startKubernetes(): Promise<RealKubernetes> {
  const state = mkdtempSync(join(tmpdir(), 'kubernetes-'));
  // The scripts use the five ports behind it as well.
  const [port = 0] = await freePorts(1);
  const child = spawn('bash', [join(scripts, 'up'), '--port', String(port), '--state', state, '--node'], {
    env: { ...process.env, KUBECTL: kubectl('1.35'), REALPARTS_CACHE: cache },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const adminKubeconfig = await ready(child).catch(async (error: unknown) => {
    await end(child);
    rmSync(state, { recursive: true, force: true });
    throw error;
  });
  return {
    adminKubeconfig,
    auditLog: () =>
      readFileSync(join(state, 'audit.log'), 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async stop() {
      await end(child);
      rmSync(state, { recursive: true, force: true });
    },
  };
}

async function ready(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_096);
    // How long a build takes should be seen while it does.
    if (chunk.includes('building')) process.stdout.write(chunk);
  });
  if (child.stdout === null) throw new Error('the scripts have no output to read');
  const lines = createInterface(child.stdout);
  const timer = setTimeout(() => child.kill(), startMs);
  for await (const line of lines) {
    if (!line.startsWith('READY ')) continue;
    clearTimeout(timer);
    return line.slice('READY '.length);
  }
  clearTimeout(timer);
  throw new Error(`Kubernetes did not come up: ${said}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await ended;
  clearTimeout(timer);
}

function version(): string {
  const [, found = ''] = /k8s\.io\/kubernetes v(\S+)/.exec(readFileSync(join(scripts, 'go.mod'), 'utf8')) ?? [];
  return found;
}

const has = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).status === 0;
