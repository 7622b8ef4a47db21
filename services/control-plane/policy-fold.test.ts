import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { clusterId, credentialId, recorded, roleId, userId } from './domain/fixtures.ts';
import { decodePolicyFact } from './policy-facts.ts';
import { facts, noonSeconds, PolicyWorld, streamOf, worldOf } from './testing/policy-world.ts';

const withEpoch = (epoch: number) => (fact: Recorded) => ({ ...fact, metadata: { ...fact.metadata, epoch } });

describe('the policy fold', () => {
  it('finds roles and clusters by their present name only', () => {
    const world = worldOf(facts.role(1, 'viewer'), facts.cluster(1, 'prod'));
    world.add([
      { type: 'role.updated', data: { roleId: roleId(), name: 'reader', description: '', k8sGroups: ['g'] } },
    ]);
    expect(world.fold.roleByName('viewer')).toBeUndefined();
    expect(world.fold.roleByName('reader')).toMatchObject({ roleId: roleId() });
    world.add([facts.roleDeleted(), facts.clusterDeleted()]);
    expect(world.fold.roleByName('reader')).toBeUndefined();
    expect(world.fold.clusterByName('prod')).toBeUndefined();
  });

  it('keeps a name with whoever took it after it was free', () => {
    const world = worldOf(facts.role(1, 'viewer'), facts.roleDeleted(1), facts.role(2, 'viewer'));
    world.add([facts.roleDeleted(1)]);
    expect(world.fold.roleByName('viewer')).toMatchObject({ roleId: roleId(2) });
  });

  it('finds people by the folded form of their present name', () => {
    const world = worldOf(facts.user(1, 'Alice@Corp.com'), facts.user(2, 'alice@corp.com'));
    expect(world.fold.userByKubernetesName('alice@corp.com')).toHaveLength(2);
    world.add([facts.user(1, 'other@corp.com')]);
    expect(world.fold.userByKubernetesName('alice@corp.com')).toHaveLength(1);
  });
});

describe('a fact of a writer that had lost the lease', () => {
  it('changes nothing when it comes after the take-over', () => {
    const world = worldOf(facts.tookOver(1), facts.role(1));
    world.add([facts.tookOver(2)], withEpoch(2));
    expect(world.add([facts.roleDeleted()], withEpoch(1))).toEqual(['void']);
    expect(world.fold.role(roleId())).toMatchObject({ status: 'active' });
  });

  it('counts when it got into the log before the take-over', () => {
    const world = worldOf(facts.tookOver(1), facts.role(1), facts.roleDeleted());
    world.add([facts.tookOver(2)], withEpoch(2));
    expect(world.fold.role(roleId())).toMatchObject({ status: 'deleted' });
    expect(world.fold.isVoid({ position: 20n, epoch: 1 })).toBe(false);
    expect(world.fold.isVoid({ position: 50n, epoch: 1 })).toBe(true);
  });

  it('cannot take over itself', () => {
    const world = worldOf(facts.tookOver(5));
    expect(world.add([facts.tookOver(5)])).toEqual(['void']);
    expect(world.fold.isVoid({ position: 99n, epoch: 5 })).toBe(false);
  });
});

describe('a fact that cannot be read', () => {
  const bent: readonly [string, (fact: Recorded) => Recorded][] = [
    ['of a type that this version does not know', (fact) => ({ ...fact, type: 'role.renamed' })],
    ['of a newer schema', (fact) => ({ ...fact, metadata: { ...fact.metadata, schemaVersion: 2 } })],
    ['without a field', (fact) => ({ ...fact, data: { roleId: roleId() } })],
    ['that is no object', (fact) => ({ ...fact, data: 'x' as unknown as object })],
    ['without metadata', (fact) => ({ ...fact, metadata: undefined as never })],
    ['about another subject than its stream', (fact) => ({ ...fact, data: { ...fact.data, roleId: roleId(2) } })],
  ];

  it.each(bent)('denies its subject and nobody else: %s', (_, change) => {
    const world = worldOf(facts.role(1), facts.role(2, 'other'));
    const [taken] = world.add([facts.role(1, 'changed')], change);
    expect(taken).toBe('unreadable');
    expect(() => world.fold.role(roleId(1))).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }));
    expect(world.fold.role(roleId(2))).toMatchObject({ name: 'other' });
  });

  it('denies everybody when it is about the lease', () => {
    const world = worldOf(facts.tookOver(1));
    world.add([facts.tookOver(2)], (fact) => ({ ...fact, type: 'control_plane.shared' }));
    expect(() => world.fold.assertLeaseReadable()).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }));
  });

  it('is a grant whose end is no instant, so that it never lasts for ever', () => {
    const fact = facts.approved();
    const broken = { ...fact, data: { ...fact.data, grantExpiresAt: 'soon' } };
    expect(decodePolicyFact(recorded(broken, { stream: streamOf(fact) }))).toBeUndefined();
  });
});

