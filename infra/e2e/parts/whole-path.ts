/**
 * The whole way of a kubectl request in one process, all of it real: gateway, control plane on its log, agent, and an API server that
 * records what arrives. People come with tokens of a provider that a test controls. For tests that send raw bytes at one end and look
 * at the other.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApiServer, type ApiServer } from '@clustral/agent/testing/api-server.ts';
import { startAgent, type TestAgent } from '@clustral/agent/testing/running-agent.ts';
import { start as startControlPlane } from '@clustral/control-plane/main.ts';
import { prepareInstallation } from '@clustral/control-plane/testing/installation.ts';
import { start as startGateway } from '@clustral/gateway/main.ts';
import { eventually, sendRaw, startSurroundings } from '@clustral/gateway/testing/gateway.ts';
import type { Environment } from '@clustral/kernel/config.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { startEventStore } from '../../embedded/event-store/start.ts';
import { freePorts } from '../../standalone/ports.ts';

/** What the provider says of somebody. */
export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

/** Somebody with a credential for a cluster. */
export type Holder = { readonly userId: string; readonly credentialId: string; readonly token: string };

export type RestAnswer = { readonly status: number; readonly json: Readonly<Record<string, unknown>> };

export type WholePath = {
  /** Port of the gateway. */
  readonly port: number;
  readonly store: EventStore;
  readonly api: ApiServer;
  readonly agent: TestAgent;
  /** The cluster with an agent, and one without. */
  readonly c1: string;
  readonly c2: string;
  /** The variables that name the files of the token keys. */
  readonly keyFiles: Environment;
  /** An address that must never be connected to, and how often it was. */
  readonly evil: { readonly address: string; connections(): number };
  /** A call of the admin API through the gateway. */
  rest(who: Claims, line: string, body?: unknown): Promise<RestAnswer>;
  accessToken(who: Claims): Promise<string>;
  /** A credential for `c1`; with a role when its groups are given. */
  holder(who: Claims, k8sGroups?: readonly string[]): Promise<Holder>;
  /** Bytes to the gateway and what comes back until it closes. */
  raw(bytes: string): Promise<string>;
  /** `/healthz` of the gateway and of the control plane. */
  alive(): Promise<readonly number[]>;
  stop(): Promise<void>;
};

export const admin: Claims = {
  sub: 'admin',
  email: 'admin@corp.test',
  realm_access: { roles: ['clustral-admin'] },
};

/** Starts all of it; resolves when the agent is connected. */
export async function startWholePath(): Promise<WholePath> {
  const folder = mkdtempSync(join(tmpdir(), 'whole-'));
  const log = createLog('whole-path', 'silent');
  const eventStore = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  const store = connectEventStore({ connectionString: eventStore.connectionString });
  const [tunnelPort = 0] = await freePorts(1);
  const around = await startSurroundings();
  const { environment } = await prepareInstallation(join(folder, 'data'), eventStore.connectionString);
  const controlPlane = await startControlPlane(
    {
      ...environment,
      TUNNEL_PORT: String(tunnelPort),
      INTERNAL_JWT_PUBLIC_KEY_PATH: around.environment['INTERNAL_JWT_PUBLIC_KEY_PATH'],
    },
    log,
  );
  const inside = `http://127.0.0.1:${controlPlane.port}`;
  const { KUBECONFIG_JWT_PUBLIC_KEY_PATH } = environment;
  const atGateway = { ...around.environment, CONTROLPLANE_URL: inside, KUBECONFIG_JWT_PUBLIC_KEY_PATH };
  const gateway = await startGateway(atGateway, log);
  const outside = `http://127.0.0.1:${gateway.port}`;
  await eventually(async () => (await fetch(`${outside}/healthz/ready`)).status === 200);
  const people = peopleOf(outside, (who) => around.provider.token(who));
  const [one, two] = [await people.cluster('c1'), await people.cluster('c2')];
  const api = await startApiServer();
  const agent = await startAgent({
    controlPlane: new URL(`https://127.0.0.1:${tunnelPort}`),
    clusterId: one.clusterId,
    token: one.bootstrapToken,
    api,
  });
  await eventually(() => agent.connected(), 10_000);
  const evil = await startEvil();
  return {
    port: gateway.port,
    store,
    api,
    agent,
    c1: one.clusterId,
    c2: two.clusterId,
    keyFiles: { ...environment, ...atGateway },
    evil,
    rest: people.rest,
    accessToken: (who) => around.provider.token(who),
    holder: (who, k8sGroups) => people.holder(who, one.clusterId, k8sGroups),
    raw: (bytes) => sendRaw(gateway.port, bytes),
    alive: () => Promise.all([outside, inside].map(async (url) => (await fetch(`${url}/healthz`)).status)),
    async stop() {
      evil.stop();
      await agent.stop();
      await gateway.stop();
      await controlPlane.stop();
      await Promise.all([api.stop(), around.stop(), store.close()]);
      await eventStore.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type People = {
  rest: WholePath['rest'];
  cluster(name: string): Promise<{ readonly clusterId: string; readonly bootstrapToken: string }>;
  holder(who: Claims, clusterId: string, k8sGroups?: readonly string[]): Promise<Holder>;
};

/** Calls of the admin API at a gateway, and what tests prepare with them. */
export function peopleOf(url: string, accessToken: (who: Claims) => Promise<string>): People {
  let roles = 0;
  const rest: WholePath['rest'] = async (who, line, body) => {
    const [method = 'GET', path = '/'] = line.split(' ');
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await accessToken(who)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, json: (text === '' ? {} : JSON.parse(text)) as RestAnswer['json'] };
  };
  const done = async (answer: Promise<RestAnswer>): Promise<Readonly<Record<string, string>>> => {
    const { status, json } = await answer;
    if (status >= 300) throw new Error(`a preparation was answered with ${status}: ${JSON.stringify(json)}`);
    return json as Readonly<Record<string, string>>;
  };
  return {
    rest,
    cluster: async (name) => {
      const { clusterId = '', bootstrapToken = '' } = await done(rest(admin, 'POST /api/v1/clusters', { name }));
      return { clusterId, bootstrapToken };
    },
    async holder(who, clusterId, k8sGroups) {
      const { user } = (await done(rest(who, 'GET /api/v1/users/me'))) as unknown as { user: { id: string } };
      if (k8sGroups !== undefined) {
        const name = `role-${(roles += 1)}`;
        const { id: roleId } = await done(rest(admin, 'POST /api/v1/roles', { name, k8sGroups }));
        await done(rest(admin, `POST /api/v1/users/${user.id}/assignments`, { roleId, clusterId }));
      }
      const issued = rest(who, 'POST /api/v1/auth/kubeconfig-credential', { clusterId });
      const { credentialId = '', token = '' } = await done(issued);
      return { userId: user.id, credentialId, token };
    },
  };
}

async function startEvil(): Promise<WholePath['evil'] & { stop(): void }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    stop: () => void server.close(),
  };
}
