import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callOf, carry, Carried } from '@clustral/control-plane/tunnel/testing/carrying.ts';
import { startTunnelWorld, until, type TunnelWorld } from '@clustral/control-plane/tunnel/testing/tunnel-world.ts';
import { realDisk } from './disk.ts';
import { IdentityFolder } from './identity-folder.ts';
import type { Identity } from './identity.ts';
import { startApiServer, type ApiServer } from './testing/api-server.ts';
import { startAgent, type AgentPlan, type TestAgent } from './testing/running-agent.ts';

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
let tokenFile: string;
const running: TestAgent[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-'));
  tokenFile = join(folder, 'bootstrap-token');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((agent) => agent.stop()));
  rmSync(folder, { recursive: true, force: true });
});

type Cluster = Awaited<ReturnType<TunnelWorld['register']>>;

async function begin(cluster: Cluster, plan: Partial<AgentPlan> = {}): Promise<TestAgent> {
  writeFileSync(tokenFile, cluster.token);
  const agent = await startAgent({
    controlPlane: world.url,
    api,
    folder: join(folder, 'identity'),
    clusterId: cluster.clusterId,
    patience: { lookMs: 50, tryAgainMs: 60_000, firstRenewalLookMs: 10, changeApartMs: 100 },
    ...plan,
    environment: { AGENT_BOOTSTRAP_TOKEN_FILE: tokenFile, ...plan.environment },
  });
  running.push(agent);
  await until('the agent is connected', () => agent.connected());
  return agent;
}
async function stop(agent: TestAgent): Promise<void> {
  running.splice(running.indexOf(agent), 1);
  await agent.stop();
}
const works = async ({ clusterId }: Cluster): Promise<boolean> =>
  (await carry(world.agents, callOf(clusterId))).result === 200;
const countOf = async ({ clusterId }: Cluster, type: string): Promise<number> =>
  (await world.factsOf(clusterId)).filter((fact) => fact.type === type).length;
const onDisk = (): IdentityFolder => new IdentityFolder(join(folder, 'identity'), realDisk);
async function identity(): Promise<Identity> {
  const found = await onDisk().load();
  if (!found) throw new Error('there is no identity');
  return found;
}

describe('an agent that was revoked (D1, D2)', () => {
  it.each([
    ['its identity was revoked', (clusterId: Cluster['clusterId']) => world.revoke(clusterId), /revoked or replaced/],
    ['its cluster was deleted', (clusterId: Cluster['clusterId']) => world.remove(clusterId), /was deleted/],
  ])('is cut off within a second, says once that %s, and waits quietly', async (_, end, why) => {
    const cluster = await world.register();
    const agent = await begin(cluster);
    await end(cluster.clusterId);
    await until('the agent is cut off', () => !agent.connected(), 1_000);
    await until('the agent said why', () => agent.said.length > 0);
    expect(agent.said.filter((line) => why.test(line))).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(agent.said).toHaveLength(1);
    expect(agent.connected()).toBe(false);
    const knocks = (await world.refusalsOf(cluster.clusterId)).length;
    expect(knocks).toBeLessThanOrEqual(3);
  });

  it('enrols again with a new token, for the same cluster', async () => {
    const cluster = await world.register();
    const agent = await begin(cluster);
    const before = await identity();
    await world.revoke(cluster.clusterId);
    await until('the agent is cut off', () => !agent.connected());
    writeFileSync(tokenFile, await world.newToken(cluster.clusterId));
    await until('the agent is connected', () => agent.connected());
    expect(await works(cluster)).toBe(true);
    const after = await identity();
    expect(after.clusterId).toBe(before.clusterId);
    expect(after.privateKeyPem).not.toBe(before.privateKeyPem);
  });

  it('learns of it at its next start, too, and takes the new token then', async () => {
    const cluster = await world.register();
    await stop(await begin(cluster));
    await world.revoke(cluster.clusterId);
    const token = await world.newToken(cluster.clusterId);
    await begin({ ...cluster, token });
    expect(await works(cluster)).toBe(true);
  });
});

