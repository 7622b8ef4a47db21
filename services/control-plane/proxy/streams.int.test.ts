import { get } from 'node:http';
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
import type { Agents, LaneCall, LaneHandlers } from '../ports.ts';
import { directAgents, startRecorder, type Recorder } from './testing/recorder.ts';
import { openRaw, sendRaw, type OpenRaw } from './testing/raw-client.ts';
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
  cluster = await world.cluster(`c-${randomUUID().slice(0, 8)}`);
  role = await world.role(`r-${randomUUID().slice(0, 8)}`, ['viewers']);
  alice = await world.person({ name: `alice-${randomUUID().slice(0, 8)}@corp.test`, clusterId: cluster, roleId: role });
  proxy = await startProxy(world, directAgents(new Map([[cluster, recorder.port]])));
  return () => proxy.stop();
});

const head = (rest: string, { method = 'GET', token = alice.token, more = '' } = {}): string =>
  `${method} /api/proxy/${cluster}${rest} HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${token}\r\n${more}\r\n`;

const watch = '/api/v1/namespaces/n/pods?watch=1';

async function outcome(): Promise<ProxyOutcome> {
  let found: ProxyOutcome | undefined;
  await until('the end is on record', async () => {
    for (const { type, data } of await world.records(cluster))
      if (type === 'proxy.request' && data.phase === 'ended') found = data.outcome;
    return found !== undefined;
  });
  return found as ProxyOutcome;
}

/** Waits until the number stays as it is for a while. */
async function settled(count: () => number): Promise<void> {
  let before = -1;
  let since = performance.now();
  await until(
    'nothing more is taken',
    () => {
      if (count() !== before) since = performance.now();
      before = count();
      return before > 0 && performance.now() - since > 300;
    },
    10_000,
  );
}

/** Opens a watch whose first event has arrived. */
async function openWatch(token = alice.token): Promise<OpenRaw> {
  recorder.answerWith((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"type":"ADDED"}\n');
  });
  const open = openRaw(proxy.port, head(watch, { token }));
  await until('the first event arrives', () => open.received.includes('ADDED') || open.closed);
  return open;
}

