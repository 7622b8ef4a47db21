/**
 * Real kubectl against a test cluster, as one of the people of the tests. For tests only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubectl, type KubectlVersion } from '../../../e2e/parts/kubectl.ts';
import { type TestCluster, token } from './test-cluster.ts';

/** How a command ended. */
export interface Ended {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Which kubectl, and whether it may use WebSockets (it uses SPDY otherwise). */
export interface Flavour {
  version: KubectlVersion;
  webSockets: boolean;
}

const people = {
  admin: ['admin@example.com', 'system:masters'],
  viewer: ['dev@example.com', 'clustral:viewers'],
} as const;

export class Kubectl {
  readonly folder: string;
  readonly #started = new Set<ChildProcess>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Writes a kubeconfig per person into a folder that `close` takes away. */
  static async for(cluster: TestCluster): Promise<Kubectl> {
    const folder = await mkdtemp(join(tmpdir(), 'demo-kubectl-'));
    for (const [person, [user, group]] of Object.entries(people)) {
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'demo',
        clusters: [
          {
            name: 'demo',
            cluster: {
              server: cluster.url,
              'certificate-authority-data': Buffer.from(cluster.ca).toString('base64'),
            },
          },
        ],
        users: [{ name: 'demo', user: { token, as: user, 'as-groups': [group] } }],
        contexts: [{ name: 'demo', context: { cluster: 'demo', user: 'demo', namespace: 'demo' } }],
      };
      await writeFile(join(folder, `${person}.json`), JSON.stringify(config));
    }
    return new Kubectl(folder);
  }

  /** The environment a command of this person runs in. */
  environment({ webSockets }: Flavour, person: keyof typeof people = 'admin'): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      HOME: this.folder,
      KUBECONFIG: join(this.folder, `${person}.json`),
      KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(webSockets),
      KUBECTL_PORT_FORWARD_WEBSOCKETS: String(webSockets),
    };
  }

  /** Starts kubectl; the caller ends it, or `close` does. */
  start(flavour: Flavour, args: readonly string[], person: keyof typeof people = 'admin'): ChildProcess {
    return this.spawn(kubectl(flavour.version), args, this.environment(flavour, person));
  }

  /** Starts another program in the folder of the kubeconfigs. */
  spawn(binary: string, args: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(binary, args, { cwd: this.folder, env: environment });
    this.#started.add(child);
    child.once('exit', () => this.#started.delete(child));
    return child;
  }

  /** Runs kubectl to its end. */
  async run(
    flavour: Flavour,
    args: readonly string[],
    given: { stdin?: string | Buffer; as?: keyof typeof people } = {},
  ): Promise<Ended> {
    const child = this.start(flavour, args, given.as);
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(given.stdin ?? '');
    return endOf(child);
  }

  /** Ends what still runs and takes the folder away. */
  async close(): Promise<void> {
    for (const child of this.#started) child.kill('SIGKILL');
    await rm(this.folder, { recursive: true });
  }
}

/** Answers all that a program wrote to stdout, as soon as it holds a text. */
export function outputWith(child: ChildProcess, text: string | RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      all += chunk.toString();
      if (typeof text === 'string' ? all.includes(text) : text.test(all)) resolve(all);
    });
    child.once('close', () => reject(new Error(`the program ended before it wrote ${String(text)}: ${all}`)));
  });
}

/** What a program wrote until it ended. */
export async function endOf(child: ChildProcess): Promise<Ended> {
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}
