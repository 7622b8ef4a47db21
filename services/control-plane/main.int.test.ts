import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaseStream, type LeaseFact } from '@clustral/schemas/events/lease.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { startEventStore, type RunningEventStore } from '../../infra/embedded/event-store/start.ts';
import { prepareInstallation, type Installation } from './testing/installation.ts';

const folder = mkdtempSync(join(tmpdir(), 'main-'));
const children: ChildProcess[] = [];
let server: RunningEventStore;
let eventStore: EventStore;
let installation: Installation;

beforeAll(async () => {
  server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  eventStore = connectEventStore({ connectionString: server.connectionString });
  installation = await prepareInstallation(join(folder, 'data'), server.connectionString);
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await eventStore.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

type Process = {
  readonly child: ChildProcess;
  /** Resolves with all it said when its log says so; rejects when it ends before. */
  said(words: string): Promise<string>;
  readonly exited: Promise<number | null>;
};

/** The control plane as a process of its own, as the supervisor runs it. */
function run(): Process {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...installation.environment },
    stdio: 'pipe',
  });
  children.push(child);
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const said = (words: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (output.includes(words)) resolve(output);
      };
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk) => {
          output += String(chunk);
          look();
        });
      look();
      void exited.then(() => reject(new Error(`it ended without saying '${words}': ${output}`)));
    });
  return { child, said, exited };
}

describe('the process', () => {
  it('keeps a second one off its data folder, and stops cleanly when it is told to', async () => {
    const first = run();
    await first.said('"msg":"ready"');
    const second = run();
    await second.said('Another control plane runs on the data folder');
    expect(await second.exited).toBe(1);
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
  });

  it('F-29 stops cleanly although somebody holds a connection open and says nothing', async () => {
    const controlPlane = run();
    const [, port] = /listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(await controlPlane.said('"msg":"ready"')) ?? [];
    const silent = connect(Number(port), '127.0.0.1');
    await once(silent, 'connect');
    controlPlane.child.kill('SIGTERM');
    expect(await controlPlane.exited).toBe(0);
    silent.destroy();
  });

  it('starts again after it was killed, and ends by itself when another control plane takes over', async () => {
    const killed = run();
    await killed.said('"msg":"ready"');
    killed.child.kill('SIGKILL');
    await killed.exited;
    const losing = run();
    await losing.said('"msg":"ready"');
    const { facts, revision } = await eventStore.load<LeaseFact>(leaseStream);
    const epoch = (facts.at(-1)?.data.epoch ?? 0) + 1;
    const metadata = { schemaVersion: 1, actor: { kind: 'service', id: 'x' }, epoch, $correlationId: 'c' } as const;
    const tookOver = { id: randomUUID(), type: 'control_plane.took_over', data: { epoch, holder: 'other' }, metadata };
    await eventStore.append(leaseStream, revision, [tookOver]);
    await losing.said(`Another control plane (other) took over with epoch ${epoch}`);
    expect(await losing.exited).toBe(1);
  });
});
