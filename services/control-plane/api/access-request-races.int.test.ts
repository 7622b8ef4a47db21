import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { Answer, Person } from '../testing/installation.ts';
import { startInstallation, type RunningInstallation } from '../testing/running.ts';

type Known = Person & { readonly id: string };

/** Races are run this often: as often as JT-03 and JT-07 ask for with `LONG=1`, a few times without. */
const isLong = process.env['LONG'] === '1';
const rounds = isLong ? { decisions: 200, grants: 1_000 } : { decisions: 6, grants: 30 };
const longTestMs = isLong ? 600_000 : 30_000;
let installation: RunningInstallation;
let ada: Known;
let ben: Known;
let alice: Known;
let roleId: string;

beforeAll(async () => {
  installation = await startInstallation({ ACCESS_REQUEST_TTL: '4s' });
  ada = await installation.newPerson('ada', ['clustral-admin']);
  ben = await installation.newPerson('ben', ['clustral-admin']);
  alice = await installation.newPerson('alice');
  roleId = await installation.newRole();
});
afterAll(() => installation.stop());

const path = '/api/v1/access-requests';
const call = (as: Person, line: string, options = {}) => installation.client.call(as, line, options);
const ask = (as: Person, clusterId: string) => call(as, `POST ${path}`, { body: { clusterId, roleId } });
/** `what` is an id and a verb, as in `1234/approve`. */
const to = (as: Person, what: string, body: object = {}) => call(as, `POST ${path}/${what}`, { body });
const kubectl = (clusterId: string, credentialId: string) =>
  call(
    { sub: alice.id, cluster_id: clusterId, credential_id: credentialId },
    `GET /api/proxy/${clusterId}/api/v1/pods`,
  );
const credentialFor = async (as: Person, clusterId: string, ttl = '8h'): Promise<Answer> =>
  call(as, 'POST /api/v1/auth/kubeconfig-credential', { body: { clusterId, ttl } });

type Asked = { readonly id: string; readonly clusterId: string; readonly stream: string };
async function asked(): Promise<Asked> {
  const clusterId = await installation.newCluster();
  const { status, json } = await ask(alice, clusterId);
  expect(status).toBe(201);
  return { id: json['id'] ?? '', clusterId, stream: `access-${alice.id}.${clusterId}` };
}
async function granted(duration = '1h'): Promise<Asked> {
  const request = await asked();
  expect((await to(ada, `${request.id}/approve`, { duration })).status).toBe(200);
  return request;
}
const typesOf = async (stream: string) => (await installation.facts(stream)).map(({ type }) => type.split('.')[1]);

