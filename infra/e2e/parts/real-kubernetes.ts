/**
 * A real Kubernetes for the suites: the scripts of `kubernetes/` as one part that is started and ended. What this machine lacks for it
 * is named by `missingForKubernetes`, so that a suite which does not run says why. Several may run side by side; however a run ends, the
 * kernel takes its processes, pods and interfaces away.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { kubectl } from './kubectl.ts';

const scripts = join(import.meta.dirname, 'kubernetes');
const cache = process.env['REALPARTS_CACHE'] ?? join(homedir(), '.cache', 'clustral-realparts');
/** A cold build takes about eight minutes on two cores; a start without one, a quarter of a minute. */
const startMs = 1_500_000;
const stopMs = 30_000;

export type RealKubernetes = {
  /** kubeconfig of the cluster's own administrator. */
  readonly adminKubeconfig: string;
  /** Address of this machine as pods see it. */
  readonly hostAddress: string;
  /** Gives the node an image, as a tar that docker would save; a pod names it as the tar does. */
  importImage(tar: Buffer): void;
  /** The API server's own audit log, newest last. */
  auditLog(): readonly ClusterAuditEvent[];
  stop(): Promise<void>;
};

/** What the suites look at in an event of the API server's audit (audit.k8s.io/v1). */
export type ClusterAuditEvent = {
  readonly auditID: string;
  readonly verb: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
  readonly impersonatedUser?: { readonly username: string; readonly groups?: readonly string[] };
};

/** What this machine lacks to run it, and cannot install; undefined when nothing. */
export function missingForKubernetes(): string | undefined {
  if (process.platform !== 'linux') return 'Linux, to run containers on';
  if (process.getuid?.() !== 0) return 'root, to run containers in namespaces of their own';
  if (!has('dpkg', '--version'))
    return 'dpkg and apt, to know and to install containerd, runc and the CNI plugins with';
  if (!has('setpriv', '--version') || !has('unshare', '--version')) return 'setpriv and unshare of util-linux';
  const isBuilt = existsSync(join(cache, `kubernetes-${version()}`, 'echo-server'));
  return isBuilt || has('go', 'version') ? undefined : 'Go, to build Kubernetes with';
}

/** Starts it with one node and real pods. Throws with what the scripts said when it does not come up. */
export async function startKubernetes(): Promise<RealKubernetes> {
  // A test run that is killed must not leave a cluster behind.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', join(scripts, 'up')], {
    env: { ...process.env, KUBECTL: kubectl('1.35'), REALPARTS_CACHE: cache },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const adminKubeconfig = await ready(child).catch(async (error: unknown) => {
    await end(child);
    throw error;
  });
  const auditFile = join(dirname(adminKubeconfig), 'audit.log');
  return {
    adminKubeconfig,
    hostAddress: hostAddress(adminKubeconfig),
    importImage: (tar) => {
      const socket = join(dirname(adminKubeconfig), 'containerd.sock');
      execFileSync('ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', '-'], {
        input: tar,
        stdio: ['pipe', 'ignore', 'pipe'],
      });
    },
    auditLog: () =>
      readFileSync(auditFile, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line) as ClusterAuditEvent),
    stop: () => end(child),
  };
}

// The wire into the cluster has two ends: the node's, which is the API server's too, and ours before it.
function hostAddress(kubeconfig: string): string {
  const [, network] = /server: "https:\/\/([\d.]+)\.2"/.exec(readFileSync(kubeconfig, 'utf8')) ?? [];
  if (network === undefined) throw new Error(`${kubeconfig} names no API server of these scripts`);
  return `${network}.1`;
}

async function ready(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_096);
    // What is built or installed, and how long that takes, should be seen while it does.
    if (/^(?:building|installing|  \d+ s,)/m.test(chunk.toString())) process.stdout.write(chunk);
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
