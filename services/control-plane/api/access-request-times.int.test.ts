/** Access that begins later, and access that is prolonged (D40), over the real wire. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessCalls, refusal, type KnownPerson } from '../testing/access-calls.ts';

let access: AccessCalls;
let ada: KnownPerson;
let alice: KnownPerson;

beforeAll(async () => {
  access = await AccessCalls.start({ ACCESS_MAX_DURATION: '4h' });
  ({ ada, alice } = access.people);
});
afterAll(() => access.installation.stop());

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const at = (text: string | undefined) => Date.parse(text ?? '');
const kubectl = (clusterId: string, credentialId: string) =>
  access.call(
    { sub: alice.id, cluster_id: clusterId, credential_id: credentialId },
    `GET /api/proxy/${clusterId}/api/v1/pods`,
  );
async function credentialFor(clusterId: string): Promise<Readonly<Record<string, string>>> {
  return (await access.call(alice, 'POST /api/v1/auth/kubeconfig-credential', { body: { clusterId } })).json;
}

describe('access that begins later', () => {
  it('is approved now, opens nothing before its time, and counts from then', async () => {
    const clusterId = await access.installation.newCluster();
    const startsAt = inSeconds(2);
    const { json } = await access.ask(alice, { clusterId, startsAt, duration: '1h' });
    expect(at(json['startsAt'])).toBe(at(startsAt));
    const approved = await access.to(ada, `${json['id']}/approve`);
    expect(approved).toMatchObject({ json: { status: 'Approved' } });
    const { grantStartsAt, grantExpiresAt } = approved.json;
    expect(at(grantStartsAt)).toBe(at(startsAt));
    expect(at(grantExpiresAt) - at(grantStartsAt)).toBe(3_600_000);
    const { credentialId = '' } = await credentialFor(clusterId);
    const statuses: { readonly before: boolean; readonly after: boolean; readonly status: number }[] = [];
    while (Date.now() < at(startsAt) + 100) {
      const begun = Date.now();
      const { status } = await kubectl(clusterId, credentialId);
      statuses.push({ before: Date.now() < at(startsAt), after: begun >= at(startsAt), status });
    }
    // Refused before; from then on allowed, and then there is no agent.
    expect(new Set(statuses.filter(({ before }) => before).map(({ status }) => status))).toEqual(new Set([403]));
    expect(new Set(statuses.filter((one) => one.after).map(({ status }) => status))).toEqual(new Set([502]));
  });

  it('is one thing at a time, can be given back before it begins, and is gone then', async () => {
    const clusterId = await access.installation.newCluster();
    const { json } = await access.ask(alice, { clusterId, startsAt: inSeconds(29 * 86_400) });
    await access.to(ada, `${json['id']}/approve`);
    expect(await access.ask(alice, { clusterId })).toMatchObject(refusal(409, 'GRANT_ALREADY_ACTIVE'));
    expect(await access.to(alice, `${json['id']}/revoke`)).toMatchObject({ json: { endReason: 'given back' } });
    expect((await access.ask(alice, { clusterId })).status).toBe(201);
  });

  it.each([
    ['in the past', -60],
    ['more than thirty days ahead', 30 * 86_400 + 60],
  ])('never begins %s', async (_, seconds) => {
    expect(await access.ask(alice, { startsAt: inSeconds(seconds) })).toMatchObject(
      refusal(422, 'VALIDATION_ERROR', 'startsAt'),
    );
  });
});

describe('access that is prolonged', () => {
  async function held(duration = '1h') {
    const clusterId = await access.installation.newCluster();
    const { json } = await access.ask(alice, { clusterId, duration });
    const approved = await access.to(ada, `${json['id']}/approve`);
    return { clusterId, id: json['id'] ?? '', from: at(approved.json['grantStartsAt']) };
  }
  const extend = (of: { readonly clusterId: string; readonly id: string }, body: object = {}) =>
    access.ask(alice, { clusterId: of.clusterId, extends: of.id, duration: '2h', ...body });

  it('goes on without a moment between, and the old grant ends as extended', async () => {
    const old = await held();
    const asked = await extend(old);
    expect(asked).toMatchObject({ status: 201, json: { status: 'Pending', extends: old.id } });
    // The old one holds while it is decided.
    const { credentialId = '' } = await credentialFor(old.clusterId);
    expect((await kubectl(old.clusterId, credentialId)).status).toBe(502);
    const answers: Promise<{ readonly status: number }>[] = [];
    const approving = access.to(ada, `${asked.json['id']}/approve`);
    for (let n = 0; n < 20; n += 1) answers.push(kubectl(old.clusterId, credentialId));
    const approved = await approving;
    expect(approved).toMatchObject({ json: { status: 'Approved', extends: old.id } });
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([502]));
    expect(await access.get(alice, old.id, approved)).toMatchObject({
      json: { status: 'Revoked', endReason: 'extended' },
    });
    const types = (await access.installation.facts(`access-${alice.id}.${old.clusterId}`)).map(({ type }) => type);
    expect(types.map((type) => type.split('.')[1])).toEqual(['created', 'approved', 'created', 'approved', 'revoked']);
  });

  it('lasts no longer than the longest grant from its first beginning on, however often it is prolonged', async () => {
    const first = await held('1h');
    const [two, three] = [await extend(first, { duration: '3h' }), () => extend(first, { duration: '4h' })];
    await access.to(ada, `${two.json['id']}/approve`);
    const second = { ...first, id: two.json['id'] ?? '' };
    expect(await three()).toMatchObject(refusal(409, 'GRANT_NOT_ACTIVE'));
    expect(await extend(second, { duration: '4h' })).toMatchObject(refusal(422, 'INVALID_DURATION', 'duration'));
    const last = await extend(second, { duration: '3h59m' });
    const approved = await access.to(ada, `${last.json['id']}/approve`);
    expect(at(approved.json['grantExpiresAt'])).toBeLessThanOrEqual(first.from + 4 * 3_600_000);
  });

  it.each([
    ['of another role', 'VALIDATION_ERROR', 422, async () => ({ roleId: await access.installation.newRole() })],
    ['from a later start on', 'VALIDATION_ERROR', 422, async () => ({ startsAt: inSeconds(60) })],
    ['by less than it lasts', 'INVALID_DURATION', 422, async () => ({ duration: '30m' })],
    ['of something that is no id', 'VALIDATION_ERROR', 422, async () => ({ extends: 'the last' })],
  ] as const)('is not asked for %s: %s', async (...[, code, status, body]) => {
    expect(await extend(await held(), await body())).toMatchObject(refusal(status, code));
  });

  it('is over when what it would prolong was taken away first', async () => {
    const old = await held();
    const asked = await extend(old);
    await access.to(ada, `${old.id}/revoke`);
    expect(await access.to(ada, `${asked.json['id']}/approve`)).toMatchObject(refusal(409, 'GRANT_NOT_ACTIVE'));
    expect(await access.to(alice, `${asked.json['id']}/withdraw`)).toMatchObject({ json: { status: 'Withdrawn' } });
    expect(await extend(old)).toMatchObject(refusal(409, 'GRANT_NOT_ACTIVE'));
  });
});
