import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start as startProjections } from '@clustral/projections/main.ts';
import { leaseStream } from '@clustral/schemas/events/lease.ts';
import { utcDay } from '@clustral/schemas/events/proxy.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { startEventStore, type RunningEventStore } from '../../infra/embedded/event-store/start.ts';
import { start } from './main.ts';
import { userIdOf } from './person.ts';
import {
  admin,
  alice,
  bob,
  issuer,
  prepareInstallation,
  RestClient,
  type Installation,
} from './testing/installation.ts';

const log = createLog('test', 'silent');
const folder = mkdtempSync(join(tmpdir(), 'control-plane-'));
let server: RunningEventStore;
let eventStore: EventStore;
let installation: Installation;
let projections: Running;
let controlPlane: Running & { readonly port: number };
let client: RestClient;

beforeAll(async () => {
  server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  eventStore = connectEventStore({ connectionString: server.connectionString });
  installation = await prepareInstallation(join(folder, 'data'), server.connectionString);
  client = new RestClient(installation.gateway);
  projections = await startProjections(installation.environment, log);
  await startControlPlane();
});

afterAll(async () => {
  await controlPlane.stop();
  await projections.stop();
  await eventStore.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function startControlPlane(): Promise<void> {
  controlPlane = await start(installation.environment, log);
  client.port = controlPlane.port;
}

const aliceId = userIdOf(issuer, alice.sub);
let names = 0;
const newName = (): string => `thing-${(names += 1)}`;

async function newRole(k8sGroups = ['clustral:viewers']): Promise<string> {
  const { status, json } = await client.call(admin, 'POST /api/v1/roles', { body: { name: newName(), k8sGroups } });
  expect(status).toBe(201);
  return json['id'] ?? '';
}
async function newCluster(name = newName()): Promise<string> {
  const { status, json } = await client.call(admin, 'POST /api/v1/clusters', { body: { name } });
  expect(status).toBe(201);
  return json['clusterId'] ?? '';
}
const assign = (roleId: string, clusterId: string, userId: string = aliceId) =>
  client.call(admin, `POST /api/v1/users/${userId}/assignments`, { body: { roleId, clusterId } });
const issue = (clusterId: string, options: { ttl?: string; key?: string } = {}) =>
  client.call(alice, 'POST /api/v1/auth/kubeconfig-credential', {
    body: { clusterId, ttl: options.ttl ?? '' },
    headers: options.key === undefined ? {} : { 'idempotency-key': options.key },
  });

describe('from a new role to access', () => {
  it('a person who is given a role sees it as access, and loses it when it is taken away', async () => {
    expect((await client.call(alice, 'GET /api/v1/users/me')).json).toMatchObject({
      user: { id: aliceId, email: 'alice@corp.com', kubernetesName: 'alice@corp.com', disabled: false },
      access: [],
    });
    const [roleId, clusterId] = [await newRole(), await newCluster()];
    const assigned = await assign(roleId, clusterId);
    expect(assigned).toMatchObject({ status: 201, json: { roleId, clusterId, assignedBy: 'admin@corp.com' } });
    const me = await client.call(alice, 'GET /api/v1/users/me');
    expect(me.json['access']).toEqual([expect.objectContaining({ roleId, clusterId, source: 'Assignment' })]);
    const path = `/api/v1/users/${aliceId}/assignments`;
    const seen = await client.call(alice, `GET ${path}`, {
      headers: { 'x-clustral-position': assigned.position ?? '' },
    });
    expect(seen.json['assignments']).toHaveLength(1);
    expect((await client.call(admin, `DELETE ${path}/${assigned.json['id']}`)).status).toBe(204);
    expect((await client.call(alice, 'GET /api/v1/users/me')).json['access']).toEqual([]);
    expect(await client.call(admin, `DELETE ${path}/${assigned.json['id']}`)).toMatchObject({
      status: 404,
      json: { code: 'ASSIGNMENT_NOT_FOUND' },
    });
  });

  it('a deleted role ends its assignments at once, and says so explicitly with its cause', async () => {
    const [roleId, clusterId] = [await newRole(), await newCluster()];
    await assign(roleId, clusterId);
    expect((await client.call(admin, `DELETE /api/v1/roles/${roleId}`)).status).toBe(204);
    expect((await client.call(alice, 'GET /api/v1/users/me')).json['access']).toEqual([]);
    const [deleted] = (await eventStore.load(`role-${roleId}`)).facts.slice(-1);
    const facts = await untilLoaded(`access-${aliceId}.${clusterId}`, 2);
    expect(facts[1]).toMatchObject({
      type: 'user.role_unassigned',
      metadata: {
        actor: { kind: 'service' },
        $causationId: deleted?.id,
        $correlationId: deleted?.metadata.$correlationId,
      },
    });
    expect((await assign(roleId, clusterId)).json).toMatchObject({ code: 'ROLE_NOT_FOUND' });
  });

  it('a list shows what was just written to whoever says from where it was written', async () => {
    const name = newName();
    const created = await client.call(admin, 'POST /api/v1/roles', { body: { name, k8sGroups: ['g'] } });
    const headers = { 'x-clustral-position': created.position ?? '' };
    const listed = await client.call(bob, `GET /api/v1/roles?name=${name}`, { headers });
    expect(listed.json['roles']).toEqual([created.json]);
  });
});

async function untilLoaded(stream: string, count: number) {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const { facts } = await eventStore.load(stream);
    if (facts.length >= count) return facts;
    if (performance.now() > deadline) throw new Error(`${stream} has ${facts.length} facts, not ${count}`);
  }
}

describe('a name', () => {
  it('goes to one of 50 who register a cluster under it at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => client.call(admin, 'POST /api/v1/clusters', { body: { name: 'contested' } })),
    );
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect([count(201), count(409)]).toEqual([1, 49]);
    expect(answers.find(({ status }) => status === 409)?.json).toMatchObject({ code: 'DUPLICATE_CLUSTER_NAME' });
  });

  it('is free again once its cluster is deleted', async () => {
    const name = newName();
    const clusterId = await newCluster(name);
    expect((await client.call(admin, `DELETE /api/v1/clusters/${clusterId}`)).status).toBe(204);
    await newCluster(name);
  });
});

