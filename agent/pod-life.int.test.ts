import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callOf, carry } from '@clustral/control-plane/tunnel/testing/carrying.ts';
import { startTunnelWorld, until, type TunnelWorld } from '@clustral/control-plane/tunnel/testing/tunnel-world.ts';
import { startApiServer, type ApiServer } from './testing/api-server.ts';
import { KeptSecret } from './testing/kept-secret.ts';
import { startAgent, type TestAgent } from './testing/running-agent.ts';

let world: TunnelWorld;
let api: ApiServer;
let kept: KeptSecret;
const running: TestAgent[] = [];
beforeAll(async () => void (world = await startTunnelWorld()));
afterAll(() => world.stop());
beforeEach(async () => {
  api = await startApiServer();
  kept = new KeptSecret(api, 'clustral/clustral-agent-credentials');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((agent) => agent.stop()));
  await api.stop();
});

type Cluster = Awaited<ReturnType<TunnelWorld['register']>>;

async function startPod({ clusterId }: Cluster, token?: string): Promise<TestAgent> {
  const agent = await startAgent({
    controlPlane: world.url,
    api,
    clusterId,
    folder: '/nowhere',
    ...(token !== undefined && { token }),
    environment: { AGENT_CREDENTIAL_SECRET: 'clustral/clustral-agent-credentials', AGENT_HEALTH_PORT: '0' },
    patience: { lookMs: 50, tryAgainMs: 60_000, firstRenewalLookMs: 10, changeApartMs: 100 },
  });
  running.push(agent);
  return agent;
}
const health = async ({ healthPort }: TestAgent, path: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${healthPort}${path}`)).status;
const enrolments = async ({ clusterId }: Cluster): Promise<number> =>
  (await world.factsOf(clusterId)).filter(({ type }) => type === 'cluster.agent_enrolled').length;

describe('an agent whose identity is a Secret', () => {
  it('goes on in another pod without a token (SC-05)', async () => {
    const cluster = await world.register();
    const first = await startPod(cluster, cluster.token);
    await until('the agent is connected', () => first.connected());
    await running.pop()?.stop();
    const next = await startPod(cluster);
    await until('the next pod is connected', () => next.connected());
    expect(await enrolments(cluster)).toBe(1);
    // The control plane carries requests to it.
    const answered = await carry(world.agents, callOf(cluster.clusterId));
    expect(answered.result).not.toBe(502);
  });

  it('is one agent in two pods that start together: one redeems the token, both serve', async () => {
    const cluster = await world.register();
    const pods = await Promise.all([startPod(cluster, cluster.token), startPod(cluster, cluster.token)]);
    await until('both are connected', () => pods.every((pod) => pod.connected()), 20_000);
    expect(await enrolments(cluster)).toBe(1);
  });

  it('waits for its Secret, says what to do, and begins when it is there', async () => {
    const cluster = await world.register();
    kept.secret = undefined;
    const agent = await startPod(cluster, cluster.token);
    await until('the agent said what is missing', () => agent.said.length > 0);
    expect(agent.said[0]).toContain('kubectl -n clustral create secret generic clustral-agent-credentials');
    kept.secret = { metadata: { resourceVersion: '1' } };
    await until('the agent is connected', () => agent.connected(), 20_000);
  });

  it('is ready as long as its tunnel is up, and lives either way', async () => {
    const cluster = await world.register();
    const agent = await startPod(cluster);
    expect([await health(agent, '/healthz'), await health(agent, '/healthz/ready')]).toEqual([200, 503]);
    const served = await startPod(cluster, cluster.token);
    await until('it is ready', async () => (await health(served, '/healthz/ready')) === 200);
    await world.revoke(cluster.clusterId);
    await until('it is not ready any more', async () => (await health(served, '/healthz/ready')) === 503);
    expect(await health(served, '/healthz')).toBe(200);
    expect(await health(served, '/anything')).toBe(404);
  });
});
