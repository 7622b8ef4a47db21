/** The rules by which requests for a role are decided, over the real wire: set on the role, kept with the request, obeyed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessCalls, after, refusal, type KnownPerson } from '../testing/access-calls.ts';

let access: AccessCalls;
let ada: KnownPerson;
let ben: KnownPerson;
let alice: KnownPerson;
let bob: KnownPerson;
let olga: KnownPerson;

beforeAll(async () => {
  access = await AccessCalls.start({ ACCESS_DEFAULT_DURATION: '45m' });
  ({ ada, ben, alice, bob } = access.people);
  olga = await access.installation.newPerson('olga', [], ['oncall', 'staff']);
});
afterAll(() => access.installation.stop());

const put = (id: string, body: object) =>
  access.call(ada, `PUT /api/v1/roles/${id}`, { body: { name: `r-${id.slice(0, 8)}`, k8sGroups: ['g'], ...body } });

/** The id of a request for a role with these rules, on a cluster of its own. */
async function asked(review: object, body: object = {}): Promise<{ readonly id: string; readonly roleId: string }> {
  const roleId = await access.installation.newRole(undefined, review);
  return { id: await access.pending(alice, { roleId, ...body }), roleId };
}

describe('the rules of a role', () => {
  it('are one approval by an administrator when none are given, and stay when a change names none', async () => {
    const strict = {
      approvals: 2,
      reviewerGroups: ['oncall'],
      reviewerIds: [bob.id],
      maxDuration: '4h',
      reasonRequired: true,
      ticketForms: ['OPS-#'],
    };
    const roleId = await access.installation.newRole(undefined, strict);
    const renamed = await put(roleId, { description: 'changed' });
    expect(renamed).toMatchObject({ status: 200, json: { review: strict, revision: '1' } });
    const shown = await access.call(bob, `GET /api/v1/roles?name=${renamed.json['name']}`, after(renamed));
    expect(shown.json['roles']).toMatchObject([{ review: strict }]);
    expect(await put(roleId, { description: 'changed', review: {} })).toMatchObject({
      json: {
        review: { approvals: 1, reviewerGroups: [], reviewerIds: [], maxDuration: '', reasonRequired: false },
        revision: '2',
      },
    });
  });

  it.each([
    ['VALIDATION_ERROR', 'review.approvals', { approvals: 6 }],
    ['VALIDATION_ERROR', 'review.approvals', { approvals: -1 }],
    ['VALIDATION_ERROR', 'review.reviewerGroups', { reviewerGroups: [''] }],
    ['VALIDATION_ERROR', 'review.reviewerGroups', { reviewerGroups: Array.from({ length: 65 }, (_, n) => `g${n}`) }],
    ['INVALID_DURATION', 'review.maxDuration', { maxDuration: '0s' }],
    ['VALIDATION_ERROR', 'review.ticketForms', { ticketForms: ['(a+)+$'] }],
    ['VALIDATION_ERROR', 'review.ticketForms', { ticketForms: ['OPS-##'] }],
  ])('are refused with %s for %s: %j', async (code, field, review) => {
    const body = { name: 'strange', k8sGroups: ['g'], review };
    expect(await access.call(ada, 'POST /api/v1/roles', { body })).toMatchObject(refusal(422, code, field));
  });

  it('bind whoever asks: reason, ticket and the longest time, which is also the usual one when it is shorter', async () => {
    const roleId = await access.installation.newRole(undefined, { maxDuration: '30m', ticketForms: ['OPS-#'] });
    const ask = async (body: object) =>
      access.ask(alice, { roleId, clusterId: await access.installation.newCluster(), ...body });
    expect(await ask({ reason: 'because' })).toMatchObject(refusal(422, 'VALIDATION_ERROR', 'reason'));
    expect(await ask({ reason: 'OPS-1', duration: '31m' })).toMatchObject(refusal(422, 'INVALID_DURATION', 'duration'));
    const made = await ask({ reason: 'OPS-1' });
    expect(made).toMatchObject({ status: 201, json: { duration: '30m' } });
    const longer = await access.to(ada, `${made.json['id'] ?? ''}/approve`, { duration: '31m' });
    expect(longer).toMatchObject(refusal(422, 'INVALID_DURATION', 'duration'));
  });

  it('that were in force when it was asked for decide, whatever the role says later', async () => {
    const { id, roleId } = await asked({ approvals: 2, reviewerGroups: ['oncall'] });
    const changed = await put(roleId, { review: { approvals: 1 } });
    expect(await access.to(olga, `${id}/approve`)).toMatchObject(refusal(409, 'ROLE_CHANGED'));
    const first = await access.to(olga, `${id}/approve`, { roleRevision: 1 });
    expect(first).toMatchObject({ status: 200, json: { status: 'Pending', review: { approvals: 2 } } });
    expect((await access.get(olga, id, changed)).json).toMatchObject({ review: { reviewerGroups: ['oncall'] } });
    expect(await access.to(ada, `${id}/approve`, { roleRevision: 1 })).toMatchObject({ json: { status: 'Approved' } });
  });
});

