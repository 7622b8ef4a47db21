import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessCalls, refusal, type KnownPerson } from '../testing/access-calls.ts';

let access: AccessCalls;
let ada: KnownPerson;
let ben: KnownPerson;
let alice: KnownPerson;
let bob: KnownPerson;

beforeAll(async () => {
  access = await AccessCalls.start({ ACCESS_DEFAULT_DURATION: '45m', ACCESS_MAX_DURATION: '24h' });
  ({ ada, ben, alice, bob } = access.people);
});
afterAll(() => access.installation.stop());

describe('from a request to access and back', () => {
  it('a request is granted, seen by its owner, and given back', async () => {
    const own = await access.installation.newCluster();
    const asked = await access.ask(alice, {
      clusterId: own,
      duration: '2h',
      suggestedReviewerEmails: ['ada@corp.com'],
    });
    expect(asked).toMatchObject({
      status: 201,
      json: {
        status: 'Pending',
        requesterId: alice.id,
        requesterName: 'alice@corp.com',
        clusterId: own,
        roleId: access.roleId,
        roleRevision: '0',
        currentRoleRevision: '0',
        roleK8sGroups: ['clustral:viewers'],
        reason: 'an incident',
        duration: '2h',
        reviewerId: '',
        suggestedReviewerEmails: ['ada@corp.com'],
      },
    });
    const id = asked.json['id'] ?? '';
    expect(await access.get(alice, id, asked)).toMatchObject({ status: 200, json: asked.json });
    const approved = await access.to(ada, `${id}/approve`);
    expect(approved).toMatchObject({ status: 200, json: { status: 'Approved', reviewerName: 'ada@corp.com' } });
    const { grantStartsAt, grantExpiresAt } = approved.json;
    expect(Date.parse(grantExpiresAt ?? '') - Date.parse(grantStartsAt ?? '')).toBe(7_200_000);
    expect((await access.get(alice, id, approved)).json).toEqual(approved.json);
    const me = await access.call(alice, 'GET /api/v1/users/me');
    expect(me.json['access']).toContainEqual(
      expect.objectContaining({ clusterId: own, roleId: access.roleId, source: 'Grant', until: grantExpiresAt }),
    );
    const returned = await access.to(alice, `${id}/revoke`);
    expect(returned).toMatchObject({ status: 200, json: { status: 'Revoked', endReason: 'given back' } });
    expect((await access.get(alice, id, returned)).json).toEqual(returned.json);
    expect((await access.call(alice, 'GET /api/v1/users/me')).json['access']).toEqual([]);
  });

  it.each([
    {
      verb: 'deny',
      who: () => ada,
      reason: 'use the runbook',
      shown: { status: 'Denied', reviewerName: 'ada@corp.com' },
    },
    { verb: 'withdraw', who: () => bob, reason: '', shown: { status: 'Withdrawn', reviewerName: '' } },
  ])('a request ends when somebody does $verb, and another can follow', async ({ verb, who, reason, shown }) => {
    const own = await access.installation.newCluster();
    const { json } = await access.ask(bob, { clusterId: own });
    const ended = await access.to(who(), `${json['id'] ?? ''}/${verb}`, { reason });
    expect(ended).toMatchObject({ status: 200, json: { ...shown, endReason: reason } });
    expect((await access.get(bob, json['id'] ?? '', ended)).json).toEqual(ended.json);
    expect((await access.ask(bob, { clusterId: own })).status).toBe(201);
  });

  it('lists hold what was asked for: of a status, a cluster, a person, newest first', async () => {
    const own = await access.installation.newCluster();
    const [one, two] = [await access.ask(alice, { clusterId: own }), await access.ask(bob, { clusterId: own })];
    const denied = await access.to(ada, `${one.json['id'] ?? ''}/deny`);
    const ids = async (query: string) =>
      (await access.list(ada, `?clusterId=${own}${query}`, denied)).map(({ id }) => id);
    expect(await ids('')).toEqual([two.json['id'], one.json['id']]);
    expect(await ids('&status=Pending')).toEqual([two.json['id']]);
    expect(await ids(`&requesterId=${alice.id}`)).toEqual([one.json['id']]);
    expect(await ids('&pageSize=1')).toEqual([two.json['id']]);
    expect(await access.call(ada, 'GET /api/v1/access-requests?status=Granted')).toMatchObject(
      refusal(422, 'VALIDATION_ERROR', 'status'),
    );
  });

  it('what nobody says is filled in: the usual duration, and the words of an end', async () => {
    const id = await access.granted(alice);
    expect(await access.to(ben, `${id}/revoke`)).toMatchObject({ json: { duration: '45m', endReason: 'revoked' } });
  });
});

