import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accessStream } from '@clustral/schemas/events/access.ts';
import { roleStream } from '@clustral/schemas/events/role.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import type { ClusterId, RoleId } from '@clustral/schemas/ids.ts';
import { directAgents, startRecorder, type Recorder } from './testing/recorder.ts';
import { sendRaw } from './testing/raw-client.ts';
import { startProxy, startWorld, until, type Listening, type Person, type World } from './testing/world.ts';

let world: World;
let recorder: Recorder;
let proxy: Listening;
let cluster: ClusterId;
let role: RoleId;

beforeAll(async () => {
  world = await startWorld();
  recorder = await startRecorder();
  cluster = await world.cluster('c1');
  role = await world.role('viewer', ['viewers']);
  proxy = await startProxy(world, directAgents(new Map([[cluster, recorder.port]])));
});
afterAll(async () => {
  await proxy.stop();
  await recorder.stop();
  await world.stop();
});
beforeEach(() => {
  recorder.seen.length = 0;
});

const somebody = (said: { roleId?: RoleId; lifeSeconds?: number } = {}): Promise<Person> =>
  world.person({ name: `p-${randomUUID()}@corp.test`, clusterId: cluster, ...said });

/** Status and code of one request; a 200 has no code. */
async function ask({ token }: Pick<Person, 'token'>, headers = ''): Promise<string> {
  const answer = await sendRaw(
    proxy.port,
    `GET /api/proxy/${cluster}/api/v1/pods HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${token}\r\nConnection: close\r\n${headers}\r\n`,
  );
  const [code] = answer.headers.get('x-clustral-error-code') ?? [];
  return [answer.status, code].filter((part) => part !== undefined).join(' ');
}

describe('PX-13 a role that is not there', () => {
  it('because it was deleted after it was assigned', async () => {
    const gone = await world.role('gone', ['admins']);
    const alice = await somebody({ roleId: gone });
    expect(await ask(alice)).toBe('200');
    const data = { roleId: gone, name: 'gone' };
    await world.append(roleStream(gone), { type: 'role.deleted', data });
    expect(await ask(alice)).toBe('403 NO_ROLE_ASSIGNMENT');
    expect(recorder.seen).toHaveLength(1);
  });

  it('because the grant ended a second ago', async () => {
    const bob = await somebody();
    const accessRequestId = randomUUID();
    const of = { userId: bob.userId, clusterId: cluster, accessRequestId, roleId: role, roleRevision: 0 };
    const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
    const created = { ...of, reason: 'r', durationSeconds: 60, startsAt: null, extends: null };
    const stream = accessStream(bob.userId, cluster);
    await world.append(stream, {
      type: 'access_request.created',
      data: { ...created, suggestedReviewerEmails: [], expiresAt: at(60_000) },
    });
    const approve = (grantExpiresAt: string): Promise<void> =>
      world.append(stream, {
        type: 'access_request.approved',
        data: { ...of, reviewerId: randomUUID(), durationSeconds: 60, grantStartsAt: at(-60_000), grantExpiresAt },
      });
    await approve(at(1_500));
    expect(await ask(bob)).toBe('200');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await ask(bob)).toBe('403 NO_ROLE_ASSIGNMENT');
    expect(recorder.seen).toHaveLength(1);
  });

  it('because nobody ever gave one', async () => {
    expect(await ask(await somebody())).toBe('403 NO_ROLE_ASSIGNMENT');
    expect(recorder.seen).toEqual([]);
  });
});

describe('ID-02 a credential whose record says that it has ended', () => {
  it('is refused although its token came through the gateway in time', async () => {
    const late = await somebody({ roleId: role, lifeSeconds: -29 });
    expect(await ask(late)).toBe('401 CREDENTIAL_EXPIRED');
    expect(recorder.seen).toEqual([]);
  });
});

describe('PX-15 a person whom Kubernetes would take for one of its own', () => {
  it('is refused on the proxy too', async () => {
    const { userId, token } = await somebody({ roleId: role });
    const claims = { issuer: 'https://idp.test', subject: userId, email: 'system:admin', emailVerified: true };
    const rest = { preferredUsername: null, name: null, roles: [], groups: [] };
    await world.append(userStream(userId), {
      type: 'user.synced',
      data: { userId, claims: { ...claims, ...rest }, kubernetesName: null, nameClass: 'verified', signedInAt: null },
    });
    expect(await ask({ token })).toBe('403 RESERVED_USER_NAME');
    expect(recorder.seen).toEqual([]);
  });
});

describe('PX-26 requests that share one correlation id', () => {
  const recordsOf = async (correlationId: string) =>
    (await world.records(cluster)).filter(({ metadata }) => metadata.$correlationId === correlationId);

  it('of two people are two records, each of its own person', async () => {
    const people = [await somebody({ roleId: role }), await somebody({ roleId: role })];
    await Promise.all(people.map((person) => ask(person, 'X-Correlation-Id: between-two\r\n')));
    await until('both are on record', async () => (await recordsOf('between-two')).length === 2);
    const told = (await recordsOf('between-two')).map(({ data }) => ('phase' in data ? data : undefined));
    expect(new Set(told.map((data) => data?.userId))).toEqual(new Set(people.map(({ userId }) => userId)));
    expect(new Set(told.map((data) => data?.requestId)).size).toBe(2);
  });

  it('are a thousand records for a thousand requests', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, () => somebody({ roleId: role })));
    const headers = { 'x-correlation-id': 'one-for-all' };
    // Fifty at a time, so that the limit of open requests is not what is tested.
    for (let round = 0; round < 20; round += 1) {
      const statuses = await Promise.all(
        Array.from({ length: 50 }, async (_, at) => {
          const token = people[at % people.length]?.token ?? '';
          const url = `http://127.0.0.1:${proxy.port}/api/proxy/${cluster}/api/v1/nodes`;
          const answer = await fetch(url, { headers: { ...headers, 'x-internal-token': token } });
          await answer.arrayBuffer();
          return answer.status;
        }),
      );
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
    await until('all are on record', async () => (await recordsOf('one-for-all')).length >= 1_000);
    const records = await recordsOf('one-for-all');
    expect(records).toHaveLength(1_000);
    expect(new Set(records.map(({ id }) => id)).size).toBe(1_000);
    expect(new Set(records.map(({ data }) => ('phase' in data ? data.requestId : ''))).size).toBe(1_000);
  });
});