describe('a stream', () => {
  it('PX-18 gives its head at once and each event as it comes', async () => {
    const events = Promise.withResolvers<() => void>();
    recorder.answerWith((_request, response) => {
      response.writeHead(200).flushHeaders();
      let sent = 0;
      events.resolve(() => response.write(`event ${(sent += 1)}\n`));
    });
    const open = openRaw(proxy.port, head(watch));
    await until('the head arrives before any event', () => open.received.startsWith('HTTP/1.1 200'));
    const send = await events.promise;
    for (let count = 1; count <= 5; count += 1) {
      send();
      await until(`event ${count} arrives`, () => open.received.includes(`event ${count}\n`), 500);
    }
    open.socket.destroy();
  });

  it('PX-19 is cancelled all the way when the client goes, and ends as client_closed', async () => {
    const open = await openWatch();
    open.socket.destroy();
    await until('the API server sees it', () => recorder.seen[0]?.closed === true, 2_000);
    expect(await outcome()).toMatchObject({ status: 200, end: 'client_closed', errorCode: null });
  });

  it('PX-19 is cancelled when the client goes during an upload', async () => {
    recorder.answerWith(() => undefined);
    const more = 'Content-Length: 100\r\n';
    const open = openRaw(proxy.port, `${head('/api/v1/namespaces/n/pods', { method: 'POST', more })}{`);
    await until('the upload has begun', () => recorder.seen.length === 1);
    open.socket.destroy();
    await until('the API server sees it', () => recorder.seen[0]?.closed === true, 2_000);
    expect(await outcome()).toMatchObject({ status: null, end: 'client_closed', bytesReceived: 1 });
  });

  it('PX-25 carries 20 MB down and 9 MB up unchanged', async () => {
    const down = Buffer.alloc(20 << 20, 'clustral ');
    recorder.answerWith((_request, response) => response.end(down));
    const got = await new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = [];
      const headers = { 'x-internal-token': alice.token };
      get({ port: proxy.port, path: `/api/proxy/${cluster}/big`, headers }, (response) => {
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks)));
      }).on('error', reject);
    });
    expect(got.equals(down)).toBe(true);
    recorder.answerWith((request, response) => request.on('end', () => response.end('ok')));
    const more = `Connection: close\r\nContent-Length: ${9 << 20}\r\n`;
    const body = 'x'.repeat(9 << 20);
    expect((await sendRaw(proxy.port, head('/apis/a/v1/things', { method: 'POST', more }) + body)).status).toBe(200);
    expect(recorder.seen[1]?.body.length).toBe(9 << 20);
  });

  it('GW-10 does not read an upload that the cluster does not take', async () => {
    recorder.answerWith((request) => void request.pause());
    const more = `Content-Length: ${500 << 20}\r\n`;
    const open = openRaw(proxy.port, head('/apis/a/v1/things', { method: 'POST', more }));
    const chunk = Buffer.alloc(65_536);
    let written = 0;
    const pump = (): void => {
      let more = true;
      while (more && written < 500 << 20) {
        more = open.socket.write(chunk);
        written += chunk.length;
      }
    };
    open.socket.on('drain', pump);
    pump();
    await settled(() => written);
    expect(written).toBeLessThan(32 << 20);
    open.socket.destroy();
  });

  it('GW-10 does not read ahead of a client that stopped reading', async () => {
    let written = 0;
    recorder.answerWith((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const pump = (): void => {
        let more = true;
        while (more && written < 500 << 20) {
          more = response.write(chunk);
          written += chunk.length;
        }
      };
      response.on('drain', pump);
      pump();
    });
    const open = openRaw(proxy.port, head('/api/v1/pods'));
    open.socket.pause();
    await settled(() => written);
    expect(written).toBeLessThan(32 << 20);
    open.socket.destroy();
  });
});

const lost = new Refusal('TUNNEL_ERROR', 'The connection to the agent was lost.');

type Script = (handlers: LaneHandlers, call: LaneCall) => void;

/** A proxy whose agent answers as the script says. */
async function scripted(script: Script, test: (port: number) => Promise<void>): Promise<void> {
  const agents: Pick<Agents, 'open'> = {
    open(call, handlers) {
      setImmediate(() => script(handlers, call));
      return { write: () => true, end() {}, resume() {}, cancel() {} };
    },
  };
  const other = await startProxy(world, agents);
  await test(other.port).finally(() => other.stop());
}

describe('an answer that breaks off', () => {
  const close = { more: 'Connection: close\r\n' };

  it.each<[string, Script]>([
    ['a body that is too short', (to) => (to.head(200, ['Content-Length', '10']), to.end())],
    ['a body that is too long', (to) => (to.head(200, ['Content-Length', '1']), to.data(Buffer.from('ab')))],
    ['two lengths', (to) => to.head(200, ['Content-Length', '1', 'Content-Length', '2'])],
    ['status 99', (to) => to.head(99, [])],
    ['status 1000', (to) => to.head(1000, [])],
    ['an unasked 101', (to) => to.head(101, ['Upgrade', 'x'])],
    ['a line break in a header', (to) => to.head(200, ['X-A', 'a\r\nX-Evil: 1'])],
    ['a 204 with a body', (to) => (to.head(204, []), to.data(Buffer.from('x')), to.end())],
    ['an end without a head', (to) => to.end()],
  ])('PX-20 %s is 502 AGENT_ERROR, with nothing of it', async (_, script) => {
    await scripted(script, async (port) => {
      const answer = await sendRaw(port, head('/api/v1/pods', close));
      expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([502, ['AGENT_ERROR']]);
      expect(answer.headers.has('x-evil')).toBe(false);
    });
  });

  const began = (to: LaneHandlers, headers: readonly string[]): void => {
    to.head(200, headers);
    to.data(Buffer.from('{"items":['));
  };

  it.each<[string, Script]>([
    ['a lost agent', (to) => (began(to, []), setTimeout(() => to.fail(lost), 30))],
    ['an end before its length', (to) => (began(to, ['Content-Length', '100']), setTimeout(() => to.end(), 30))],
    ['a second head', (to) => (began(to, []), setTimeout(() => to.head(200, []), 30))],
  ])('PX-20 after a head, %s cuts the answer so that it never looks whole', async (_, script) => {
    await scripted(script, async (port) => {
      const answer = await sendRaw(port, head('/api/v1/pods', close));
      expect(answer.status).toBe(200);
      expect(answer.text).not.toMatch(/\r\n0\r\n\r\n$/);
      expect(answer.body.length).toBeLessThan(100);
    });
    expect(await outcome()).toMatchObject({ status: 200 });
  });
});