describe('what is asked for', () => {
  it('AZ-01 is a request and no more, whatever else the body says', async () => {
    const forged = {
      status: 'Approved',
      requesterId: bob.id,
      grantExpiresAt: '2099-01-01T00:00:00Z',
      id: randomUUID(),
    };
    const asked = await access.ask(alice, {
      clusterId: await access.installation.newCluster(),
      ...forged,
      reviewerId: ada.id,
    });
    expect(asked).toMatchObject({ status: 201, json: { status: 'Pending', requesterId: alice.id, reviewerId: '' } });
    expect(asked.json['grantExpiresAt']).toBeUndefined();
    expect(asked.json['id']).not.toBe(forged.id);
    const other = await access.pending(bob);
    const decided = await access.to(ada, `${other}/deny`, { id: asked.json['id'], status: 'Approved' });
    expect(decided).toMatchObject({ status: 200, json: { id: other, status: 'Denied' } });
  });

  it.each([
    ['AZ-02 a role in place of a cluster', 404, 'CLUSTER_NOT_FOUND', () => ({ clusterId: access.roleId })],
    ['AZ-02 a cluster in place of a role', 404, 'ROLE_NOT_FOUND', () => ({ roleId: access.clusterId })],
    ['no cluster', 400, 'INVALID_CLUSTER_ID', () => ({ clusterId: '' })],
    ['no role', 422, 'VALIDATION_ERROR', () => ({ roleId: '' })],
    ['a reason of a novel', 422, 'VALIDATION_ERROR', () => ({ reason: 'x'.repeat(1_001) })],
    ['a reason that paints', 422, 'VALIDATION_ERROR', () => ({ reason: 'x\u001b[2J' })],
    ['21 reviewers', 422, 'VALIDATION_ERROR', () => ({ suggestedReviewerEmails: Array(21).fill('a@b') })],
    ['a reviewer who is none', 422, 'VALIDATION_ERROR', () => ({ suggestedReviewerEmails: ['boss'] })],
  ] as const)('%s is refused with %i %s', async (...[, status, code, body]) => {
    expect(await access.ask(alice, body())).toMatchObject(refusal(status, code));
  });

  it('is not possible with a standing role, and possible again without', async () => {
    const own = await access.installation.newCluster();
    const line = `/api/v1/users/${bob.id}/assignments`;
    const assigned = await access.call(ada, `POST ${line}`, { body: { roleId: access.roleId, clusterId: own } });
    expect(await access.ask(bob, { clusterId: own })).toMatchObject(refusal(409, 'STATIC_ASSIGNMENT_EXISTS'));
    await access.call(ada, `DELETE ${line}/${assigned.json['id']}`);
    expect((await access.ask(bob, { clusterId: own })).status).toBe(201);
  });

  it('is one thing at a time: a pending request, then a grant, are in the way', async () => {
    const own = await access.installation.newCluster();
    const { json } = await access.ask(bob, { clusterId: own });
    expect(await access.ask(bob, { clusterId: own })).toMatchObject(refusal(409, 'PENDING_REQUEST_EXISTS'));
    await access.to(ada, `${json['id'] ?? ''}/approve`);
    expect(await access.ask(bob, { clusterId: own })).toMatchObject(refusal(409, 'GRANT_ALREADY_ACTIVE'));
    expect((await access.ask(alice, { clusterId: own })).status).toBe(201);
  });

  it('JT-04 by 20 at once is one request', async () => {
    const own = await access.installation.newCluster();
    const answers = await Promise.all(Array.from({ length: 20 }, () => access.ask(alice, { clusterId: own })));
    const codes = answers.filter(({ status }) => status !== 201).map(({ status, json }) => [status, json['code']]);
    expect(codes).toEqual(Array(19).fill([409, 'PENDING_REQUEST_EXISTS']));
    expect(await access.installation.facts(`access-${alice.id}.${own}`)).toHaveLength(1);
  });

  it.each(['-PT1H', 'PT0S', 'P100Y', 'P1M', 'PT1e9H', 'PT99999999999S', 'P', '24h1s', '1w', '01:00:00', '1.5h', ' 1h'])(
    'JT-05 is never for %j, nor granted for that',
    async (duration) => {
      expect(await access.ask(alice, { duration })).toMatchObject(refusal(422, 'INVALID_DURATION', 'duration'));
      const id = await access.pending(alice);
      expect(await access.to(ada, `${id}/approve`, { duration })).toMatchObject(
        refusal(422, 'INVALID_DURATION', 'duration'),
      );
      expect((await access.to(ada, `${id}/approve`, { duration: '24h' })).status).toBe(200);
    },
  );

  it('JT-10 is answered alike whether a suggested reviewer is known or not', async () => {
    const shape = async (email: string) => {
      const { status, json } = await access.ask(alice, {
        clusterId: await access.installation.newCluster(),
        suggestedReviewerEmails: [email],
      });
      return [status, Object.keys(json).toSorted(), json['suggestedReviewerEmails']];
    };
    const [known, unknown] = [await shape('ada@corp.com'), await shape('nobody@corp.com')];
    expect(known.slice(0, 2)).toEqual(unknown.slice(0, 2));
    expect([known[2], unknown[2]]).toEqual([['ada@corp.com'], ['nobody@corp.com']]);
  });

  it('JT-10 takes as long whether a suggested reviewer is known or not', async () => {
    const times = { known: [] as number[], unknown: [] as number[] };
    for (let round = 0; round < 20; round += 1) {
      for (const [who, email] of [
        ['known', 'ada@corp.com'],
        ['unknown', 'nobody@corp.com'],
      ] as const) {
        const clusterId = await access.installation.newCluster();
        const begun = performance.now();
        await access.ask(alice, { clusterId, suggestedReviewerEmails: Array(20).fill(email) });
        times[who].push(performance.now() - begun);
      }
    }
    const [known = 0, unknown = 0] = [times.known, times.unknown].map(
      (all) => all.toSorted((one, other) => one - other)[10],
    );
    // Nobody is looked up, so there is nothing to tell; a look-up of twenty would be seen.
    expect(Math.abs(known - unknown)).toBeLessThan(Math.max(5, Math.min(known, unknown)));
  });
});

