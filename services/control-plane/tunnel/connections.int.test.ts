import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { callOf, carry, Carried } from './testing/carrying.ts';
import { callAs, codeOf, enrolRaw, openSession, RawAgent, type RawIdentity } from './testing/raw-agent.ts';
import { startTunnelWorld, until, type TunnelWorld } from './testing/tunnel-world.ts';

let world: TunnelWorld;
beforeAll(async () => {
  world = await startTunnelWorld();
});
afterAll(() => world.stop());

async function enrolled(): Promise<{ clusterId: ClusterId; identity: RawIdentity }> {
  const cluster = await world.register();
  world.pass(5_000);
  return { clusterId: cluster.clusterId, identity: await enrolRaw(world.url, cluster) };
}
const answering = async (agent: RawAgent): Promise<RawAgent> => {
  await agent.serve(2, (lane) => lane.send({ head: { status: 200, headers: [] }, end: true }));
  return agent;
};
const get = (clusterId: ClusterId) => carry(world.agents, callOf(clusterId));
const typesOf = async (clusterId: ClusterId) => (await world.factsOf(clusterId)).map(({ type }) => type);
const isConnected = (clusterId: ClusterId): string | undefined => {
  const cluster = world.policy.cluster(clusterId);
  return cluster?.status === 'registered' ? cluster.connection.status : undefined;
};
const refusedHello = (agent: RawAgent): Promise<string> => codeOf(agent.connect(world.url));

describe('a connection of an agent', () => {
  it('is greeted with the epoch, how many lanes, and whom to trust', async () => {
    const { identity } = await enrolled();
    const agent = await new RawAgent(identity).connect(world.url);
    await until('the bundle is there', () => agent.heard.length === 2);
    const [hello, bundle] = agent.heard;
    expect(hello).toMatchObject({ case: 'hello', value: { epoch: 1n, idleLanes: 4, maxLanes: 2_000 } });
    expect(bundle).toMatchObject({ case: 'trustBundle', value: { caBundlePem: world.authority.trusted[0] } });
    agent.close();
  });

  it('is known at once, with what it said of itself, cut to 64 characters', async () => {
    const { clusterId, identity } = await enrolled();
    const agent = new RawAgent(identity);
    await agent.connect(world.url, { agentVersion: 'v'.repeat(60_000), kubernetesVersion: '<script>\u001b[2J' });
    expect(world.agents.presence(clusterId)).toMatchObject({
      agentVersion: 'v'.repeat(64),
      kubernetesVersion: '<script>\u001b[2J',
    });
    agent.close();
    await until('it is forgotten', () => world.agents.presence(clusterId) === undefined);
  });

  it('tells of its heartbeat and its round trip', async () => {
    const { clusterId, identity } = await enrolled();
    const agent = await new RawAgent(identity).connect(world.url);
    const before = world.agents.presence(clusterId)?.lastHeartbeatAt ?? new Date(0);
    await new Promise((resolve) => setTimeout(resolve, 5));
    agent.say({ message: { case: 'heartbeat', value: {} } });
    await until('the heartbeat counts', () => (world.agents.presence(clusterId)?.lastHeartbeatAt ?? before) > before);
    world.pass(5_000);
    await until('it was pinged', () => world.agents.presence(clusterId)?.roundTripMs !== undefined);
    agent.close();
  });

  it('without a hello within 15 s is closed, and cannot have lanes until then', async () => {
    const { identity } = await enrolled();
    const { session } = await openSession(world.url, identity);
    const lane = session.request({
      ':method': 'POST',
      ':path': '/clustral.v1.TunnelService/Exchange',
      'content-type': 'application/connect+proto',
      authorization: `Bearer ${identity.token}`,
    });
    const chunks: Buffer[] = [];
    lane.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(lane, 'end');
    expect(Buffer.concat(chunks).subarray(5).toString()).toContain('"invalid_argument"');
    world.pass(14_000);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(session.destroyed).toBe(false);
    world.pass(1_000);
    await until('it is closed', () => session.destroyed);
  });

  it('that begins with anything but a hello is refused', async () => {
    const { identity } = await enrolled();
    const agent = new RawAgent(identity);
    agent.say({ message: { case: 'heartbeat', value: {} } });
    expect(await refusedHello(agent)).toBe('BAD_REQUEST');
    agent.close();
    expect(await refusedHello(new RawAgent(identity, ''))).toBe('BAD_REQUEST');
  });

  it('that is one of many ends nothing but itself', async () => {
    const { clusterId, identity } = await enrolled();
    const instance = 'one-process';
    const first = await answering(await new RawAgent(identity, instance).connect(world.url));
    const second = await answering(await new RawAgent(identity, instance).connect(world.url));
    first.close();
    await until('the first is gone', async () => (await get(clusterId)).result === 200);
    for (let i = 0; i < 5; i += 1) expect((await get(clusterId)).result).toBe(200);
    expect(isConnected(clusterId)).toBe('connected');
    second.close();
  });

  it('is refused as the fifth of a process and as that of a fifth process', async () => {
    const { identity } = await enrolled();
    const agents: RawAgent[] = [];
    for (const instance of ['a', 'a', 'a', 'a', 'b', 'c', 'd'])
      agents.push(await new RawAgent(identity, instance).connect(world.url));
    for (const instance of ['a', 'e']) {
      const refused = new RawAgent(identity, instance);
      expect(await refusedHello(refused)).toBe('RATE_LIMITED');
      refused.close();
    }
    agents.push(await new RawAgent(identity, 'b').connect(world.url));
    for (const agent of agents) agent.close();
  });

  it('that wants to go gets no new request, and ends those under way', async () => {
    const { clusterId, identity } = await enrolled();
    const going = await new RawAgent(identity).connect(world.url);
    const lane = await going.lane();
    const carried = new Carried(world.agents, callOf(clusterId));
    await until('the request is there', () => lane.requests.length === 1);
    going.say({ message: { case: 'drain', value: {} } });
    const staying = await answering(await new RawAgent(identity).connect(world.url));
    await going.lane().catch(() => undefined);
    for (let i = 0; i < 5; i += 1) expect((await get(clusterId)).result).toBe(200);
    lane.send({ head: { status: 201, headers: [] }, end: true });
    expect((await carried.over).result).toBe(201);
    expect(lane.requests).toHaveLength(1);
    going.close();
    staying.close();
  });
});

