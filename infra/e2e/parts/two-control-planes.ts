/**
 * One log, two control planes as processes of their own with the same keys, a gateway before each, and an agent that dials an
 * address which leads to the one or the other, as a load balancer's does. For tests of who is active and who waits (D18).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApiServer, type ApiServer } from '@clustral/agent/testing/api-server.ts';
import { startAgent, type TestAgent } from '@clustral/agent/testing/running-agent.ts';
import { prepareInstallation } from '@clustral/control-plane/testing/installation.ts';
import { start as startGateway } from '@clustral/gateway/main.ts';
import { eventually, startSurroundings } from '@clustral/gateway/testing/gateway.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { startEventStore } from '../../embedded/event-store/start.ts';
import { freePorts } from '../../standalone/ports.ts';
import { peopleOf, type People } from './whole-path.ts';

export type ControlPlaneProcess = {
  readonly child: ChildProcess;
  /** Of the control plane itself, and of :5443. */
  readonly port: number;
  readonly tunnelPort: number;
  /** Of the gateway before it. */
  readonly gatewayUrl: string;
  readonly people: People;
  readonly exited: Promise<number | null>;
  readiness(): Promise<{ readonly status: number; readonly text: string }>;
};

export type TwoControlPlanes = {
  readonly store: EventStore;
  readonly api: ApiServer;
  readonly clusterId: string;
  readonly agent: TestAgent;
  readonly first: ControlPlaneProcess;
  /** Starts the second one, which waits. */
  startSecond(): Promise<ControlPlaneProcess>;
  /** Where the agent's dials lead from now on; connections that exist stay. */
  lead(to: ControlPlaneProcess): void;
  stop(): Promise<void>;
};

const log = createLog('two-control-planes', 'silent');

/** Starts the first, and an agent that is connected to it. */
export async function startTwoControlPlanes(): Promise<TwoControlPlanes> {
  const opened = new AsyncDisposableStack();
  try {
    return await startFirst(opened);
  } catch (cause) {
    await opened.disposeAsync();
    throw cause;
  }
}

/** `opened` takes all that is started, the second one too. */
async function startFirst(opened: AsyncDisposableStack): Promise<TwoControlPlanes> {
  const folder = mkdtempSync(join(tmpdir(), 'two-'));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const eventStore = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  opened.defer(() => eventStore.stop());
  const store = connectEventStore({ connectionString: eventStore.connectionString });
  opened.defer(() => store.close());
  const around = await startSurroundings();
  opened.defer(() => around.stop());
  const { environment } = await prepareInstallation(join(folder, 'keys'), eventStore.connectionString);

  const start = async (name: string): Promise<ControlPlaneProcess> => {
    const [port = 0, tunnelPort = 0] = await freePorts(2);
    const variables = {
      ...environment,
      CLUSTRAL_DATA: join(folder, name),
      PORT: String(port),
      TUNNEL_PORT: String(tunnelPort),
      INTERNAL_JWT_PUBLIC_KEY_PATH: around.environment['INTERNAL_JWT_PUBLIC_KEY_PATH'],
    };
    const child = run(variables);
    opened.defer(() => void child.kill('SIGKILL'));
    const gateway = await startGateway(
      {
        ...around.environment,
        CONTROLPLANE_URL: `http://127.0.0.1:${port}`,
        KUBECONFIG_JWT_PUBLIC_KEY_PATH: environment['KUBECONFIG_JWT_PUBLIC_KEY_PATH'],
      },
      log,
    );
    opened.defer(() => gateway.stop());
    const gatewayUrl = `http://127.0.0.1:${gateway.port}`;
    return {
      child,
      port,
      tunnelPort,
      gatewayUrl,
      people: peopleOf(gatewayUrl, (who) => around.provider.token(who)),
      exited: once(child, 'exit').then(([code]) => code as number | null),
      readiness: async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/healthz/ready`).catch(() => undefined);
        return { status: answer?.status ?? 0, text: (await answer?.text()) ?? '' };
      },
    };
  };

  const first = await start('first');
  await eventually(async () => (await first.readiness()).status === 200, 20_000);
  const balancer = await startBalancer(first.tunnelPort);
  opened.defer(() => balancer.stop());
  const { clusterId, bootstrapToken } = await first.people.cluster('c1');
  const api = await startApiServer();
  opened.defer(() => api.stop());
  const agent = await startAgent({
    controlPlane: new URL(`https://127.0.0.1:${balancer.port}`),
    clusterId,
    token: bootstrapToken,
    api,
  });
  opened.defer(() => agent.stop());
  await eventually(() => agent.connected(), 10_000);
  return {
    store,
    api,
    clusterId,
    agent,
    first,
    startSecond: () => start('second'),
    lead: ({ tunnelPort }) => balancer.lead(tunnelPort),
    stop: () => opened.disposeAsync(),
  };
}

function run(variables: Readonly<Record<string, string | undefined>>): ChildProcess {
  const main = fileURLToPath(import.meta.resolve('@clustral/control-plane/main.ts'));
  return spawn(process.execPath, [main], { env: { ...process.env, ...variables }, stdio: 'ignore' });
}

type Balancer = { readonly port: number; lead(port: number): void; stop(): void };

async function startBalancer(first: number): Promise<Balancer> {
  let target = first;
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    lead: (port) => {
      target = port;
    },
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What a credential gets for a list of namespaces at this one's gateway. */
export async function list(at: ControlPlaneProcess, clusterId: string, token: string): Promise<Response> {
  return fetch(`${at.gatewayUrl}/api/proxy/${clusterId}/api/v1/namespaces`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
}