describe('JT-09 an Idempotency-Key', () => {
  it('makes one request of five, with one answer', async () => {
    const [own, key] = [await access.installation.newCluster(), randomUUID()];
    const answers = await Promise.all(Array.from({ length: 5 }, () => access.ask(alice, { clusterId: own }, key)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    for (const { json } of answers) expect(json).toEqual(answers[0]?.json);
    expect(await access.installation.facts(`access-${alice.id}.${own}`)).toHaveLength(1);
  });

  it('is refused with another body, and with another cluster too', async () => {
    const [own, key] = [await access.installation.newCluster(), randomUUID()];
    await access.ask(alice, { clusterId: own }, key);
    const mismatch = refusal(422, 'IDEMPOTENCY_MISMATCH');
    expect(await access.ask(alice, { clusterId: own, reason: 'another' }, key)).toMatchObject(mismatch);
    expect(await access.ask(alice, { clusterId: await access.installation.newCluster() }, key)).toMatchObject(mismatch);
    const both = [await access.installation.newCluster(), await access.installation.newCluster()];
    const raced = await Promise.all(both.map((other) => access.ask(alice, { clusterId: other }, 'raced')));
    expect(new Set(raced.map(({ status }) => status))).toEqual(new Set([201, 422]));
  });

  it('gives the request as it is now, also when another one has followed it', async () => {
    const [own, key] = [await access.installation.newCluster(), randomUUID()];
    const { json } = await access.ask(alice, { clusterId: own }, key);
    const id = json['id'] ?? '';
    await access.to(alice, `${id}/withdraw`);
    expect(await access.ask(alice, { clusterId: own }, key)).toMatchObject({
      status: 201,
      json: { id, status: 'Withdrawn' },
    });
    const next = await access.ask(alice, { clusterId: own });
    await access.to(alice, `${next.json['id'] ?? ''}/withdraw`);
    expect(await access.ask(alice, { clusterId: own }, key)).toMatchObject({
      status: 201,
      json: { id, status: 'Withdrawn' },
    });
  });

  it('approves once, and a repetition is told the same', async () => {
    const id = await access.pending(alice);
    const headers = { 'idempotency-key': randomUUID() };
    const approve = () => access.call(ada, `POST /api/v1/access-requests/${id}/approve`, { body: {}, headers });
    const [first, again] = [await approve(), await approve()];
    expect(again).toEqual(first);
    expect(await access.to(ben, `${id}/approve`)).toMatchObject(refusal(409, 'REQUEST_NOT_PENDING'));
  });
});

describe('JT-08 what changes under a request', () => {
  const update = (id: string, k8sGroups: readonly string[]) =>
    access.call(ada, `PUT /api/v1/roles/${id}`, { body: { name: `r-${id.slice(0, 8)}`, k8sGroups } });

  it('a role that was widened is shown as it is, and decided on only as it was shown', async () => {
    const role = await access.installation.newRole();
    const id = await access.pending(alice, { roleId: role });
    const widened = await update(role, ['clustral:viewers', 'system:masters']);
    for (const verb of ['approve', 'deny'])
      expect(await access.to(ada, `${id}/${verb}`)).toMatchObject(refusal(409, 'ROLE_CHANGED'));
    expect(await access.get(ada, id, widened)).toMatchObject({
      json: { roleRevision: '0', currentRoleRevision: '1', roleK8sGroups: ['clustral:viewers', 'system:masters'] },
    });
    expect(await access.to(ada, `${id}/approve`, { roleRevision: 2 })).toMatchObject(refusal(409, 'ROLE_CHANGED'));
    expect(await access.to(ada, `${id}/approve`, { roleRevision: 1 })).toMatchObject({
      status: 200,
      json: { status: 'Approved', roleRevision: '1' },
    });
  });

  it.each([
    ['role', (role: string, _cluster: string) => `DELETE /api/v1/roles/${role}`],
    ['cluster', (_role: string, cluster: string) => `DELETE /api/v1/clusters/${cluster}`],
  ])('a %s that was deleted ends it: it cannot be approved, and a grant is gone at once', async (what, deletion) => {
    const [role, one, two] = [
      await access.installation.newRole(),
      await access.installation.newCluster(),
      await access.installation.newCluster(),
    ];
    const pending = await access.ask(alice, { roleId: role, clusterId: one });
    const grant = await access.ask(alice, { roleId: role, clusterId: what === 'role' ? two : one });
    const grantId =
      (what === 'role' ? grant : await access.ask(bob, { roleId: role, clusterId: one })).json['id'] ?? '';
    expect((await access.to(ada, `${grantId}/approve`)).status).toBe(200);
    expect((await access.call(ada, deletion(role, one))).status).toBe(204);
    const id = pending.json['id'] ?? '';
    for (const verb of ['approve', 'deny'])
      expect(await access.to(ada, `${id}/${verb}`)).toMatchObject(refusal(409, 'REQUEST_NOT_PENDING'));
    expect(await access.to(ada, `${grantId}/revoke`)).toMatchObject(refusal(409, 'GRANT_NOT_ACTIVE'));
    const code = what === 'role' ? 'ROLE_NOT_FOUND' : 'CLUSTER_NOT_FOUND';
    expect(await access.ask(bob, { roleId: role, clusterId: one })).toMatchObject(refusal(404, code));
    const rows = await untilAudited(id, 'CAR004I');
    expect(rows[0]).toMatchObject({ user: 'control-plane', message: expect.stringContaining(`${what} deleted`) });
    expect(await access.get(alice, id)).toMatchObject({ json: { status: 'Revoked', endReason: `${what} deleted` } });
  });
});

async function untilAudited(accessRequestId: string, code: string) {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const rows = await access.installation.audit({ accessRequestId, code });
    if (rows.length > 0) return rows;
    if (performance.now() > deadline) throw new Error(`no ${code} of ${accessRequestId}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
