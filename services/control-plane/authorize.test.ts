import { describe, expect, it } from 'vitest';
import type { InternalClaims } from '@clustral/schemas/tokens.ts';
import { authorize } from './authorize.ts';
import { after, clusterId, credentialId, noon, roleId, userId } from './domain/fixtures.ts';
import type { PolicyFact } from './policy-facts.ts';
import { facts, noonSeconds, worldOf } from './testing/policy-world.ts';

const claimsOf = (said: Partial<InternalClaims> = {}): InternalClaims => ({
  kind: 'internal',
  sub: userId(),
  cluster_id: clusterId(),
  credential_id: credentialId(),
  iat: noonSeconds,
  exp: noonSeconds + 30,
  ...said,
});
const base = [facts.cluster(), facts.role(), facts.user(), facts.issued()];
const withRole = [...base, facts.assigned()];

type Asked = { claims?: Partial<InternalClaims>; cluster?: number; now?: Date };
const ask = (log: readonly PolicyFact[], { claims = {}, cluster = 1, now = noon }: Asked = {}) =>
  authorize(worldOf(...log).fold, { claims: claimsOf(claims), clusterId: clusterId(cluster) }, now);

describe('a request that may go out', () => {
  it('goes out under the name and groups of the standing role, until the credential ends', () => {
    expect(ask(withRole)).toEqual({
      user: 'user-1@corp.com',
      groups: ['group-1'],
      notAfter: after(3_600),
      basis: {
        userId: userId(),
        userRevision: 0,
        roleId: roleId(),
        roleRevision: 0,
        accessRequestId: null,
        credentialId: credentialId(),
      },
    });
  });

  it('goes out under a grant until the grant ends', () => {
    const decided = ask([...base, ...facts.granted({ until: after(60) })]);
    expect(decided).toMatchObject({ notAfter: after(60), basis: { accessRequestId: 'r-1', roleId: roleId() } });
  });

  it('is not held longer by a grant than by its credential', () => {
    expect(ask([...base, ...facts.granted({ until: after(90_000) })]).notAfter).toEqual(after(3_600));
  });

  it('goes out under the standing role when there is a grant too', () => {
    const decided = ask([...withRole, facts.role(2, 'admin'), ...facts.granted({ role: 2, until: after(60) })]);
    expect(decided).toMatchObject({ groups: ['group-1'], notAfter: after(3_600), basis: { accessRequestId: null } });
  });

  it('goes out under the grant when the standing role was deleted', () => {
    const log = [
      ...withRole,
      facts.role(2, 'admin'),
      ...facts.granted({ role: 2, until: after(60) }),
      facts.roleDeleted(1),
    ];
    expect(ask(log).groups).toEqual(['group-2']);
  });

  it('goes out for a standing role that woke up again, with a credential issued since', () => {
    expect(
      ask([...withRole, facts.userDisabled(), facts.userEnabled(), facts.issued(2)], {
        claims: { credential_id: credentialId(2) },
      }),
    ).toMatchObject({ groups: ['group-1'] });
  });

  it('carries the role as it is now', () => {
    const updated: PolicyFact = {
      type: 'role.updated',
      data: { roleId: roleId(), name: 'viewer', description: '', k8sGroups: ['other'] },
    };
    expect(ask([...withRole, updated])).toMatchObject({ groups: ['other'], basis: { roleRevision: 1 } });
  });
});