describe('an agent whose identity ages', () => {
  it('renews an expired token with its certificate and goes on (F-30)', async () => {
    const cluster = await world.register();
    await stop(await begin(cluster));
    const before = await identity();
    const expired = await world.tokens.issue(cluster.clusterId, 1, new Date(Date.now() - 86_400_000));
    await onDisk().save({ ...before, token: expired });
    await begin(cluster);
    expect(await works(cluster)).toBe(true);
    expect(await identity()).toMatchObject({ certificatePem: before.certificatePem });
    expect((await identity()).token).not.toBe(expired);
  });

  it('renews a token that the control plane no longer takes, once', async () => {
    const cluster = await world.register();
    await stop(await begin(cluster));
    // By the agent's clock it is good for a day; by the other clock it is over.
    const token = await world.tokens.issue(cluster.clusterId, 1, new Date(Date.now() + 86_400_000));
    await onDisk().save({ ...(await identity()), token });
    world.passDays(2);
    await begin(cluster);
    expect(await works(cluster)).toBe(true);
    expect(await countOf(cluster, 'cluster.agent_renewed')).toBe(1);
    world.passDays(-2);
  });

  it('changes to a new certificate without losing a request', async () => {
    const cluster = await world.register();
    await stop(await begin(cluster));
    const before = await identity();
    api.answer = ({ response, target }) => {
      if (target.includes('watch')) response.writeHead(200).write('begun');
      else response.end('ok');
    };
    await begin(cluster, {
      environment: { AGENT_CERT_RENEW_THRESHOLD: '395d' },
      patience: { changeApartMs: 1_500, firstRenewalLookMs: 1_000 },
    });
    const watch = await new Carried(world.agents, callOf(cluster.clusterId, { target: '/a?watch=1' })).begun;
    expect(watch.status).toBe(200);
    let renewed = 0;
    await until(
      'the new certificate was used',
      async () => {
        expect(await works(cluster)).toBe(true);
        renewed = await countOf(cluster, 'cluster.agent_renewed');
        return renewed > 0 && (await countOf(cluster, 'cluster.connected')) > 1;
      },
      10_000,
    );
    for (let round = 0; round < 200; round += 1) {
      expect(await works(cluster)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(watch.refusal).toBeUndefined();
    watch.exchange.cancel();
    expect((await identity()).certificatePem).not.toBe(before.certificatePem);
    expect(renewed).toBe(1);
  }, 30_000);

  it('takes what another process of it renewed when its own was superseded (D36)', async () => {
    const cluster = await world.register();
    await stop(await begin(cluster));
    const old = await identity();
    await stop(
      await begin(cluster, { environment: { AGENT_CERT_RENEW_THRESHOLD: '395d' } }).then(async (agent) => {
        await until('it renewed', async () => (await identity()).certificatePem !== old.certificatePem);
        await until('it was used', async () => (await countOf(cluster, 'cluster.connected')) > 1);
        return agent;
      }),
    );
    const renewed = await identity();
    await onDisk().save(old);
    world.passDays(1 / 12);
    const agent = await startAgent({
      controlPlane: world.url,
      api,
      folder: join(folder, 'identity'),
      clusterId: cluster.clusterId,
      patience: { lookMs: 50, tryAgainMs: 60_000 },
    });
    running.push(agent);
    await until('the agent said why', () => agent.said.some((line) => line.includes('replaced by a newer one')));
    await onDisk().save(renewed);
    await until('the agent is connected', () => agent.connected());
    world.passDays(-1 / 12);
  });
});

describe('an agent whose control plane restarts', () => {
  it('comes back by itself', async () => {
    const cluster = await world.register();
    const agent = await begin(cluster);
    await world.restartTunnel();
    await until('the cluster is there again', () => world.agents.presence(cluster.clusterId) !== undefined, 15_000);
    expect(await works(cluster)).toBe(true);
    expect(agent.connected()).toBe(true);
  }, 30_000);
});