async function untilSaid(stream: string, count: number, limitMs = 8_000): Promise<readonly Recorded[]> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const facts = await installation.facts(stream);
    if (facts.length >= count) return facts;
    if (performance.now() > deadline) throw new Error(`${stream} has ${facts.length} facts, not ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('JT-02 fifty approvals at once', () => {
  it('are one approval, one record, one grant', async () => {
    const { id, stream } = await asked();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => to(n % 2 ? ada : ben, `${id}/approve`)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 200).map(({ status, json }) => [status, json['code']]);
    expect(others).toEqual(Array(49).fill([409, 'REQUEST_NOT_PENDING']));
    expect(await typesOf(stream)).toEqual(['created', 'approved']);
    expect(await installation.audit({ accessRequestId: id, code: 'CAR002I' })).toHaveLength(1);
  });
});

describe('JT-03 two who end the same request at once', () => {
  const pairs: readonly (readonly [string, string])[] = [
    ['approve', 'deny'],
    ['approve', 'withdraw'],
    ['deny', 'withdraw'],
    ['approve', 'approve'],
    ['deny', 'deny'],
  ];
  const does = (verb: string, id: string) => to(verb === 'withdraw' ? alice : ada, `${id}/${verb}`);
  const both = (round: number, [one, other]: readonly [string, string], id: string) =>
    Promise.all(round % 2 ? [does(one, id), does(other, id)] : [does(other, id), does(one, id)]);

  /** What the one said who won is what everybody sees, and what was written once. */
  async function expectOneOutcome({ id, stream }: Asked, answers: readonly Answer[], records: number): Promise<void> {
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    const winner = answers.find(({ status }) => status === 200);
    const headers = { 'x-clustral-position': winner?.position ?? '' };
    expect((await call(alice, `GET ${path}/${id}`, { headers })).json).toEqual(winner?.json);
    expect(await typesOf(stream)).toHaveLength(records);
    expect(await installation.audit({ accessRequestId: id })).toHaveLength(records);
  }

  it.each(pairs)(
    'have one outcome, which is what everybody sees from then on: %s and %s',
    async (one, other) => {
      for (let round = 0; round < rounds.decisions; round += 1) {
        const request = await asked();
        await expectOneOutcome(request, await both(round, [one, other], request.id), 2);
      }
    },
    longTestMs,
  );

  it(
    'have one outcome when both take a grant away',
    async () => {
      for (let round = 0; round < rounds.decisions; round += 1) {
        const grant = await granted();
        const answers = await Promise.all([to(ada, `${grant.id}/revoke`), to(alice, `${grant.id}/revoke`)]);
        await expectOneOutcome(grant, answers, 3);
      }
    },
    longTestMs,
  );

  it('have one outcome when a request is decided in the instant in which it runs out', async () => {
    const requests = await Promise.all(Array.from({ length: 12 }, () => asked()));
    const outcomes = await Promise.all(
      requests.map(async ({ id, stream }, n) => {
        const verb = ['approve', 'deny', 'withdraw'][n % 3] ?? '';
        const { json } = await call(alice, `GET ${path}/${id}`, {});
        // A spread around the end, so that some come before it and some after.
        await new Promise((resolve) =>
          setTimeout(resolve, Date.parse(json['expiresAt'] ?? '') - Date.now() - 150 + n * 25),
        );
        const { status, json: said } = await does(verb, id);
        expect([200, 409]).toContain(status);
        if (status === 409) expect(said['code']).toBe('REQUEST_EXPIRED');
        const words: Readonly<Record<string, string>> = { approve: 'approved', deny: 'denied', withdraw: 'withdrawn' };
        return { stream, how: status === 200 ? words[verb] : 'expired' };
      }),
    );
    for (const { stream, how } of outcomes) {
      await untilSaid(stream, 2);
      expect(await typesOf(stream)).toEqual(['created', how]);
    }
  });

  it('have one outcome when a grant is revoked in the instant in which it runs out', async () => {
    const grants = await Promise.all(Array.from({ length: 10 }, () => granted('1s')));
    const startedAt = performance.now();
    const outcomes = await Promise.all(
      grants.map(async ({ id, stream }, n) => {
        // A spread around the end of the second, so that some come before it and some after.
        await new Promise((resolve) => setTimeout(resolve, 850 + n * 30 - (performance.now() - startedAt)));
        const { status, json } = await to(n % 2 ? ada : alice, `${id}/revoke`);
        expect([200, 409]).toContain(status);
        if (status === 409) expect(json['code']).toBe('GRANT_NOT_ACTIVE');
        return { stream, how: status === 200 ? 'revoked' : 'expired' };
      }),
    );
    for (const { stream, how } of outcomes) {
      const facts = await untilSaid(stream, 3);
      expect(facts.map(({ type }) => type.split('.')[1])).toEqual(['created', 'approved', how]);
    }
  });
});

describe('a credential under a grant', () => {
  it('JT-06 never outlives it, and takes no bad form of a life', async () => {
    const { id, clusterId } = await granted('1m');
    const issued = await credentialFor(alice, clusterId);
    const grantExpiresAt = (await call(alice, `GET ${path}/${id}`)).json['grantExpiresAt'] ?? '';
    expect(issued).toMatchObject({ status: 201, json: { hasRole: true } });
    expect(Date.parse(issued.json['expiresAt'] ?? '')).toBeLessThanOrEqual(Date.parse(grantExpiresAt));
    const [, payload = ''] = (issued.json['token'] ?? '').split('.');
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number };
    expect(exp * 1000).toBeLessThanOrEqual(Date.parse(grantExpiresAt));
    for (const ttl of ['-PT1H', '08:00:00', '8', '25h', 'PT0S'])
      expect(await credentialFor(alice, clusterId, ttl)).toMatchObject({
        status: 422,
        json: { code: 'INVALID_DURATION', field: 'ttl' },
      });
  });

  it('opens the cluster at the next call after the approval, though it was issued before', async () => {
    const { id, clusterId } = await asked();
    const { json } = await credentialFor(alice, clusterId);
    expect((await kubectl(clusterId, json['credentialId'] ?? '')).status).toBe(403);
    await to(ada, `${id}/approve`);
    // Allowed, and then there is no agent.
    expect((await kubectl(clusterId, json['credentialId'] ?? '')).status).toBe(502);
  });

  it(
    'JT-07 opens nothing at the first call after a revoke was acknowledged, time and again',
    async () => {
      const clusterId = await installation.newCluster();
      const credentialId = (await credentialFor(alice, clusterId, '5m')).json['credentialId'] ?? '';
      for (let round = 0; round < rounds.grants; round += 1) {
        const id = (await ask(alice, clusterId)).json['id'] ?? '';
        if (round % 3 === 0) {
          await to(ada, `${id}/deny`);
        } else {
          await to(ada, `${id}/approve`);
          expect((await kubectl(clusterId, credentialId)).status).toBe(502);
          await to(round % 3 === 1 ? ada : alice, `${id}/revoke`);
        }
        expect(await kubectl(clusterId, credentialId)).toMatchObject({
          status: 403,
          json: { text: expect.stringContaining('no active role') },
        });
      }
    },
    longTestMs,
  );

  it('JT-07 opens nothing from the instant on in which the grant ends', async () => {
    const { id, clusterId } = await asked();
    const credentialId = (await credentialFor(alice, clusterId, '5m')).json['credentialId'] ?? '';
    const approved = await to(ada, `${id}/approve`, { duration: '1s' });
    const endsAt = Date.parse(approved.json['grantExpiresAt'] ?? '');
    const answers: { readonly before: boolean; readonly after: boolean; readonly status: number }[] = [];
    while (Date.now() < endsAt + 200) {
      const begun = Date.now();
      const { status } = await kubectl(clusterId, credentialId);
      answers.push({ before: Date.now() < endsAt, after: begun >= endsAt, status });
    }
    expect(new Set(answers.filter(({ before }) => before).map(({ status }) => status))).toEqual(new Set([502]));
    expect(new Set(answers.filter(({ after }) => after).map(({ status }) => status))).toEqual(new Set([403]));
  });
});

describe('JT-11 what runs out', () => {
  it('is said to have expired once, with its own instant and cause: a request and a grant', async () => {
    const [pending, grant] = [await asked(), await granted('1s')];
    for (const { id, stream, count, until } of [
      { ...grant, count: 3, until: 'grantExpiresAt' },
      { ...pending, count: 2, until: 'expiresAt' },
    ]) {
      const facts = await untilSaid(stream, count);
      const last = facts.at(-1);
      const { json } = await call(alice, `GET ${path}/${id}`);
      expect(last).toMatchObject({
        type: 'access_request.expired',
        data: { accessRequestId: id, expiredAt: new Date(json[until] ?? '').toISOString() },
        metadata: { actor: { kind: 'service', id: 'control-plane' }, $causationId: facts.at(-2)?.id },
      });
      const rows = await installation.audit({ accessRequestId: id, code: 'CAR005I' });
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({ user: 'control-plane' });
      expect((await call(alice, `GET ${path}/${id}`)).json).toMatchObject({ status: 'Expired' });
    }
    expect(await to(ada, `${pending.id}/approve`)).toMatchObject({ status: 409, json: { code: 'REQUEST_EXPIRED' } });
  });

  it('while the control plane is away is said once when it is back', async () => {
    const requests = [await asked(), await granted('1s'), await granted('2s')];
    await installation.restart(() => new Promise((resolve) => setTimeout(resolve, 4_100)));
    for (const { id, stream } of requests) {
      const before = (await installation.facts(stream)).filter(({ type }) => type.endsWith('approved')).length;
      await untilSaid(stream, 2 + before);
      expect(await installation.audit({ accessRequestId: id, code: 'CAR005I' })).toHaveLength(1);
    }
    await installation.restart();
    for (const { stream } of requests) {
      const types = await typesOf(stream);
      expect(types.filter((type) => type === 'expired')).toHaveLength(1);
    }
  });
});