describe('who may review', () => {
  it('is whoever the rules name, by group or in person: they see it, find it and decide it', async () => {
    for (const [rules, reviewer] of [
      [{ reviewerGroups: ['oncall'] }, olga],
      [{ reviewerIds: [bob.id] }, bob],
    ] as const) {
      const { id } = await asked(rules);
      const shown = await access.get(reviewer, id);
      expect(shown).toMatchObject({ status: 200, json: { id, requesterName: 'alice@corp.com' } });
      const waiting = await access.list(reviewer, '?toDecide=true', await access.ask(ben));
      expect(waiting.map((request) => request['id'])).toContain(id);
      const approved = await access.to(reviewer, `${id}/approve`, { shownAt: shown.json['shownAt'] });
      expect(approved).toMatchObject({ status: 200, json: { status: 'Approved', reviewerId: reviewer.id } });
      expect((await access.list(reviewer, '?toDecide=true', approved)).map((one) => one['id'])).not.toContain(id);
    }
  });

  it('is nobody else, and they learn nothing', async () => {
    const { id } = await asked({ reviewerGroups: ['oncall'], reviewerIds: [alice.id] });
    expect(await access.to(bob, `${id}/approve`)).toMatchObject(refusal(403, 'FORBIDDEN'));
    expect(await access.get(bob, id)).toMatchObject(refusal(404, 'REQUEST_NOT_FOUND'));
    expect(await access.to(alice, `${id}/approve`)).toMatchObject(refusal(403, 'SELF_APPROVAL'));
    expect(await access.to(alice, `${id}/deny`)).toMatchObject(refusal(403, 'SELF_APPROVAL'));
    const audrey = access.people.audrey;
    expect(await access.call(audrey, 'GET /api/v1/access-requests?toDecide=true')).toMatchObject(
      refusal(403, 'FORBIDDEN'),
    );
    const own = await access.list(alice, '?toDecide=true', await access.ask(olga));
    expect(own.map((one) => one['id'])).not.toContain(id);
    const denied = await access.to(olga, `${id}/deny`, { reason: 'no' });
    expect(denied).toMatchObject({ json: { status: 'Denied', reviewerName: 'olga@corp.com' } });
    // Who could decide may know what became of it; who could not is told the same as ever.
    expect(await access.to(olga, `${id}/approve`)).toMatchObject(refusal(409, 'REQUEST_NOT_PENDING'));
    expect(await access.to(bob, `${id}/approve`)).toMatchObject(refusal(403, 'FORBIDDEN'));
  });

  it('is no longer whoever left the group', async () => {
    const { id } = await asked({ reviewerGroups: ['oncall'] });
    const left = { ...olga, groups: ['staff'] };
    expect(await access.to(left, `${id}/approve`)).toMatchObject(refusal(403, 'FORBIDDEN'));
    expect(await access.to(olga, `${id}/approve`)).toMatchObject({ status: 200 });
  });
});

describe('two who must approve', () => {
  it('are two different people, both named for ever with what they saw and when', async () => {
    const { id } = await asked({ approvals: 2, reviewerGroups: ['oncall'] }, { duration: '2h' });
    const shown = await access.get(olga, id);
    const first = await access.to(olga, `${id}/approve`, { duration: '1h', shownAt: shown.json['shownAt'] });
    expect(first).toMatchObject({ json: { status: 'Pending', approvals: [{ reviewerName: 'olga@corp.com' }] } });
    expect(first.json['grantExpiresAt']).toBeUndefined();
    expect(await access.to(olga, `${id}/approve`)).toMatchObject(refusal(409, 'APPROVED_ALREADY'));
    const second = await access.to(ada, `${id}/approve`);
    const approvals = [
      { reviewerId: olga.id, duration: '1h', roleRevision: '0', shownAt: shown.json['shownAt'] },
      { reviewerId: ada.id, duration: '1h', roleRevision: '0' },
    ];
    expect(second).toMatchObject({ json: { status: 'Approved', duration: '1h', reviewerId: ada.id, approvals } });
    expect((await access.get(alice, id, second)).json).toEqual(second.json);
    const rows = await access.installation.audit({ accessRequestId: id });
    expect(rows.map(({ code, user }) => [code, user]).toReversed()).toEqual([
      ['CAR001I', 'alice@corp.com'],
      ['CAR007I', 'olga@corp.com'],
      ['CAR002I', 'ada@corp.com'],
    ]);
    expect(rows[1]).toMatchObject({ metadata: { roleRevision: 0, shownAt: expect.any(String) } });
    expect(rows[0]).toMatchObject({ metadata: { approverIds: [olga.id, ada.id] } });
  });

  it('at once, all of them several times, are one approval each and one grant', async () => {
    const { id } = await asked({ approvals: 2, reviewerGroups: ['oncall'] });
    const all = Array.from({ length: 10 }, () => [ada, ben, olga]).flat();
    const answers = await Promise.all(all.map((who) => access.to(who, `${id}/approve`)));
    const given = answers.filter(({ status }) => status === 200).map(({ json }) => json['status']);
    expect(given).toEqual(expect.arrayContaining(['Pending', 'Approved']));
    expect(given).toHaveLength(2);
    const codes = new Set(answers.filter(({ status }) => status === 409).map(({ json }) => json['code']));
    for (const code of codes) expect(['APPROVED_ALREADY', 'REQUEST_NOT_PENDING']).toContain(code);
    expect(await access.installation.audit({ accessRequestId: id })).toHaveLength(3);
  });

  it('are none when one denies, also the one who approved', async () => {
    const { id } = await asked({ approvals: 2 });
    await access.to(ada, `${id}/approve`);
    expect(await access.to(ada, `${id}/deny`)).toMatchObject({ json: { status: 'Denied', approvals: [{}] } });
    expect(await access.to(ben, `${id}/approve`)).toMatchObject(refusal(409, 'REQUEST_NOT_PENDING'));
  });

  it('must both be people who may act: the approval of somebody who was disabled counts no more', async () => {
    const { id } = await asked({ approvals: 2, reviewerIds: [bob.id] });
    await access.to(bob, `${id}/approve`);
    for (const what of ['disable', 'enable']) await access.call(ada, `POST /api/v1/users/${bob.id}/${what}`);
    expect(await access.to(ada, `${id}/approve`)).toMatchObject({ json: { status: 'Pending' } });
    expect(await access.to(bob, `${id}/approve`)).toMatchObject({ json: { status: 'Approved' } });
  });
});
