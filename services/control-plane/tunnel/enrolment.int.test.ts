import { createClient } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentService } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { createCertificateRequest, createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import { readCertificate } from '@clustral/kernel/x509-read.ts';
import { callAs, codeOf, enrolRaw, openSession, RawAgent } from './testing/raw-agent.ts';
import { startTunnelWorld, until, type TunnelWorld } from './testing/tunnel-world.ts';

let world: TunnelWorld;
beforeAll(async () => {
  world = await startTunnelWorld();
});
afterAll(() => world.stop());

const enrol = (clusterId: string, token: string, keys?: KeyPair): Promise<string> =>
  codeOf(enrolRaw(world.url, { clusterId, token, ...(keys ? { keys } : {}) }));
// The bucket of the address is full again.
const rest = (): void => world.pass(60_000);

describe('redeeming a bootstrap token', () => {
  it('gives a certificate for the cluster and the key, and a token, and is on record', async () => {
    const cluster = await world.register();
    const identity = await enrolRaw(world.url, cluster);
    expect(readCertificate(identity.certificatePem)).toMatchObject({
      commonNames: [cluster.clusterId],
      uris: [`urn:clustral:cluster:${cluster.clusterId}`],
    });
    expect(await world.tokens.verify(identity.token)).toMatchObject({ sub: cluster.clusterId, token_version: 1 });
    const enrolled = (await world.factsOf(cluster.clusterId)).find(({ type }) => type === 'cluster.agent_enrolled');
    expect(enrolled?.metadata).toMatchObject({
      actor: { kind: 'agent', id: cluster.clusterId },
      sourceAddress: '127.0.0.1',
    });
    const kept = (await world.factsOf(cluster.clusterId)).map(({ data }) => data);
    expect(JSON.stringify(kept)).not.toContain(cluster.token.split('.')[2]);
  });

  it('answers a wrong token, another cluster’s, an unknown cluster and nonsense alike', async () => {
    rest();
    const [one, two] = [await world.register(), await world.register()];
    const forged = `${one.token.slice(0, -3)}abc`;
    const unknown = '11111111-0000-4000-8000-000000000000';
    const codes = [
      await enrol(one.clusterId, two.token),
      await enrol(one.clusterId, forged),
      await enrol(unknown, one.token),
      await enrol('../x', one.token),
      await enrol(one.clusterId, ''),
    ];
    expect(new Set(codes)).toEqual(new Set(['BOOTSTRAP_TOKEN_INVALID']));
    expect(await enrol(one.clusterId, one.token)).toBe('ok');
    const isRecorded = async (clusterId: ClusterId | null) =>
      (await world.refusalsOf(clusterId)).some(({ reason }) => reason === 'BOOTSTRAP_TOKEN_INVALID');
    await until('it is recorded, with the cluster when there is one', async () =>
      (await Promise.all([null, one.clusterId].map(isRecorded))).every(Boolean),
    );
  });

  it('is refused a day later', async () => {
    rest();
    const cluster = await world.register();
    world.passDays(1.001);
    expect(await enrol(cluster.clusterId, cluster.token)).toBe('BOOTSTRAP_TOKEN_INVALID');
    world.passDays(-1.001);
  });

  it('fifty times at once has one winner, one certificate, one fact', async () => {
    rest();
    const cluster = await world.register();
    const codes = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        if (i % 10 === 0) rest();
        return enrol(cluster.clusterId, cluster.token);
      }),
    );
    expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
    expect(codes.every((code) => ['ok', 'BOOTSTRAP_TOKEN_INVALID', 'RATE_LIMITED'].includes(code))).toBe(true);
    const facts = await world.factsOf(cluster.clusterId);
    expect(facts.filter(({ type }) => type === 'cluster.agent_enrolled')).toHaveLength(1);
  });

  it('again with the same key gives the same certificate for ten minutes', async () => {
    rest();
    const cluster = await world.register();
    const keys = await createKeyPair('P-256');
    const [first, second] = [
      await enrolRaw(world.url, { ...cluster, keys }),
      await enrolRaw(world.url, { ...cluster, keys }),
    ];
    expect(second.certificatePem).toBe(first.certificatePem);
    expect(await enrol(cluster.clusterId, cluster.token)).toBe('BOOTSTRAP_TOKEN_INVALID');
    world.passDays(11 / 1440);
    expect(await enrol(cluster.clusterId, cluster.token, keys)).toBe('BOOTSTRAP_TOKEN_INVALID');
    world.passDays(-11 / 1440);
    const facts = await world.factsOf(cluster.clusterId);
    expect(facts.filter(({ type }) => type === 'cluster.agent_enrolled')).toHaveLength(1);
  });

  it('needs a request that its own key signed', async () => {
    rest();
    const cluster = await world.register();
    const request = await createCertificateRequest({ keys: await createKeyPair('P-256'), commonName: 'x' });
    request[request.length - 1] = (request.at(-1) ?? 0) ^ 1;
    const { session, transport } = await openSession(world.url);
    const client = createClient(AgentService, transport);
    for (const csr of [request, new Uint8Array(), new Uint8Array(20_000)]) {
      const call = client.registerAgent({ clusterId: cluster.clusterId, bootstrapToken: cluster.token, csr });
      expect(await codeOf(call)).toBe('VALIDATION_ERROR');
    }
    session.destroy();
    expect(await enrol(cluster.clusterId, cluster.token)).toBe('ok');
  });

  it('is throttled for one address, and only for a while', async () => {
    rest();
    const codes = [];
    for (let i = 0; i < 30; i += 1) codes.push(await enrol('11111111-0000-4000-8000-000000000000', 'x'));
    expect(codes.filter((code) => code === 'RATE_LIMITED').length).toBeGreaterThan(5);
    world.pass(3_000);
    expect(await enrol('11111111-0000-4000-8000-000000000000', 'x')).toBe('BOOTSTRAP_TOKEN_INVALID');
  });

  it('of a new token ends the identity of the agent before', async () => {
    rest();
    const cluster = await world.register();
    const before = await enrolRaw(world.url, cluster);
    const agent = await new RawAgent(before).connect(world.url);
    const token = await world.newToken(cluster.clusterId);
    const after = await enrolRaw(world.url, { clusterId: cluster.clusterId, token });
    await until('the old connection is closed', () => agent.session.destroyed, 1_000);
    expect(agent.heard.at(-1)?.case).toBe('revoked');
    const renew = (identity: typeof before) =>
      codeOf(callAs(world.url, identity, (client, options) => client.renewToken({}, options)));
    expect(await renew(before)).toBe('AGENT_REVOKED');
    expect(await renew(after)).toBe('ok');
  });

  it('does not go on while a message is larger than any real one', async () => {
    rest();
    const { session, transport } = await openSession(world.url);
    const call = createClient(AgentService, transport).registerAgent({ clusterId: 'x'.repeat(100_000) });
    expect(await codeOf(call)).toMatch(/resource_exhausted|larger/);
    session.destroy();
  });
});