describe('an answer whose agent is lost in the turn in which it began', () => {
  it('PX-20 is cut before anything of it left', async () => {
    const script: Script = (to) => {
      to.head(200, []);
      to.data(Buffer.from('1'));
      to.data(Buffer.from('2'));
      to.fail(lost);
    };
    await scripted(script, async (port) => {
      const answer = await sendRaw(port, head('/api/v1/pods', { more: 'Connection: close\r\n' }));
      expect(answer.text).toBe('');
    });
  });
});

describe('a stream whose permission ends', () => {
  const revoke = async (): Promise<void> => {
    const { credentialId, userId } = alice;
    const data = { credentialId, userId, clusterId: cluster, reason: 'test' };
    await world.append(credentialStream(credentialId), { type: 'credential.revoked', data });
  };
  const assign = (roleId: RoleId): Promise<void> => {
    const data = { userId: alice.userId, clusterId: cluster, assignmentId: randomUUID(), roleId };
    return world.append(accessStream(alice.userId, cluster), { type: 'user.role_assigned', data });
  };
  const unassign = async (): Promise<void> => {
    const { facts } = await world.store.load(accessStream(alice.userId, cluster));
    const { assignmentId } = (facts.at(-1)?.data ?? {}) as { assignmentId?: string };
    const data = { userId: alice.userId, clusterId: cluster, assignmentId, roleId: role };
    await world.append(accessStream(alice.userId, cluster), { type: 'user.role_unassigned', data });
  };
  const otherRole = async (): Promise<void> => assign(await world.role(`o-${randomUUID()}`, ['viewers']));
  const roleFact = (type: string, k8sGroups: readonly string[]): Promise<void> =>
    world.append(roleStream(role), { type, data: { roleId: role, name: 'r', description: '', k8sGroups } });
  const disable = (): Promise<void> =>
    world.append(userStream(alice.userId), { type: 'user.disabled', data: { userId: alice.userId } });
  const clusterFact = (type: string): Promise<void> =>
    world.append(clusterStream(cluster), { type, data: { clusterId: cluster, name: 'c', tokenVersion: 2 } });

  it.each<[string, () => Promise<void>, Partial<ProxyOutcome>]>([
    ['its credential is revoked', revoke, { end: 'revoked', errorCode: 'CREDENTIAL_REVOKED' }],
    ['its role is taken away', unassign, { end: 'revoked', errorCode: 'NO_ROLE_ASSIGNMENT' }],
    ['another role replaces it', otherRole, { end: 'revoked', errorCode: 'NO_ROLE_ASSIGNMENT' }],
    ['its role gets other groups', () => roleFact('role.updated', ['x']), { end: 'revoked' }],
    ['its role is deleted', () => roleFact('role.deleted', []), { end: 'revoked', errorCode: 'NO_ROLE_ASSIGNMENT' }],
    ['the person is disabled', disable, { end: 'revoked', errorCode: 'FORBIDDEN' }],
    ['the cluster is deleted', () => clusterFact('cluster.deleted'), { end: 'revoked' }],
    ['the agent is revoked', () => clusterFact('cluster.agent_revoked'), { end: 'agent_lost' }],
  ])('D15 is closed within a second when %s', async (_, change, ended) => {
    const open = await openWatch();
    await change();
    await until('the stream is closed', () => open.closed, 1_000);
    expect(open.received).not.toMatch(/\r\n0\r\n\r\n$/);
    await until('the API server sees it', () => recorder.seen[0]?.closed === true, 1_000);
    expect(await outcome()).toMatchObject({ status: 200, ...ended });
  });

  it('D15 goes on when what changed does not touch it', async () => {
    const open = await openWatch();
    await roleFact('role.updated', ['viewers']);
    await assign(role);
    const other = await world.person({ name: `bob-${randomUUID()}@corp.test`, clusterId: cluster, roleId: role });
    const data = { credentialId: other.credentialId, userId: other.userId, clusterId: cluster, reason: 'test' };
    await world.append(credentialStream(other.credentialId), { type: 'credential.revoked', data });
    expect(open.closed).toBe(false);
    open.socket.destroy();
  });

  it('D15 is closed within a second of an expiry known in advance', async () => {
    const brief = await world.person({
      name: `b-${randomUUID()}@corp.test`,
      clusterId: cluster,
      roleId: role,
      lifeSeconds: 2,
    });
    const open = await openWatch(brief.token);
    const expiresAt = (Math.floor(Date.now() / 1000) + 2) * 1000;
    await until('the stream is closed', () => open.closed);
    expect(Date.now()).toBeLessThan(expiresAt + 1_000);
    expect(await outcome()).toMatchObject({ end: 'expired', errorCode: 'CREDENTIAL_EXPIRED' });
  });

  it('D14 is closed when a verified owner takes its name', async () => {
    const name = `carol-${randomUUID()}`;
    const carol = await world.person({ name, clusterId: cluster, roleId: role });
    const claims = {
      issuer: 'https://idp.test',
      subject: carol.userId,
      email: null,
      emailVerified: false,
      preferredUsername: name,
      name: null,
      roles: [],
      groups: [],
    };
    const synced = (userId: string, nameClass: string): Promise<void> =>
      world.append(`user-${userId}`, {
        type: 'user.synced',
        data: { userId, claims, kubernetesName: name, nameClass, signedInAt: null },
      });
    await synced(carol.userId, 'claimed');
    const open = await openWatch(carol.token);
    await synced(randomUUID(), 'verified');
    await until('the stream is closed', () => open.closed, 1_000);
    expect(await outcome()).toMatchObject({ end: 'revoked', errorCode: 'USER_NAME_TAKEN' });
  });
});