const refusals: readonly [string, string, readonly PolicyFact[], Asked][] = [
  [
    'INVALID_TOKEN',
    'a token of a person, not of a credential',
    withRole,
    { claims: { credential_id: undefined as never } },
  ],
  ['INVALID_TOKEN', 'a token that names no cluster', withRole, { claims: { cluster_id: undefined as never } }],
  ['INVALID_TOKEN', 'a token of another kind', withRole, { claims: { kind: 'service' } }],
  ['INVALID_TOKEN', 'a jti that is no id', withRole, { claims: { credential_id: '../../x' } }],
  ['CREDENTIAL_REVOKED', 'a jti that was never stored', withRole, { claims: { credential_id: credentialId(7) } }],
  ['CREDENTIAL_REVOKED', 'a jti of somebody else', withRole, { claims: { sub: userId(2) } }],
  ['CREDENTIAL_REVOKED', 'a jti of another cluster', withRole, { claims: { cluster_id: clusterId(2) } }],
  ['CREDENTIAL_REVOKED', 'a revoked credential', [...withRole, facts.revoked()], {}],
  ['CREDENTIAL_REVOKED', 'a revoked credential on another cluster', [...withRole, facts.revoked()], { cluster: 2 }],
  ['CREDENTIAL_REVOKED', 'a deleted cluster', [...withRole, facts.clusterDeleted()], {}],
  [
    'CREDENTIAL_REVOKED',
    'a credential from before its owner was disabled, after they were enabled',
    [...withRole, facts.userDisabled(), facts.userEnabled()],
    {},
  ],
  [
    'FORBIDDEN',
    'a credential revoked before its owner was disabled',
    [...withRole, facts.revoked(), facts.userDisabled()],
    {},
  ],
  ['FORBIDDEN', 'a disabled person', [...withRole, facts.userDisabled()], {}],
  [
    'FORBIDDEN',
    'a disabled person whose credential was revoked for it',
    [...withRole, facts.userDisabled(), facts.revoked()],
    {},
  ],
  ['CREDENTIAL_EXPIRED', 'an expired credential', withRole, { now: after(3_600) }],
  ['CLUSTER_MISMATCH', 'another cluster in the path', [...withRole, facts.cluster(2, 'staging')], { cluster: 2 }],
  ['RESERVED_USER_NAME', 'a person without a usable name', [...withRole, facts.user(1, null)], {}],
  [
    'USER_NAME_TAKEN',
    'a name that a verified e-mail took',
    [facts.user(1, 'a@x', 'claimed'), ...withRole.filter(({ type }) => type !== 'user.synced'), facts.user(2, 'A@X')],
    {},
  ],
  ['NO_ROLE_ASSIGNMENT', 'no role', base, {}],
  [
    'NO_ROLE_ASSIGNMENT',
    'a role on another cluster',
    [...base, facts.cluster(2, 'staging'), facts.assigned(1, 1, { cluster: 2 })],
    {},
  ],
  ['NO_ROLE_ASSIGNMENT', 'a role that was taken away', [...withRole, facts.unassigned()], {}],
  ['NO_ROLE_ASSIGNMENT', 'a role that was deleted', [...withRole, facts.roleDeleted()], {}],
  ['NO_ROLE_ASSIGNMENT', 'a grant that ended', [...base, ...facts.granted({ until: after(60) })], { now: after(60) }],
  [
    'NO_ROLE_ASSIGNMENT',
    'a grant that has not begun',
    [...base, ...facts.granted({ from: after(10), until: after(60) })],
    {},
  ],
  [
    'NO_ROLE_ASSIGNMENT',
    'a revoked grant',
    [...base, ...facts.granted({ until: after(60) }), facts.grantRevoked()],
    {},
  ],
  [
    'NO_ROLE_ASSIGNMENT',
    'a grant of a deleted role',
    [...base, ...facts.granted({ until: after(60) }), facts.roleDeleted()],
    {},
  ],
  [
    'NO_ROLE_ASSIGNMENT',
    'a grant from before its owner was disabled',
    [...base, ...facts.granted({ until: after(60) }), facts.userDisabled(), facts.userEnabled(), facts.issued(2)],
    { claims: { credential_id: credentialId(2) } },
  ],
];

describe('a request that may not', () => {
  it.each(refusals)('is %s for %s', (code, _what, ...[log, asked]) => {
    expect(() => ask(log, asked)).toThrow(expect.objectContaining({ name: 'Refusal', code }));
  });

  it('tells a person without a role what to do', () => {
    expect(() => ask(base)).toThrow(
      "user-1@corp.com has no active role on cluster 'prod'. Ask an administrator for a role, or request access with 'clustral access request prod --role <role>'.",
    );
  });

  it('tells when a credential expired', () => {
    expect(() => ask(withRole, { now: after(9_999) })).toThrow(
      expect.objectContaining({ metadata: expect.objectContaining({ expiredAt: after(3_600).toISOString() }) }),
    );
  });
});
