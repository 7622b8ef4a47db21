import { existsSync, mkdtempSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { start } from '@clustral/agent/main.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { createLog } from '@clustral/kernel/log.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import { createCaCertificate, createKeyPair, issueCertificate, spkiOf } from '@clustral/kernel/x509.ts';
import { startApiServer, type ApiServer } from './testing/api-server.ts';
import { callOf, carry, Carried } from './testing/carrying.ts';
import { startTunnelWorld, until, type TunnelWorld } from './testing/tunnel-world.ts';

let world: TunnelWorld;
let api: ApiServer;
beforeAll(async () => {
  [world, api] = await Promise.all([startTunnelWorld(), startApiServer()]);
});
afterAll(async () => {
  await world?.stop();
  await api?.stop();
});
const running: Running[] = [];
afterEach(async () => {
  for (const agent of running.splice(0)) await agent.stop();
  api.answerWith((_request, response) => void response.end('{}'));
});

type Said = { readonly clusterId: string; readonly token?: string; readonly folder: string; readonly url?: string };
const newFolder = (): string => mkdtempSync(join(world.folder, 'agent-'));
const log = createLog('agent', process.env['TEST_LOG_LEVEL'] ?? 'silent');

async function startAgent({ clusterId, token, folder, url }: Said) {
  const environment = {
    CLUSTRAL_ENV: 'embedded',
    AGENT_CLUSTER_ID: clusterId,
    AGENT_CONTROL_PLANE_URL: url ?? world.url.origin,
    ...(token === undefined ? {} : { AGENT_BOOTSTRAP_TOKEN: token }),
    AGENT_CREDENTIAL_PATH: folder,
    AGENT_KUBERNETES_API_URL: api.url,
    AGENT_KUBERNETES_CA_PATH: api.caPath,
    AGENT_KUBERNETES_TOKEN_PATH: api.tokenPath,
  };
  const agent = await start(environment, log);
  running.push(agent);
  return agent;
}
const get = async (clusterId: ClusterId) => (await carry(world.agents, callOf(clusterId))).result;
const serves = (clusterId: ClusterId, deadlineMs = 10_000) =>
  until('the agent serves', async () => (await get(clusterId)) === 200, deadlineMs);

describe('the first contact of an agent', () => {
  it('sends nothing to a server of another CA, and ends with the reason', async () => {
    const { clusterId, token } = await world.register();
    const fake = await startFakeControlPlane();
    const agent = await startAgent({ clusterId, token, folder: newFolder(), url: fake.url });
    await expect(agent.running).rejects.toThrow(/pin|CA/);
    expect(fake.streams()).toBe(0);
    await fake.stop();
  });

  it('that lost its answer is made again with the same key, and has one certificate', async () => {
    const { clusterId, token } = await world.register();
    const wire = await startWire(Number(world.url.port));
    wire.delayAnswers(300);
    const starting = startAgent({ clusterId, token, folder: newFolder(), url: wire.url });
    const enrolments = async () =>
      (await world.factsOf(clusterId)).filter(({ type }) => type === 'cluster.agent_enrolled').length;
    await until('it was enrolled', async () => (await enrolments()) === 1, 10_000);
    // The answer is still on the wire.
    wire.cut();
    wire.delayAnswers(0);
    await starting;
    await serves(clusterId, 20_000);
    expect(await enrolments()).toBe(1);
    await wire.stop();
  });

  it('is not made again after a restart', async () => {
    const { clusterId, token } = await world.register();
    const folder = newFolder();
    const first = await startAgent({ clusterId, token, folder });
    await serves(clusterId);
    await first.stop();
    running.splice(0);
    await until('it is gone', () => world.agents.presence(clusterId) === undefined);
    await startAgent({ clusterId, folder });
    await serves(clusterId);
    expect(existsSync(folder)).toBe(true);
  });
});

describe('an agent that is connected', () => {
  it('comes back by itself after a restart of the control plane', async () => {
    const { clusterId, token } = await world.register();
    await startAgent({ clusterId, token, folder: newFolder() });
    await serves(clusterId);
    await world.restartTunnel();
    await serves(clusterId, 10_000);
  });

  it('whose connections are cut fails what is under way, sends nothing twice, and comes back', async () => {
    const { clusterId, token } = await world.register();
    const wire = await startWire(Number(world.url.port));
    await startAgent({ clusterId, token, folder: newFolder(), url: wire.url });
    await serves(clusterId);
    api.answerWith((request, response) => {
      if (request.url.includes('watch')) response.writeHead(200).write('one');
    });
    const watch = await new Carried(world.agents, callOf(clusterId, { target: '/api/v1/pods?watch=1' })).begun;
    const calls = Array.from({ length: 10 }, () => callOf(clusterId, { target: '/api/v1/slow' }));
    const waiting = calls.map((call) => new Carried(world.agents, call));
    await until('all are there', () => api.seen.filter(({ target }) => target === '/api/v1/slow').length === 10);
    wire.cut();
    expect(await watch.over).toMatchObject({ status: 200, isDone: false, refusal: { code: 'TUNNEL_ERROR' } });
    for (const { over } of waiting) expect((await over).result).toBe('TUNNEL_ERROR');
    await until('the cluster sees them given up', () =>
      api.seen.filter(({ target }) => target === '/api/v1/slow').every(({ cancelled }) => cancelled),
    );
    api.answerWith((_request, response) => void response.end('{}'));
    await serves(clusterId, 15_000);
    for (const { requestId } of calls)
      expect(api.seen.filter((one) => api.values(one, 'audit-id').includes(requestId))).toHaveLength(1);
    await wire.stop();
  });

  it('and is revoked is cut off at once, never dials again, and returns with a new bootstrap token', async () => {
    const { clusterId, token } = await world.register();
    const wire = await startWire(Number(world.url.port));
    const folder = newFolder();
    const agent = await startAgent({ clusterId, token, folder, url: wire.url });
    await serves(clusterId);
    await world.revoke(clusterId);
    await until('it is cut off', () => world.agents.presence(clusterId) === undefined, 1_000);
    await until('it has left', () => wire.open() === 0, 2_000);
    const dialled = wire.dialled();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(wire.dialled() - dialled).toBeLessThanOrEqual(2);
    expect(await get(clusterId)).toBe('AGENT_NOT_CONNECTED');
    await agent.stop();
    running.splice(0);
    await startAgent({ clusterId, token: await world.newToken(clusterId), folder, url: wire.url });
    await serves(clusterId);
    await wire.stop();
  });
});

/** A TLS server with a CA that nobody pinned, that counts what it is sent. */
async function startFakeControlPlane() {
  const day = 86_400_000;
  const [authority, keys] = await Promise.all([createKeyPair('P-256'), createKeyPair('P-256')]);
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const ca = await createCaCertificate({ keys: authority, commonName: 'test CA', ...validity });
  const leaf = await issueCertificate({
    ...validity,
    issuer: { certificatePem: ca, privateKeyPem: authority.privateKeyPem },
    publicKey: spkiOf(keys.publicKeyPem),
    commonName: 'localhost',
    names: { hosts: ['127.0.0.1'] },
    use: 'server',
  });
  let streams = 0;
  const server = createSecureServer({
    cert: leaf + ca,
    key: keys.privateKeyPem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.on('stream', () => (streams += 1));
  server.on('sessionError', () => undefined);
  return { url: await listening(server), streams: () => streams, stop: () => closed(server) };
}

/** A wire between agent and control plane that can be cut, and that can lose what the control plane answers. */
async function startWire(port: number) {
  const sockets = new Set<Socket>();
  let [delayMs, dialled] = [0, 0];
  const server = createServer((near) => {
    dialled += 1;
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.on('data', (chunk: Buffer) => {
      if (delayMs === 0) near.write(chunk);
      else setTimeout(() => near.destroyed || near.write(chunk), delayMs);
    });
  });
  return {
    url: await listening(server),
    dialled: () => dialled,
    open: () => sockets.size,
    /** From now on; what is on its way when the wire is cut is lost. */
    delayAnswers: (ms: number) => void (delayMs = ms),
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await closed(server);
    },
  };
}

async function listening(server: Server | Http2SecureServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const closed = (server: Server | Http2SecureServer): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()));
