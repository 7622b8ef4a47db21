import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { internalTokenHeader } from '@clustral/schemas/tokens.ts';
import { buildHttpServer } from '@clustral/kernel/http-server.ts';
import { directAgents } from '../proxy/testing/recorder.ts';
import { startProxy, startWorld, until, type Listening, type World } from '../proxy/testing/world.ts';
import { refusalsPath, registerRefusals } from './refusals.ts';

let world: World;
let proxy: Listening;
let app: FastifyInstance;
let token: string;

beforeAll(async () => {
  world = await startWorld();
  proxy = await startProxy(world, directAgents(new Map()));
  app = buildHttpServer({ log: world.log, docsBaseUrl: 'https://clustral.test/errors/' });
  registerRefusals(app, { ...world, denials: proxy.denials, now: () => new Date() });
  token = await world.sign({ kind: 'service', sub: 'clustral-gateway' });
});

afterAll(async () => {
  await app.close();
  await proxy.stop();
  await world.stop();
});

const refusal = (about: object): object => ({
  requestId: randomUUID(),
  at: new Date().toISOString(),
  clusterId: null,
  credentialId: null,
  errorCode: 'INVALID_TOKEN',
  status: 401,
  method: 'GET',
  path: '/api/proxy/x/api',
  sourceAddress: '192.0.2.7',
  userAgent: 'kubectl',
  correlationId: 'c1',
  ...about,
});

async function post(body: object, withToken: string | null = token): Promise<{ status: number; code: unknown }> {
  const answer = await app.inject({
    method: 'POST',
    url: refusalsPath,
    payload: body,
    headers: withToken === null ? {} : { [internalTokenHeader]: withToken },
  });
  const { code } = answer.body === '' ? { code: undefined } : (answer.json() as { code: unknown });
  return { status: answer.statusCode, code };
}

describe("the gateway's refusals", () => {
  it('D31 are taken from the gateway alone', async () => {
    const person = await world.sign({ sub: 'x', issuer: 'y', roles: ['clustral-admin'] });
    const other = await world.sign({ kind: 'service', sub: 'somebody' });
    expect(await post({ refusals: [] }, null)).toEqual({ status: 401, code: 'AUTHENTICATION_REQUIRED' });
    for (const wrong of [person, other]) {
      expect(await post({ refusals: [] }, wrong)).toEqual({ status: 401, code: 'INVALID_TOKEN' });
    }
  });

  it('D31 stand in the stream of the cluster when it exists, else in that of no cluster', async () => {
    const clusterId = await world.cluster('prod');
    const role = await world.role('viewer', ['a']);
    const alice = await world.person({ name: 'alice@corp.test', clusterId, roleId: role });
    const known = refusal({ clusterId, credentialId: alice.credentialId, errorCode: 'RATE_LIMITED', status: 429 });
    const unknown = refusal({ clusterId: randomUUID() });
    expect(await post({ refusals: [known, unknown], lost: 0 })).toMatchObject({ status: 204 });
    await until('both are on record', async () => {
      return (await world.records(clusterId)).length === 1 && (await world.records(null)).length === 1;
    });
    const { userId, credentialId } = alice;
    expect((await world.records(clusterId))[0]).toMatchObject({
      type: 'proxy.access_denied',
      data: { clusterId, userId, credentialId, errorCode: 'RATE_LIMITED', status: 429, count: 1 },
    });
    expect((await world.records(null))[0]).toMatchObject({
      data: { clusterId: null, userId: null, errorCode: 'INVALID_TOKEN' },
      metadata: { actor: { kind: 'service' }, sourceAddress: '192.0.2.7', userAgent: 'kubectl', $correlationId: 'c1' },
    });
  });

  it('D31 are counted when there are many, and what the gateway lost is a gap', async () => {
    const before = (await world.records(null)).length;
    const many = Array.from({ length: 300 }, () => refusal({}));
    expect(await post({ refusals: many, lost: 7 })).toMatchObject({ status: 204 });
    await until('the count and the gap are on record', async () => {
      const facts = (await world.records(null)).slice(before);
      const told = facts.reduce((sum, { data }) => sum + ('count' in data ? data.count : 0), 0);
      return told === 300 && facts.some(({ type }) => type === 'proxy.gap');
    });
    expect((await world.records(null)).length - before).toBeLessThan(30);
  });

  it.each([
    [{}],
    [{ refusals: 'x' }],
    [{ refusals: [7] }],
    [{ refusals: [refusal({ requestId: 'x' })] }],
    [{ refusals: [refusal({ errorCode: 'SOMETHING' })] }],
    [{ refusals: Array.from({ length: 1_001 }, () => ({})) }],
  ])('are refused as a whole when one cannot be read', async (body) => {
    expect(await post(body)).toEqual({ status: 422, code: 'VALIDATION_ERROR' });
  });
});
