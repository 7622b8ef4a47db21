import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { accessStream } from '@clustral/schemas/events/access.ts';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import { credentialStream } from '@clustral/schemas/events/credential.ts';
import type { ProxyOutcome } from '@clustral/schemas/events/proxy.ts';
import { roleStream } from '@clustral/schemas/events/role.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import type { ClusterId, RoleId } from '@clustral/schemas/ids.ts';
import { openStream, type StreamClient } from '@clustral/kernel/testing/stream-client.ts';
import type { Agents, LaneHandlers } from '../ports.ts';
import { directAgents, startRecorder, type Recorder } from './testing/recorder.ts';
import { openRaw, sendRaw } from './testing/raw-client.ts';
import { echo } from './testing/streams.ts';
import { startProxy, startWorld, until, type Listening, type Person, type World } from './testing/world.ts';

let world: World;
let recorder: Recorder;
let proxy: Listening;
let cluster: ClusterId;
let role: RoleId;
let alice: Person;

beforeAll(async () => {
  world = await startWorld();
  recorder = await startRecorder();
});

afterAll(async () => {
  await recorder.stop();
  await world.stop();
});

beforeEach(async () => {
  recorder.seen.length = 0;
  recorder.upgradeWith(echo);
  cluster = await world.cluster(`c-${randomUUID().slice(0, 8)}`);
  role = await world.role(`r-${randomUUID().slice(0, 8)}`, ['viewers']);
  alice = await world.person({ name: `alice-${randomUUID().slice(0, 8)}@corp.test`, clusterId: cluster, roleId: role });
  proxy = await startProxy(world, directAgents(new Map([[cluster, recorder.port]])));
  return () => proxy.stop();
});

