import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callOf, carry } from '@clustral/control-plane/tunnel/testing/carrying.ts';
import { startTunnelWorld, until, type TunnelWorld } from '@clustral/control-plane/tunnel/testing/tunnel-world.ts';
import { realDisk } from './disk.ts';
import { UntrustedServer } from './first-contact.ts';
import { IdentityFolder } from './identity-folder.ts';
import { IdentityKeeper } from './identity-keeper.ts';
import { createServerIdentity, startApiServer, type ApiServer } from './testing/api-server.ts';
import { environmentOf, startAgent, type AgentPlan, type TestAgent } from './testing/running-agent.ts';

let world: TunnelWorld;
let api: ApiServer;
beforeAll(async () => {
  [world, api] = await Promise.all([startTunnelWorld(), startApiServer()]);
});
afterAll(async () => {
  await api.stop();
  await world.stop();
});

let folder: string;
const running: TestAgent[] = [];
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'agent-'))));
afterEach(async () => {
  await Promise.all(running.splice(0).map((agent) => agent.stop()));
  rmSync(folder, { recursive: true, force: true });
});

type Cluster = Awaited<ReturnType<TunnelWorld['register']>>;
const quick = { lookMs: 50, tryAgainMs: 60_000 };

async function begin(plan: Partial<AgentPlan> & { clusterId: string }): Promise<TestAgent> {
  const agent = await startAgent({ controlPlane: world.url, api, folder, patience: quick, ...plan });
  running.push(agent);
  return agent;
}
async function connected(plan: Partial<AgentPlan> & { clusterId: string }): Promise<TestAgent> {
  const agent = await begin(plan);
  await until('the agent is connected', () => agent.connected());
  return agent;
}
const works = async ({ clusterId }: Pick<Cluster, 'clusterId'>): Promise<boolean> =>
  (await carry(world.agents, callOf(clusterId))).result === 200;
const typesOf = async ({ clusterId }: Pick<Cluster, 'clusterId'>): Promise<readonly string[]> =>
  (await world.factsOf(clusterId)).map(({ type }) => type);
const identityIn = (path: string) => new IdentityFolder(path, realDisk).load();

describe('an agent that enrols', () => {
  it('keeps its identity and starts again without the token', async () => {
    const cluster = await world.register();
    const first = await connected(cluster);
    expect(await works(cluster)).toBe(true);
    expect(world.agents.presence(cluster.clusterId)).toMatchObject({
      kubernetesVersion: 'v1.33.1',
      agentVersion: '0.1.0',
    });
    await first.stop();
    await connected({ clusterId: cluster.clusterId });
    expect(await works(cluster)).toBe(true);
    expect((await typesOf(cluster)).filter((type) => type === 'cluster.agent_enrolled')).toHaveLength(1);
  });

  it('dials before the control plane is there, and comes through when it is', async () => {
    const cluster = await world.register();
    const { port } = world.agents;
    await world.agents.stop();
    const agent = await begin(cluster);
    await until('the agent said so', () => agent.said.some((line) => line.includes('refuses connections')));
    await world.startTunnel(port);
    await until('the agent is connected', () => agent.connected(), 10_000);
  });

  it('asks again with the same key when it died before it saved the answer (F-06)', async () => {
    const { clusterId, token } = await world.register();
    const { privateKeyPem } = await new IdentityFolder(folder, realDisk).pendingKey();
    const keeper = new IdentityKeeper({
      store: new IdentityFolder(folder, { ...realDisk, rename: () => Promise.reject(new Error('killed')) }),
      url: world.url,
      clusterId,
      caFile: undefined,
      bootstrapToken: () => token,
    });
    await expect(keeper.enrol(token)).rejects.toThrow('killed');
    expect(await identityIn(folder)).toBeUndefined();
    await connected({ clusterId, token });
    expect((await identityIn(folder))?.privateKeyPem).toBe(privateKeyPem);
    expect((await typesOf({ clusterId })).filter((type) => type === 'cluster.agent_enrolled')).toHaveLength(1);
  });

  it('shares a folder with another process: one redeems, both serve', async () => {
    const cluster = await world.register();
    const [one, other] = await Promise.all([begin(cluster), begin(cluster)]);
    await until('both are connected', () => one.connected() && other.connected());
    expect((await typesOf(cluster)).filter((type) => type === 'cluster.agent_enrolled')).toHaveLength(1);
    await one.stop();
    expect(await works(cluster)).toBe(true);
  });

  it('waits for another token when this one is refused, without asking again', async () => {
    const cluster = await world.register();
    const other = await world.register();
    const tokenFile = join(folder, 'bootstrap-token');
    writeFileSync(tokenFile, other.token);
    const agent = await begin({ clusterId: cluster.clusterId, environment: { AGENT_BOOTSTRAP_TOKEN_FILE: tokenFile } });
    await until('the agent said why', () => agent.said.some((line) => line.includes('Issue a new one')));
    const before = (await world.refusalsOf(null)).length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await world.refusalsOf(null)).length - before).toBeLessThanOrEqual(1);
    expect(agent.said).toHaveLength(1);
    writeFileSync(tokenFile, `${cluster.token}\n`);
    await until('the agent is connected', () => agent.connected());
  });

  it('takes a CA file instead of the pin', async () => {
    const cluster = await world.register();
    const file = join(folder, 'ca.pem');
    writeFileSync(file, world.authority.trusted.join('\n'));
    await connected({ ...cluster, environment: { AGENT_CA_FILE: file } });
  });
});

