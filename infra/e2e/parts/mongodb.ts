/**
 * A server that speaks MongoDB's wire protocol, for the suites: FerretDB over SQLite, built once from its Go module into a cache
 * by version. It shows that the adapter talks to a server through the official driver; it is not MongoDB, has no transactions,
 * and its speed says nothing.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../standalone/ports.ts';

const source = join(import.meta.dirname, 'mongodb');
const cache = process.env['REALPARTS_CACHE'] ?? join(homedir(), '.cache', 'clustral-realparts');
const startMs = 10_000;

/** A running server. `kill` ends it as a crash would; `start` lets it go on with the same data. */
export type MongoServer = {
  readonly connectionString: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** What is missing on this machine to have the server, or undefined when nothing is. */
export function missingForMongo(): string | undefined {
  if (existsSync(binary())) return undefined;
  return spawnSync('go', ['version']).status === 0 ? undefined : 'Go, to build the MongoDB-protocol server with';
}

/** Starts one on a free port, with data of its own. Throws with the server's own words when it does not come up. */
export async function startMongo(): Promise<MongoServer> {
  build();
  const folder = mkdtempSync(join(tmpdir(), 'mongodb-'));
  const [port] = await freePorts(1);
  let server: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };
  const start = async (): Promise<void> => {
    if (server !== undefined && server.exitCode === null && server.signalCode === null) return;
    server = spawn(binary(), ['-listen', `127.0.0.1:${port}`, '-data', folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await answering(server);
  };
  await start();
  return {
    connectionString: `mongodb://127.0.0.1:${port}/`,
    kill: () => end('SIGKILL'),
    start,
    async stop() {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function version(): string {
  const [, found = ''] =
    /github\.com\/FerretDB\/FerretDB v(\S+)/.exec(readFileSync(join(source, 'go.mod'), 'utf8')) ?? [];
  return found;
}

const binary = (): string => join(cache, `mongodb-ferretdb-${version()}`, 'server');

function build(): void {
  if (existsSync(binary())) return;
  const unfinished = `${binary()}.${process.pid}`;
  mkdirSync(join(cache, `mongodb-ferretdb-${version()}`), { recursive: true });
  console.log(`building the MongoDB-protocol server ${version()}, about a minute …`);
  execFileSync('go', ['build', '-mod=readonly', '-trimpath', '-ldflags', '-s -w', '-o', unfinished, '.'], {
    cwd: source,
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  // A build that was cut short leaves no half server.
  renameSync(unfinished, binary());
}

async function answering(server: ChildProcess): Promise<void> {
  let said = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_096);
  });
  const until = performance.now() + startMs;
  while (!said.includes('Listening on TCP')) {
    if (server.exitCode !== null || performance.now() > until)
      throw new Error(`the MongoDB-protocol server did not come up: ${said}`);
    await sleep(20);
  }
}
