import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessCalls, after, refusal, type KnownPerson } from '../testing/access-calls.ts';
import type { Answer, Person } from '../testing/installation.ts';

let access: AccessCalls;
let ada: KnownPerson;
let ben: KnownPerson;
let alice: KnownPerson;

beforeAll(async () => {
  access = await AccessCalls.start();
  ({ ada, ben, alice } = access.people);
});
afterAll(() => access.installation.stop());

const set = (as: Person, id: string, what: 'disable' | 'enable'): Promise<Answer> =>
  access.call(as, `POST /api/v1/users/${id}/${what}`, { body: {} });
const me = (as: Person) => access.call(as, 'GET /api/v1/users/me');
let people = 0;
const newPerson = (roles: readonly string[] = []) => access.installation.newPerson(`person-${(people += 1)}`, roles);
const issue = async (as: Person, clusterId: string): Promise<string> =>
  (await access.call(as, 'POST /api/v1/auth/kubeconfig-credential', { body: { clusterId } })).json['credentialId'] ??
  '';
const kubectl = async (as: KnownPerson, clusterId: string, credentialId: string): Promise<number> => {
  const token = { sub: as.id, cluster_id: clusterId, credential_id: credentialId };
  return (await access.call(token, `GET /api/proxy/${clusterId}/api/v1/pods`)).status;
};

describe('disabling a person', () => {
  it('keeps them out at once, and lets them in again when they are enabled', async () => {
    const carol = await newPerson();
    const disabled = await set(ada, carol.id, 'disable');
    expect(disabled).toMatchObject({ status: 200, json: { id: carol.id, disabled: true } });
    expect(await me(carol)).toMatchObject(refusal(403, 'FORBIDDEN'));
    const listed = await access.call(ada, 'GET /api/v1/users?name=' + carol.email, after(disabled));
    expect(listed.json['users']).toEqual([disabled.json]);
    expect(await set(ada, carol.id, 'enable')).toMatchObject({ status: 200, json: { disabled: false } });
    expect((await me(carol)).status).toBe(200);
    const types = (await access.installation.facts(`user-${carol.id}`)).map(({ type }) => type);
    expect(types).toEqual(['user.synced', 'user.disabled', 'user.enabled']);
    const rows = await access.installation.audit({ resourceId: carol.id });
    expect(rows.map(({ code }) => code)).toEqual(['CUA005I', 'CUA004W', 'CUA001I']);
  });

  it('twice is one fact, and so is enabling', async () => {
    const carol = await newPerson();
    for (const what of ['disable', 'disable', 'enable', 'enable'] as const)
      expect((await set(ada, carol.id, what)).status).toBe(200);
    expect(await access.installation.facts(`user-${carol.id}`)).toHaveLength(3);
  });

  it('is nothing for somebody who never was here', async () => {
    expect(await set(ada, randomUUID(), 'disable')).toMatchObject(refusal(404, 'USER_NOT_FOUND'));
    expect(await set(ada, randomUUID(), 'enable')).toMatchObject(refusal(404, 'USER_NOT_FOUND'));
  });

  it('ends credentials and grants for ever, and lets a standing role only sleep', async () => {
    const carol = await newPerson();
    const [standing, granted] = [await access.installation.newCluster(), await access.installation.newCluster()];
    const body = { roleId: access.roleId, clusterId: standing };
    await access.call(ada, `POST /api/v1/users/${carol.id}/assignments`, { body });
    const asked = await access.ask(carol, { clusterId: granted });
    await access.to(ada, `${asked.json['id']}/approve`);
    const credentials = [await issue(carol, standing), await issue(carol, granted)];
    const open = () => Promise.all([standing, granted].map((id, at) => kubectl(carol, id, credentials[at] ?? '')));
    expect(await open()).toEqual([502, 502]);
    await set(ada, carol.id, 'disable');
    expect(await open()).toEqual([403, 403]);
    await set(ada, carol.id, 'enable');
    expect(await open()).toEqual([401, 401]);
    expect(await kubectl(carol, standing, await issue(carol, standing))).toBe(502);
    expect(await kubectl(carol, granted, await issue(carol, granted))).toBe(403);
  });

  it('JT-08 ends a pending request for ever: nobody can approve it, then or after they are enabled', async () => {
    const carol = await newPerson();
    const id = await access.pending(carol);
    const notPending = refusal(409, 'REQUEST_NOT_PENDING');
    await set(ada, carol.id, 'disable');
    expect(await access.to(ada, `${id}/approve`)).toMatchObject(notPending);
    await set(ada, carol.id, 'enable');
    expect(await access.to(ada, `${id}/approve`)).toMatchObject(notPending);
    expect((await access.pending(carol)).length).toBe(36);
  });
});

describe('AZ-04 the last administrator', () => {
  it('cannot disable themselves', async () => {
    expect(await set(ada, ada.id, 'disable')).toMatchObject(refusal(403, 'FORBIDDEN'));
    expect((await me(ada)).status).toBe(200);
  });

  it('stays when two disable each other at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const pair = [await newPerson(['clustral-admin']), await newPerson(['clustral-admin'])] as const;
      const answers = await Promise.all([set(pair[0], pair[1].id, 'disable'), set(pair[1], pair[0].id, 'disable')]);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 403]));
      expect(new Set(await Promise.all(pair.map(async (one) => (await me(one)).status)))).toEqual(new Set([200, 403]));
    }
  });

  it('is the only one who may: others and auditors cannot disable anybody', async () => {
    for (const who of [alice, access.people.audrey])
      expect(await set(who, ben.id, 'disable')).toMatchObject(refusal(403, 'FORBIDDEN'));
  });
});
