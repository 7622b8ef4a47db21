import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import type { Impersonation } from '../ports.ts';
import { createOpenRequests, openLimits, type OpenRequest, type OpenRequests } from './open-requests.ts';

const basis = {
  userId: 'u1' as UserId,
  userRevision: 0,
  roleId: 'r1' as RoleId,
  roleRevision: 0,
  accessRequestId: null,
  credentialId: 'k1' as CredentialId,
};
const allowed: Impersonation = { user: 'alice', groups: ['a', 'b'], notAfter: new Date(2_000_000_000_000), basis };

type Watched = { open: OpenRequests; ended: string[]; tell(type: string, data: object): void };

function watched(): Watched {
  let listener: (fact: Recorded) => void = () => undefined;
  const policy = {
    onFact(next: (fact: Recorded) => void) {
      listener = next;
      return () => (listener = () => undefined);
    },
  };
  const open = createOpenRequests(policy, () => new Date());
  return { open, ended: [], tell: (type, data) => listener({ type, data } as Recorded) };
}

function request(it: Watched, decide: () => Impersonation, impersonation = allowed): OpenRequest {
  return {
    clusterId: 'c1' as ClusterId,
    upgraded: false,
    impersonation,
    decideAgain: decide,
    cut: (reason, { code }) => it.ended.push(`${reason} ${code}`),
    tick: () => undefined,
  };
}

const refused = (): Impersonation => {
  throw new Refusal('CREDENTIAL_REVOKED', 'gone');
};

describe('open requests', () => {
  it.each([
    ['credential.revoked', { credentialId: 'k1' }],
    ['user.role_unassigned', { userId: 'u1', clusterId: 'c1' }],
    ['access_request.expired', { userId: 'u1', clusterId: 'c1' }],
    ['user.disabled', { userId: 'u1' }],
    ['user.synced', { userId: 'u2', kubernetesName: 'ALICE' }],
    ['role.updated', { roleId: 'r1' }],
    ['cluster.deleted', { clusterId: 'c1' }],
    ['something.new', {}],
  ])('D15 are decided anew on %s, and ended once when they no longer stand', (type, data) => {
    const it = watched();
    it.open.add(request(it, refused));
    it.tell(type, data);
    it.tell(type, data);
    expect(it.ended).toEqual(['revoked CREDENTIAL_REVOKED']);
    expect(it.open.size).toBe(0);
    it.open.stop();
  });

  it.each([
    ['credential.revoked', { credentialId: 'k2' }],
    ['user.role_unassigned', { userId: 'u1', clusterId: 'c2' }],
    ['user.disabled', { userId: 'u2' }],
    ['user.synced', { userId: 'u2', kubernetesName: null }],
    ['role.deleted', { roleId: 'r2' }],
    ['cluster.deleted', { clusterId: 'c2' }],
    ['cluster.connected', { clusterId: 'c1' }],
  ])('are left alone by %s of others', (type, data) => {
    const it = watched();
    it.open.add(request(it, refused));
    it.tell(type, data);
    expect(it.ended).toEqual([]);
    it.open.stop();
  });

  it.each<[string, Partial<Impersonation>]>([
    ['another name', { user: 'bob' }],
    ['fewer groups', { groups: ['a'] }],
    ['other groups', { groups: ['a', 'c'] }],
    ['another role', { basis: { ...basis, roleId: 'r2' as RoleId } }],
  ])('are ended when they would be let in with %s', (_, change) => {
    const it = watched();
    it.open.add(request(it, () => ({ ...allowed, ...change })));
    it.tell('user.disabled', { userId: 'u1' });
    expect(it.ended).toEqual(['revoked NO_ROLE_ASSIGNMENT']);
    it.open.stop();
  });

  it('go on when they would be let in as they were, under another grant too', () => {
    const it = watched();
    it.open.add(request(it, () => ({ ...allowed, notAfter: new Date(), basis: { ...basis, accessRequestId: 'x' } })));
    it.tell('access_request.approved', { userId: 'u1', clusterId: 'c1' });
    expect(it.ended).toEqual([]);
    it.open.stop();
  });

  it('D41 are at most 200 of a credential and 400 of a person', () => {
    const it = watched();
    const ofCredential = (credentialId: string): OpenRequest =>
      request(it, () => allowed, { ...allowed, basis: { ...basis, credentialId: credentialId as CredentialId } });
    const places = Array.from({ length: openLimits.perCredential }, () => it.open.add(ofCredential('k1')));
    expect(() => it.open.add(ofCredential('k1'))).toThrow(/200 requests are open with this credential/);
    for (let count = 0; count < 200; count += 1) it.open.add(ofCredential('k2'));
    expect(() => it.open.add(ofCredential('k3'))).toThrow(/400 requests are open by this person/);
    for (const place of [places[0], places[0]]) if (place) it.open.remove(place);
    it.open.add(ofCredential('k3'));
    expect(it.open.size).toBe(400);
    it.open.stop();
  });

  it('D41 are at most 50 streams of a credential, which take no place from its plain requests', () => {
    const it = watched();
    const stream = (): OpenRequest => ({ ...request(it, () => allowed), upgraded: true });
    const places = Array.from({ length: openLimits.upgradedPerCredential }, () => it.open.add(stream()));
    expect(() => it.open.add(stream())).toThrow(
      /50 exec, attach or port-forward streams are open with this credential/,
    );
    for (let count = 0; count < 200; count += 1) it.open.add(request(it, () => allowed));
    expect(() => it.open.add(request(it, () => allowed))).toThrow(/200 requests/);
    for (const place of places.slice(7, 8)) it.open.remove(place);
    it.open.add(stream());
    expect(it.open.size).toBe(250);
    it.open.stop();
  });
});