describe('the access requests of the fold', () => {
  const place = { userId: userId(), clusterId: clusterId() };

  it('are found while they are open and just after, each with whose it is', () => {
    const world = worldOf(facts.requested('r-1'), facts.requested('r-2', { n: 2 }));
    expect(world.fold.requestPlace('r-1')).toEqual(place);
    expect(world.fold.requestPlace('r-2')).toEqual({ ...place, userId: userId(2) });
    world.add([facts.approved('r-1')]);
    expect(world.fold.requestPlace('r-1')).toEqual(place);
    world.add([facts.grantRevoked('r-1')]);
    expect(world.fold.requestPlace('r-1')).toEqual(place);
    expect(world.fold.requestPlace('r-3')).toBeUndefined();
  });

  it('leave nothing in memory when they have ended, also after a thousand of them', () => {
    const world = worldOf();
    for (let k = 0; k < 1_000; k += 1) world.add([facts.requested(`r-${k}`), facts.grantRevoked(`r-${k}`)]);
    expect(world.fold.access(userId(), clusterId())).toBeUndefined();
    expect([...world.fold.allAccess(), ...world.fold.accessOf(userId())]).toEqual([]);
    world.add([facts.assigned(), facts.requested('r-2'), facts.grantRevoked('r-2')]);
    expect(world.fold.access(userId(), clusterId())).toMatchObject({ pending: null, grant: null, endedRequest: null });
  });

  it('leave an assignment that has ended where a repeated call looks for it', () => {
    const world = worldOf(facts.assigned(), facts.unassigned(), facts.requested('r-1'), facts.grantRevoked('r-1'));
    expect(world.fold.accessOf(userId())).toMatchObject([{ assignment: null, endedAssignmentId: 'a-1-1' }]);
  });
});

describe('the credentials of the fold', () => {
  it('are counted per person and cluster while they live, and per person and hour', () => {
    const world = worldOf(
      facts.issued(1, 1, { cluster: 1, seconds: 100 }),
      facts.issued(2, 1, { cluster: 1, seconds: 50 }),
      facts.issued(3, 1, { cluster: 2 }),
      facts.issued(4, 2, { cluster: 1 }),
    );
    world.add([facts.revoked(1)]);
    expect(world.fold.credentialCounts(userId(), clusterId())).toEqual({
      live: 1,
      firstLiveEndsAtSeconds: noonSeconds + 50,
      issuedLastHour: 3,
      hourFreesAtSeconds: noonSeconds + 3_600,
    });
  });

  it('are forgotten some time after they ended, and deny as before', () => {
    let seconds = noonSeconds;
    const world = new PolicyWorld(() => seconds * 1000);
    world.add([facts.issued(1, 1, { cluster: 1, seconds: 100 })]);
    seconds += 3_700;
    world.add([facts.issued(2, 2, { cluster: 1, seconds: 20_000 })]);
    expect(world.fold.credential(credentialId(1))).toMatchObject({ status: 'issued' });
    seconds += 7_300;
    world.add([facts.issued(3, 2, { cluster: 1, seconds: 20_000 })]);
    expect(world.fold.credential(credentialId(1))).toBeUndefined();
    expect(world.fold.credentialCounts(userId(), clusterId())).toMatchObject({ live: 0, issuedLastHour: 0 });
    expect([...world.fold.liveCredentials()]).toHaveLength(2);
  });

  it('leave nothing when they ended long before the fold began', () => {
    const world = new PolicyWorld(() => (noonSeconds + 90_000) * 1000);
    world.add([facts.issued(1)]);
    expect(world.fold.credential(credentialId(1))).toBeUndefined();
  });

  it('are not made real by refused attempts on them, which are counted', () => {
    const world = new PolicyWorld();
    world.add([{ type: 'credential.revoke_denied', data: { credentialId: credentialId(9), reason: 'FORBIDDEN' } }]);
    expect(world.fold.credential(credentialId(9))).toBeUndefined();
    expect(world.fold.revokesDeniedLastHour(userId(99))).toBe(1);
  });
});
