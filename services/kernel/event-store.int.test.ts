import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { NewFact } from '@clustral/schemas/events/envelope.ts';
import { connectEventStore } from './event-store.ts';
import { closeClient, createClient } from './event-store-client.ts';
import { follow } from './event-store-subscription.ts';
import { describeEventStore, describeMortalEventStore } from './event-store.contract.ts';
import type { MortalServer } from './event-store-death.contract.ts';

const fact: NewFact = {
  id: randomUUID(),
  type: 'test.happened',
  data: {},
  metadata: { schemaVersion: 1, actor: { kind: 'service', id: 'test' }, epoch: 1, $correlationId: 'test' },
};

/** The embedded server as a process of its own, because a test that kills it must survive. */
const embedded = fileURLToPath(new URL('../../infra/embedded/event-store/main.ts', import.meta.url));

async function startEmbedded(): Promise<MortalServer> {
  const folder = mkdtempSync(join(tmpdir(), 'es-'));
  const socketPath = join(folder, 'es.sock');
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  const server: MortalServer = {
    connectionString: `unix:${socketPath}`,
    start: async () => {
      child = spawn(process.execPath, [embedded, '--data', join(folder, 'log'), '--socket', socketPath], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await listening(child);
    },
    kill: () => end('SIGKILL'),
    freeze: async () => {
      child?.kill('SIGSTOP');
      // A signal takes effect when the process is next scheduled, which on a busy machine is not at once.
      await expect.poll(() => stateOf(child?.pid), { timeout: 5_000, interval: 5 }).toBe('T');
    },
    thaw: () => child?.kill('SIGCONT'),
    stop: async () => {
      // A frozen process takes no SIGTERM.
      child?.kill('SIGCONT');
      await end('SIGTERM');
      rmSync(folder, { recursive: true });
    },
  };
  await server.start();
  return server;
}

/** The state letter of a process (proc(5)): `T` when it is stopped. */
function stateOf(pid: number | undefined): string | undefined {
  return /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}

async function listening(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('the child has no stdout');
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.once('line', () => resolve());
    child.once('exit', (code) => reject(new Error(`the event store ended with ${code} before it listened`)));
  });
}

describe('following a quiet log', () => {
  it('opens the subscription anew after a silence, and still delivers each fact once', async () => {
    const server = await startEmbedded();
    const { client, credentials } = createClient(server.connectionString);
    const store = connectEventStore({ connectionString: server.connectionString });
    const stop = new AbortController();
    const base = { credentials, requiresLeader: true };
    const seen: string[] = [];
    const messages = follow({
      client,
      base,
      prefixes: ['quiet-'],
      after: undefined,
      signal: stop.signal,
      log: undefined,
      silenceMs: 100,
    });
    for await (const message of messages) {
      seen.push(message.kind === 'fact' ? message.fact.stream : message.kind);
      const renewals = seen.filter((kind) => kind === 'caughtUp').length;
      if (renewals === 3 && !seen.includes('quiet-1')) await store.append('quiet-1', 'none', [fact]);
      if (renewals === 5) break;
    }
    expect(seen.filter((entry) => entry === 'quiet-1')).toHaveLength(1);
    await closeClient(client);
    await store.close();
    await server.stop();
  });
});

describeEventStore('the embedded event store', startEmbedded);
describeMortalEventStore('the embedded event store', startEmbedded);

const real = process.env['EVENTSTORE_CONNECTION_STRING'];
if (real !== undefined) {
  describeEventStore('the named EventStoreDB', () =>
    Promise.resolve({ connectionString: real, stop: () => Promise.resolve() }),
  );
}

describe('reading streams that are not there', () => {
  it('breaks off no call: a server ends the connection of who does that too often', async () => {
    // Node's server bears a thousand at first and 33 in a second; this one less.
    const server = createServer({ streamResetBurst: 5, streamResetRate: 1 });
    let connections = 0;
    server.on('session', () => (connections += 1));
    server.on('stream', (call) => {
      call.on('wantTrailers', () => call.sendTrailers({ 'grpc-status': '0' }));
      call.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
      // `ReadResp` with an empty `stream_not_found`, in gRPC's frame.
      call.end(Buffer.from([0, 0, 0, 0, 2, 0x22, 0]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const store = connectEventStore({ connectionString: `esdb://127.0.0.1:${port}?tls=false` });
    for (let n = 0; n < 30; n += 1) expect(await store.load('nowhere')).toEqual({ facts: [], revision: 'none' });
    expect(connections).toBe(1);
    await store.close();
    await new Promise((resolve) => server.close(resolve));
  });
});