const head = (token = alice.token): string =>
  `GET /api/proxy/${cluster}/api/v1/namespaces/n/pods/p/exec?command=sh HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

/** An exec through which a byte has gone and come back. */
async function openExec(token = alice.token): Promise<StreamClient> {
  const client = await openStream(proxy.port, head(token));
  client.socket.write('a');
  await until('a byte has come back', () => client.bytes === 1);
  return client;
}

async function outcome(): Promise<ProxyOutcome> {
  let found: ProxyOutcome | undefined;
  await until('the end is on record', async () => {
    for (const { type, data } of await world.records(cluster))
      if (type === 'proxy.request' && data.phase === 'ended') found = data.outcome;
    return found !== undefined;
  });
  return found as ProxyOutcome;
}

/** Expects that the client was cut off, that the cluster saw it, and that nothing which is still sent arrives. */
async function cutOff(client: StreamClient, withinMs = 1_000): Promise<void> {
  await until('the client is cut off', () => client.closed, withinMs);
  expect(client.ended).toBe(false);
  await until('the API server sees it', () => recorder.seen[0]?.closed === true, 1_000);
  expect(recorder.seen[0]?.body.toString()).toMatch(/^a*$/);
}

describe('UP-04 an exec whose permission ends', () => {
  const revoke = async (): Promise<void> => {
    const { credentialId, userId } = alice;
    const data = { credentialId, userId, clusterId: cluster, reason: 'test' };
    await world.append(credentialStream(credentialId), { type: 'credential.revoked', data });
  };
  const unassign = async (): Promise<void> => {
    const { facts } = await world.store.load(accessStream(alice.userId, cluster));
    const { assignmentId } = (facts.at(-1)?.data ?? {}) as { assignmentId?: string };
    const data = { userId: alice.userId, clusterId: cluster, assignmentId, roleId: role };
    await world.append(accessStream(alice.userId, cluster), { type: 'user.role_unassigned', data });
  };
  const roleFact = (type: string, k8sGroups: readonly string[]): Promise<void> =>
    world.append(roleStream(role), { type, data: { roleId: role, name: 'r', description: '', k8sGroups } });
  const disable = (): Promise<void> =>
    world.append(userStream(alice.userId), { type: 'user.disabled', data: { userId: alice.userId } });
  const clusterFact = (type: string): Promise<void> =>
    world.append(clusterStream(cluster), { type, data: { clusterId: cluster, name: 'c', tokenVersion: 2 } });

  it.each<[string, () => Promise<void>, Partial<ProxyOutcome>]>([
    // What a logout leaves of a credential is the same fact.
    ['its credential is revoked', revoke, { end: 'revoked', errorCode: 'CREDENTIAL_REVOKED' }],
    ['its role is taken away', unassign, { end: 'revoked', errorCode: 'NO_ROLE_ASSIGNMENT' }],
    ['its role gets other groups', () => roleFact('role.updated', ['x']), { end: 'revoked' }],
    ['its role is deleted', () => roleFact('role.deleted', []), { end: 'revoked', errorCode: 'NO_ROLE_ASSIGNMENT' }],
    ['the person is disabled', disable, { end: 'revoked', errorCode: 'FORBIDDEN' }],
    ['the cluster is deleted', () => clusterFact('cluster.deleted'), { end: 'revoked' }],
    ['the agent is revoked', () => clusterFact('cluster.agent_revoked'), { end: 'agent_lost' }],
  ])('UP-04 is cut off within a second when %s, and its next byte goes nowhere', async (_, change, ended) => {
    const client = await openExec();
    // A client that never stops sending.
    const sending = setInterval(() => client.socket.write('a'), 1);
    await change();
    client.socket.write('never');
    await cutOff(client).finally(() => clearInterval(sending));
    expect(await outcome()).toMatchObject({ status: 101, ...ended });
  });

  it('UP-04 is cut off when its grant is revoked', async () => {
    const bob = await world.person({ name: `bob-${randomUUID()}@corp.test`, clusterId: cluster });
    const of = { userId: bob.userId, clusterId: cluster, accessRequestId: randomUUID() };
    const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
    const stream = accessStream(bob.userId, cluster);
    await world.append(stream, {
      type: 'access_request.created',
      data: {
        ...of,
        roleId: role,
        roleRevision: 0,
        reason: 'test',
        durationSeconds: 60,
        startsAt: null,
        extends: null,
        suggestedReviewerEmails: [],
        expiresAt: at(60_000),
      },
    });
    const granted = { roleId: role, roleRevision: 0, grantStartsAt: at(-60_000), grantExpiresAt: at(60_000) };
    await world.append(stream, {
      type: 'access_request.approved',
      data: { ...of, ...granted, reviewerId: randomUUID(), durationSeconds: 120 },
    });
    const client = await openExec(bob.token);
    await world.append(stream, { type: 'access_request.revoked', data: { ...of, reason: 'test' } });
    await cutOff(client);
    expect(await outcome()).toMatchObject({ end: 'revoked', errorCode: 'NO_ROLE_ASSIGNMENT' });
  });

  it('UP-04 goes on when what changed does not touch it', async () => {
    const client = await openExec();
    await roleFact('role.updated', ['viewers']);
    const other = await world.person({ name: `bob-${randomUUID()}@corp.test`, clusterId: cluster, roleId: role });
    const data = { credentialId: other.credentialId, userId: other.userId, clusterId: cluster, reason: 'test' };
    await world.append(credentialStream(other.credentialId), { type: 'credential.revoked', data });
    client.socket.write('a');
    await until('the next byte comes back', () => client.bytes === 2);
    client.socket.end();
    await until('it ends in good order', () => client.closed && client.ended);
    expect(await outcome()).toMatchObject({ end: 'completed', bytesSent: 2, bytesReceived: 2 });
  });

  it('UP-05 is cut off within a second of an expiry known in advance', async () => {
    const brief = await world.person({
      name: `b-${randomUUID()}@corp.test`,
      clusterId: cluster,
      roleId: role,
      lifeSeconds: 2,
    });
    const client = await openExec(brief.token);
    const expiresAt = (Math.floor(Date.now() / 1000) + 2) * 1000;
    await cutOff(client, 5_000);
    expect(Date.now()).toBeLessThan(expiresAt + 1_000);
    expect(await outcome()).toMatchObject({ end: 'expired', errorCode: 'CREDENTIAL_EXPIRED' });
  });
});

describe('an exec that breaks', () => {
  it('UP-03 is given up in the cluster within 2 s when its client is gone', async () => {
    const client = await openExec();
    client.socket.resetAndDestroy();
    await until('the API server sees it', () => recorder.seen[0]?.closed === true, 2_000);
    expect(await outcome()).toMatchObject({ status: 101, end: 'client_closed', bytesSent: 1, bytesReceived: 1 });
  });

  it.each(['resetAndDestroy', 'destroy'] as const)(
    'is given up before its 101 when its client is gone (%s)',
    async (how) => {
      recorder.upgradeWith((socket) => void socket.on('end', () => socket.destroy()));
      const client = openRaw(proxy.port, head());
      await until('the cluster was asked', () => recorder.seen.length === 1);
      client.socket[how]();
      await until('the API server sees it', () => recorder.seen[0]?.closed === true, 2_000);
      expect(await outcome()).toMatchObject({ status: null, end: 'client_closed' });
    },
  );

  it('UP-03 looks like no end to its client when the API server breaks it off', async () => {
    recorder.upgradeWith((socket, request) => {
      echo(socket, request);
      socket.once('data', () => setTimeout(() => socket.resetAndDestroy(), 50));
    });
    await cutOff(await openExec(), 2_000);
    expect(await outcome()).toMatchObject({ status: 101, end: 'failed', errorCode: 'AGENT_ERROR' });
  });

  it.each<[string, (to: LaneHandlers) => void]>([
    ['is lost', (to) => to.fail(new Refusal('TUNNEL_ERROR', 'The connection to the agent was lost.'))],
    ['is lost after its direction has ended', (to) => (to.end(), to.fail(new Refusal('TUNNEL_ERROR', 'Lost.')))],
    ['answers twice', (to) => to.head(101, ['Upgrade', 'websocket'])],
  ])('UP-03 destroys the connection of its client when the agent %s', async (_, breakOff) => {
    const agents: Pick<Agents, 'open'> = {
      open(_call, handlers) {
        setImmediate(() => {
          handlers.head(101, ['Upgrade', 'websocket']);
          handlers.data(Buffer.from('a'));
          setTimeout(() => breakOff(handlers), 50);
        });
        return { write: () => true, end() {}, resume() {}, cancel() {} };
      },
    };
    const other = await startProxy(world, agents);
    const client = await openStream(other.port, head());
    await until('the client is cut off', () => (client.socket.write('b'), client.closed), 2_000);
    expect(client.received.toString()).toMatch(/^a?$/);
    expect(await outcome()).toMatchObject({ status: 101, bytesSent: 1 });
    await other.stop();
  });
});

describe('stopping', () => {
  it('F-29 breaks off what is open, refuses what is new, and leaves no connection behind', async () => {
    const client = await openExec();
    const began = performance.now();
    const stopped = proxy.stop();
    const answer = await sendRaw(proxy.port, head());
    expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([503, ['UPSTREAM_UNAVAILABLE']]);
    // It waits for the last connection of the server, upgraded ones too.
    await stopped;
    expect(performance.now() - began).toBeLessThan(4_000);
    await cutOff(client);
    expect(await outcome()).toMatchObject({ status: 101, end: 'failed', errorCode: 'TUNNEL_ERROR' });
  });
});
