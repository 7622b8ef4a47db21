import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessCalls, refusal, type KnownPerson } from '../testing/access-calls.ts';
import type { Answer, Person } from '../testing/installation.ts';

let access: AccessCalls;
let ada: KnownPerson;
let ben: KnownPerson;
let alice: KnownPerson;
let bob: KnownPerson;
let auditor: KnownPerson;

beforeAll(async () => {
  access = await AccessCalls.start();
  ({ ada, ben, alice, bob, audrey: auditor } = access.people);
});
afterAll(() => access.installation.stop());

/** The rows of the authorization matrix about access requests: every caller meets every method. */
describe('who may do what to a request', () => {
  const callers = {
    nobody: () => undefined,
    'the token of a credential': (): Person => ({
      sub: alice.id,
      credential_id: randomUUID(),
      cluster_id: access.clusterId,
    }),
    'somebody else': () => bob,
    'its owner': () => alice,
    'an owner who is an administrator': () => ben,
    'an administrator': () => ada,
    'an auditor': () => auditor,
  } as const;
  type Who = keyof typeof callers;
  type Row = readonly [what: string, who: Who, status: number, code?: string];
  const rows: readonly Row[] = [
    ['ask', 'nobody', 401],
    ['ask', 'the token of a credential', 401],
    ['ask', 'somebody else', 201],
    ['ask', 'an administrator', 201],
    ['ask', 'an auditor', 403, 'FORBIDDEN'],
    ['list', 'nobody', 401],
    ['list', 'the token of a credential', 401],
    ['list', 'somebody else', 200],
    ['list', 'an auditor', 200],
    ['get', 'nobody', 401],
    ['get', 'the token of a credential', 401],
    ['get', 'somebody else', 404, 'REQUEST_NOT_FOUND'],
    ['get', 'its owner', 200],
    ['get', 'an administrator', 200],
    ['get', 'an auditor', 200],
    ...(['approve', 'deny'] as const).flatMap((verb): readonly Row[] => [
      [verb, 'nobody', 401],
      [verb, 'the token of a credential', 401],
      [verb, 'somebody else', 403, 'FORBIDDEN'],
      [verb, 'its owner', 403, 'SELF_APPROVAL'],
      [verb, 'an owner who is an administrator', 403, 'SELF_APPROVAL'],
      [verb, 'an administrator', 200],
      [verb, 'an auditor', 403, 'FORBIDDEN'],
    ]),
    ['withdraw', 'nobody', 401],
    ['withdraw', 'the token of a credential', 401],
    ['withdraw', 'somebody else', 404, 'REQUEST_NOT_FOUND'],
    ['withdraw', 'its owner', 200],
    ['withdraw', 'an owner who is an administrator', 200],
    ['withdraw', 'an administrator', 403, 'FORBIDDEN'],
    ['withdraw', 'an auditor', 403, 'FORBIDDEN'],
    ['revoke', 'nobody', 401],
    ['revoke', 'the token of a credential', 401],
    ['revoke', 'somebody else', 403, 'FORBIDDEN'],
    ['revoke', 'its owner', 200],
    ['revoke', 'an owner who is an administrator', 200],
    ['revoke', 'an administrator', 200],
    ['revoke', 'an auditor', 403, 'FORBIDDEN'],
  ];

  async function meet(what: string, who: Who): Promise<Answer> {
    const owner = who === 'an owner who is an administrator' ? ben : alice;
    const caller = callers[who]();
    switch (what) {
      case 'ask':
        return access.ask(caller, { clusterId: await access.installation.newCluster() });
      case 'list':
        return access.call(caller, 'GET /api/v1/access-requests');
      case 'get': {
        const asked = await access.ask(owner, { clusterId: await access.installation.newCluster() });
        return access.get(caller, asked.json['id'] ?? '', asked);
      }
      case 'revoke':
        return access.to(caller, `${await access.granted(owner)}/${what}`);
      default:
        return access.to(caller, `${await access.pending(owner)}/${what}`);
    }
  }

  it.each(rows.map(([what, who, status, code = '']) => ({ what, who, status, code })))(
    'JT-01 2.6 to $what as $who gives $status $code',
    async ({ what, who, status, code }) => {
      const answer = await meet(what, who);
      expect(answer.status).toBe(status);
      if (code !== '') expect(answer.json).toMatchObject({ code });
    },
  );

  it('a list is one’s own, and all for administrators and auditors', async () => {
    const asked = await access.ask(alice, { clusterId: await access.installation.newCluster() });
    const owners = async (as: Person) =>
      new Set((await access.list(as, '', asked)).map(({ requesterId }) => requesterId));
    expect(await owners(alice)).toEqual(new Set([alice.id]));
    expect((await owners(auditor)).size).toBeGreaterThan(1);
    expect(await owners(ada)).toEqual(await owners(auditor));
    const theirs = await access.call(bob, `GET /api/v1/access-requests?requesterId=${alice.id}`);
    expect(theirs).toMatchObject(refusal(403, 'FORBIDDEN'));
  });

  it('an id that names nothing tells nothing more than one of somebody else', async () => {
    const [theirs, none] = [await access.granted(alice), randomUUID()];
    for (const verb of ['approve', 'deny', 'revoke', 'withdraw']) {
      const [one, other] = [await access.to(bob, `${theirs}/${verb}`), await access.to(bob, `${none}/${verb}`)];
      expect(one.status).toBe(other.status);
      expect(one.json['code']).toBe(other.json['code']);
      expect((await access.to(ada, `${none}/${verb}`)).json).toMatchObject({ code: 'REQUEST_NOT_FOUND' });
    }
    expect(await access.to(ada, 'not-an-id/approve')).toMatchObject(refusal(422, 'VALIDATION_ERROR', 'id'));
  });
});