describe('an agent that is silent', () => {
  it('gets no new request after 15 s, is given one again when it answers, and is gone after 30 s', async () => {
    const { clusterId, identity } = await enrolled();
    const agent = await answering(await new RawAgent(identity).connect(world.url));
    expect((await get(clusterId)).result).toBe(200);
    agent.socket.pause();
    world.pass(15_500);
    expect((await get(clusterId)).result).toBe('AGENT_NOT_CONNECTED');
    agent.socket.resume();
    await until('it is heard again', async () => (await get(clusterId)).result === 200);
    agent.socket.pause();
    world.pass(30_000);
    await until('it is gone', () => world.agents.presence(clusterId) === undefined);
    agent.close();
  });
});

describe('what the log has of a connection', () => {
  it('is connected once, however many connections come', async () => {
    const { clusterId, identity } = await enrolled();
    const agents = [await new RawAgent(identity).connect(world.url), await new RawAgent(identity).connect(world.url)];
    await until('it is connected', () => isConnected(clusterId) === 'connected');
    agents.push(await new RawAgent(identity).connect(world.url, { agentVersion: '2', kubernetesVersion: 'v1.35.0' }));
    await until(
      'the new version is on record',
      async () => (await typesOf(clusterId)).filter((type) => type === 'cluster.connected').length === 2,
    );
    for (const agent of agents) agent.close();
  });

  it('is disconnected after 45 s without any, and nothing when it comes back before', async () => {
    const { clusterId, identity } = await enrolled();
    const agent = await new RawAgent(identity).connect(world.url);
    await until('it is connected', () => isConnected(clusterId) === 'connected');
    agent.close();
    await until('it is gone', () => world.agents.presence(clusterId) === undefined);
    world.pass(44_000);
    const back = await new RawAgent(identity).connect(world.url);
    world.pass(2_000);
    back.close();
    await until('it is gone', () => world.agents.presence(clusterId) === undefined);
    expect((await typesOf(clusterId)).at(-1)).toBe('cluster.connected');
    world.pass(45_000);
    await until('it is disconnected', () => isConnected(clusterId) === 'disconnected');
    const again = await new RawAgent(identity).connect(world.url);
    await until('it is connected again', () => isConnected(clusterId) === 'connected');
    again.close();
  });

  it('is put right after a restart of the control plane during which the agent left', async () => {
    const { clusterId, identity } = await enrolled();
    const agent = await new RawAgent(identity).connect(world.url);
    await until('it is connected', () => isConnected(clusterId) === 'connected');
    await world.restartTunnel();
    expect(agent.heard.some(({ case: kind }) => kind === 'drain')).toBe(true);
    expect(isConnected(clusterId)).toBe('connected');
    world.pass(45_500);
    await until('it is disconnected', () => isConnected(clusterId) === 'disconnected');
    agent.close();
  });
});

describe('revoking an agent', () => {
  it('closes its tunnel within a second, cuts what is under way, and refuses it from then on', async () => {
    const { clusterId, identity } = await enrolled();
    const agent = await new RawAgent(identity).connect(world.url);
    const lane = await agent.lane();
    const watch = new Carried(world.agents, callOf(clusterId));
    await until('the request is there', () => lane.requests.length === 1);
    lane.send({ head: { status: 200, headers: [] } });
    await watch.begun;
    await world.revoke(clusterId);
    const acknowledged = performance.now();
    expect((await watch.over).refusal).toMatchObject({ code: 'TUNNEL_ERROR' });
    expect((await get(clusterId)).result).toBe('AGENT_NOT_CONNECTED');
    await until('the tunnel is closed', () => agent.session.destroyed, 1_000);
    expect(performance.now() - acknowledged).toBeLessThan(1_000);
    expect(agent.heard.at(-1)).toMatchObject({ case: 'revoked' });
    expect(await refusedHello(new RawAgent(identity))).toBe('AGENT_REVOKED');
    for (const renewal of ['renewToken', 'renewCertificate'] as const)
      expect(await codeOf(callAs(world.url, identity, (client, options) => client[renewal]({}, options)))).toBe(
        'AGENT_REVOKED',
      );
  });
});

describe('the identity of a connection that is open', () => {
  it('is looked at again every minute: a token that expired ends it', async () => {
    const { clusterId, identity } = await enrolled();
    const agent = await new RawAgent(identity).connect(world.url);
    world.passDays(31);
    world.pass(60_000);
    await until('it is closed', () => agent.session.destroyed);
    expect(await refusedHello(new RawAgent(identity))).toBe('AGENT_UNAUTHENTICATED');
    const { token } = await callAs(world.url, identity, (client, options) => client.renewToken({}, options));
    const renewed = await new RawAgent({ ...identity, token }).connect(world.url);
    expect(world.agents.presence(clusterId)).toBeDefined();
    renewed.close();
    world.passDays(-31);
  });
});