describe('a kubeconfig credential', () => {
  it('is issued for the whole time under a role, and is revoked once', async () => {
    const [roleId, clusterId] = [await newRole(), await newCluster()];
    await assign(roleId, clusterId);
    const issued = await issue(clusterId, { ttl: '2h' });
    expect(issued).toMatchObject({ status: 201, json: { hasRole: true } });
    expect(secondsLeft(issued.json['expiresAt'])).toBeGreaterThan(7_190);
    const path = `DELETE /api/v1/auth/credentials/${issued.json['credentialId']}`;
    const revoked = await client.call(alice, path);
    expect(revoked.status).toBe(200);
    expect((await client.call(alice, path)).json['credentialId']).toBe(issued.json['credentialId']);
    const headers = { 'x-clustral-position': revoked.position ?? '' };
    const listed = await client.call(alice, `GET /api/v1/credentials?clusterId=${clusterId}`, { headers });
    expect(listed.json['credentials']).toEqual([
      expect.objectContaining({ id: issued.json['credentialId'], user: 'alice@corp.com' }),
    ]);
    const active = await client.call(alice, `GET /api/v1/credentials?clusterId=${clusterId}&active=true`, { headers });
    expect(active.json['credentials']).toEqual([]);
  });

  it('lives five minutes without a role', async () => {
    const issued = await issue(await newCluster());
    expect(issued.json['hasRole']).toBe(false);
    expect(secondsLeft(issued.json['expiresAt'])).toBeLessThanOrEqual(300);
  });

  it('is the same again for the same Idempotency-Key, and a conflict once it is revoked', async () => {
    const [clusterId, key] = [await newCluster(), randomUUID()];
    const answers = await Promise.all(Array.from({ length: 5 }, () => issue(clusterId, { key })));
    expect(new Set(answers.map(({ json }) => json['credentialId'])).size).toBe(1);
    expect(new Set(answers.map(({ json }) => claimsOf(json['token'] ?? ''))).size).toBe(1);
    expect((await issue(clusterId, { key, ttl: '1m' })).json).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    const body = { token: answers[0]?.json['token'] };
    expect((await client.call(alice, 'POST /api/v1/auth/revoke-by-token', { body })).status).toBe(200);
    expect(await issue(clusterId, { key })).toMatchObject({ status: 409, json: { code: 'CONFLICT' } });
  });

  it('of somebody else is refused and on record, and by its token does not even exist', async () => {
    const issued = await issue(await newCluster());
    const id = issued.json['credentialId'];
    expect(await client.call(bob, `DELETE /api/v1/auth/credentials/${id}`)).toMatchObject({ status: 403 });
    const body = { token: issued.json['token'] };
    expect(await client.call(bob, 'POST /api/v1/auth/revoke-by-token', { body })).toMatchObject({ status: 404 });
    const { facts } = await eventStore.load(`credential-${id}`);
    expect(facts.map(({ type }) => type)).toEqual([
      'credential.issued',
      'credential.revoke_denied',
      'credential.revoke_denied',
    ]);
    expect((await client.call(admin, `DELETE /api/v1/auth/credentials/${id}`)).status).toBe(200);
  });

  it('is not issued for a cluster that does not exist, which is on record', async () => {
    const before = await eventStore.readBackwards({ prefixes: ['credential-'], limit: 1 });
    expect(await issue(randomUUID())).toMatchObject({ status: 404, json: { code: 'CLUSTER_NOT_FOUND' } });
    const [newest] = await eventStore.readBackwards({ prefixes: ['credential-'], limit: 1 });
    expect(newest?.position).toBeGreaterThan(before[0]?.position ?? 0n);
    expect(newest).toMatchObject({ type: 'credential.issue_failed', data: { reason: 'CLUSTER_NOT_FOUND' } });
  });

  it('is issued at most 20 times at once for one cluster', async () => {
    const clusterId = await newCluster();
    const answers = await Promise.all(Array.from({ length: 25 }, () => issue(clusterId)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(answers.find(({ status }) => status === 429)?.json).toMatchObject({ code: 'RATE_LIMITED' });
  });
});

const secondsLeft = (instant: string | undefined): number => (Date.parse(instant ?? '') - Date.now()) / 1000;
const claimsOf = (token: string): string => Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();

describe('a person who was disabled', () => {
  it('may call nothing from then on', async () => {
    const carol = { sub: 'carol', email: 'carol@corp.com', email_verified: true };
    await client.call(carol, 'GET /api/v1/users/me');
    const userId = userIdOf(issuer, carol.sub);
    const { revision } = await eventStore.load(`user-${userId}`);
    const [{ data } = { data: {} }] = (await eventStore.load(leaseStream)).facts.slice(-1);
    const { epoch } = data as { epoch: number };
    await eventStore.append(`user-${userId}`, revision, [
      {
        id: randomUUID(),
        type: 'user.disabled',
        data: { userId },
        metadata: { schemaVersion: 1, actor: { kind: 'user', id: 'x' }, epoch, $correlationId: 'c' },
      },
    ]);
    const deadline = performance.now() + 5_000;
    let answer = await client.call(carol, 'GET /api/v1/users/me');
    while (answer.status === 200 && performance.now() < deadline)
      answer = await client.call(carol, 'GET /api/v1/users/me');
    expect(answer).toMatchObject({ status: 403, json: { code: 'FORBIDDEN' } });
  });
});

describe('a kubectl request', () => {
  const kubectl = (clusterId: string, credentialId: string, path = '/api/v1/pods') =>
    client.call(
      { sub: aliceId, cluster_id: clusterId, credential_id: credentialId },
      `GET /api/proxy/${clusterId}${path}`,
    );

  it('is decided anew each time, on what was acknowledged last', async () => {
    const [roleId, clusterId] = [await newRole(), await newCluster()];
    const credentialId = (await issue(clusterId)).json['credentialId'] ?? '';
    expect(await kubectl(clusterId, credentialId)).toMatchObject({
      status: 403,
      json: { text: expect.stringMatching(/^alice@corp.com has no active role on cluster 'thing-\d+'/) },
    });
    for (let round = 0; round < 20; round += 1) {
      const { json } = await assign(roleId, clusterId);
      expect((await kubectl(clusterId, credentialId)).status).toBe(502);
      await client.call(admin, `DELETE /api/v1/users/${aliceId}/assignments/${json['id']}`);
      expect((await kubectl(clusterId, credentialId)).status).toBe(403);
    }
    await assign(roleId, clusterId);
    await client.call(alice, `DELETE /api/v1/auth/credentials/${credentialId}`);
    expect((await kubectl(clusterId, credentialId)).status).toBe(401);
  });

  it('with a token that nobody stored is refused', async () => {
    expect((await kubectl(await newCluster(), randomUUID())).status).toBe(401);
  });

  it('that the gateway refused is on record when the gateway says so, and nobody else', async () => {
    const clusterId = await newCluster();
    const refusal = {
      requestId: randomUUID(),
      at: new Date().toISOString(),
      clusterId,
      credentialId: null,
      errorCode: 'INVALID_TOKEN',
      status: 401,
      method: 'GET',
      path: `/api/proxy/${clusterId}/api`,
      sourceAddress: '203.0.113.7',
      userAgent: null,
      correlationId: 'c',
    };
    const body = { refusals: [refusal], lost: 0 };
    expect((await client.call(admin, 'POST /internal/v1/refusals', { body })).status).toBe(401);
    const service = { 'x-internal-token': await client.token({ kind: 'service', sub: 'clustral-gateway' }) };
    const post = (sent: unknown) =>
      client.call(undefined, 'POST /internal/v1/refusals', { body: sent, headers: service });
    expect((await post({ refusals: [{ ...refusal, errorCode: 'NO_SUCH_CODE' }], lost: 0 })).status).toBe(422);
    expect((await post(body)).status).toBe(204);
    const [denied] = await untilLoaded(`proxy-${clusterId}-${utcDay(new Date())}`, 1);
    expect(denied).toMatchObject({ type: 'proxy.access_denied', data: { requestId: refusal.requestId, clusterId } });
  });
});

describe('a connection that asks for another protocol', () => {
  it('outside of the kubectl path is refused, and what follows its head is never read as a request', async () => {
    const socket = connect(client.port, '127.0.0.1');
    socket.write(
      'GET /api/v1/version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    let received = '';
    for await (const chunk of socket) received += String(chunk);
    expect(received).toMatch(/^HTTP\/1.1 400 /);
    expect(received).not.toContain('200');
  });
});

describe('a restart', () => {
  it('keeps everything, raises the epoch, and is ready again', async () => {
    const [roleId, clusterId] = [await newRole(), await newCluster()];
    await assign(roleId, clusterId);
    const issued = await issue(clusterId, { key: 'before-the-restart' });
    const before = await eventStore.load(leaseStream);
    await controlPlane.stop();
    await startControlPlane();
    const after = await eventStore.load(leaseStream);
    expect(after.facts.length).toBe(before.facts.length + 1);
    const holders = [before, after].map(({ facts }) => (facts.at(-1)?.data as { holder?: string } | undefined)?.holder);
    expect(holders[1]).toBe(holders[0]);
    expect((await client.call(undefined, 'GET /healthz/ready')).status).toBe(200);
    const me = await client.call(alice, 'GET /api/v1/users/me');
    expect(me.json['access']).toContainEqual(expect.objectContaining({ roleId, clusterId }));
    expect((await issue(clusterId, { key: 'before-the-restart' })).json['credentialId']).toBe(
      issued.json['credentialId'],
    );
    const duplicate = await client.call(admin, 'POST /api/v1/clusters', { body: { name: 'contested' } });
    expect(duplicate.status).toBe(409);
  });
});

describe('without the log', () => {
  it('nobody is let in, the process lives and says why, and it still stops in time', async () => {
    const clusterId = await newCluster();
    const credentialId = (await issue(clusterId)).json['credentialId'] ?? '';
    await server.stop();
    const deadline = performance.now() + 8_000;
    let ready = await client.call(undefined, 'GET /healthz/ready');
    while (ready.status === 200 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      ready = await client.call(undefined, 'GET /healthz/ready');
    }
    expect(ready).toMatchObject({ status: 503, json: { text: expect.stringContaining('3 seconds') } });
    expect((await client.call(undefined, 'GET /healthz')).status).toBe(200);
    for (const line of [
      'GET /api/v1/users/me',
      'GET /api/v1/clusters',
      `DELETE /api/v1/auth/credentials/${credentialId}`,
    ])
      expect(await client.call(alice, line)).toMatchObject({ status: 503, json: { code: 'STORE_UNAVAILABLE' } });
    const credential = { sub: aliceId, cluster_id: clusterId, credential_id: credentialId };
    expect((await client.call(credential, `GET /api/proxy/${clusterId}/api`)).status).toBe(503);
    const stopsAt = performance.now();
    await controlPlane.stop();
    expect(performance.now() - stopsAt).toBeLessThan(4_500);
    controlPlane = { port: 0, stop: () => Promise.resolve() };
  });
});