describe('a stranger at the control plane’s address (TN-08)', () => {
  type Stranger = { readonly url: URL; readonly received: () => number; stop(): Promise<void> };

  async function stranger(chain: (own: Awaited<ReturnType<typeof createServerIdentity>>) => string): Promise<Stranger> {
    const own = await createServerIdentity();
    let received = 0;
    const sockets = new Set<TLSSocket>();
    const server = createServer({ cert: chain(own), key: own.key, ALPNProtocols: ['h2'], minVersion: 'TLSv1.3' });
    server.on('secureConnection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => (received += bytes.length));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      url: new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`),
      received: () => received,
      async stop() {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  it.each([
    ['its own certificate', 'own'],
    ['the true CA behind a certificate of its own', 'true'],
  ])('is sent nothing when it shows %s, and the agent gives up', async (_, which) => {
    const cluster = await world.register();
    const behind = world.authority.trusted.join('\n');
    const fake = await stranger(({ cert, ca }) => `${cert}${which === 'true' ? behind : ca}`);
    const agent = await begin({ ...cluster, controlPlane: fake.url });
    await expect(agent.running).rejects.toBeInstanceOf(UntrustedServer);
    expect(fake.received()).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith('identity-'))).toEqual([]);
    await fake.stop();
  });

  it('ends the process with a code', async () => {
    const cluster = await world.register();
    const fake = await stranger(({ cert, ca }) => `${cert}${ca}`);
    const environment = environmentOf({ ...cluster, controlPlane: fake.url, api }, folder);
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(1);
    expect(output).toContain('does not show the CA that the bootstrap token names');
    expect(output).not.toContain(cluster.token);
    expect(fake.received()).toBe(0);
    await fake.stop();
  });

  it('is not trusted by an enrolled agent, whatever it shows, and the agent goes on dialling', async () => {
    const cluster = await world.register();
    await (await connected(cluster)).stop();
    running.length = 0;
    const fake = await stranger(({ cert }) => `${cert}${world.authority.trusted.join('\n')}`);
    const agent = await begin({ clusterId: cluster.clusterId, controlPlane: fake.url });
    await until('the agent said so', () => agent.said.some((line) => line.includes('not trusted')));
    expect(fake.received()).toBe(0);
    await fake.stop();
  });
});