describe('limits on what is open', () => {
  it('D41 refuses the 201st request of a credential, and takes one again when one is done', async () => {
    recorder.answerWith((_request, response) => response.writeHead(200).flushHeaders());
    const open = Array.from({ length: 200 }, () => openRaw(proxy.port, head(watch)));
    await until('200 are open', () => recorder.seen.length === 200);
    const close = { more: 'Connection: close\r\n' };
    const answer = await sendRaw(proxy.port, head('/api/v1/pods', close));
    expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([429, ['RATE_LIMITED']]);
    expect(answer.headers.get('retry-after')).toEqual(['1']);
    open[0]?.socket.destroy();
    await until('one is gone', () => recorder.seen.some(({ closed }) => closed));
    recorder.answerWith((_request, response) => response.end('{}'));
    expect((await sendRaw(proxy.port, head('/api/v1/pods', close))).status).toBe(200);
    for (const { socket } of open) socket.destroy();
  });
});

describe('stopping', () => {
  it('F-29 refuses what is new, ends what is open, and puts it on record', async () => {
    const open = await openWatch();
    const stopped = proxy.stop();
    const close = { more: 'Connection: close\r\n' };
    const answer = await sendRaw(proxy.port, head('/api/v1/pods', close));
    expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([503, ['UPSTREAM_UNAVAILABLE']]);
    await stopped;
    expect(open.closed).toBe(true);
    expect(await outcome()).toMatchObject({ end: 'failed', errorCode: 'TUNNEL_ERROR' });
  });
});
