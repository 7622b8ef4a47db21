import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { UserFact } from '@clustral/schemas/events/user.ts';
import { claims, recorded, userId } from './fixtures.ts';
import {
  disableUser,
  enableUser,
  evolveUser,
  initialUser,
  ownerOfName,
  syncUser,
  usableName,
  type KnownUser,
  type SyncUser,
  type UserState,
} from './user.ts';

type Synced = Extract<UserFact, { type: 'user.synced' }>;

const synced = (n: number, said: Partial<Synced['data']> = {}): Synced => ({
  type: 'user.synced',
  data: {
    userId: userId(n),
    claims: claims(),
    kubernetesName: 'alice@corp.com',
    nameClass: 'verified',
    signedInAt: '2026-11-25T08:00:00.000Z',
    ...said,
  },
});
const disabled = (n: number): UserFact => ({ type: 'user.disabled', data: { userId: userId(n) } });
const enabled = (n: number): UserFact => ({ type: 'user.enabled', data: { userId: userId(n) } });

const fold = (facts: readonly UserFact[], from = 0): UserState =>
  facts.reduce<UserState>(
    (state, fact, at) =>
      evolveUser(state, recorded(fact, { revision: at, position: from + at * 10 }) as Recorded<UserFact>),
    initialUser,
  );
const known = (facts: readonly UserFact[], from = 0): KnownUser => fold(facts, from) as KnownUser;

const told = (said: Partial<SyncUser> = {}): SyncUser => ({
  userId: userId(),
  claims: claims(),
  kubernetesName: { name: 'alice@corp.com', nameClass: 'verified' },
  signedInAt: '2026-11-25T08:00:00.000Z',
  ...said,
});

describe('making a person known', () => {
  it('leaves a fact at first sight', () => {
    expect(syncUser(told(), initialUser)).toEqual([synced(1)]);
  });

  it('leaves none when nothing is new', () => {
    expect(syncUser(told(), fold([synced(1)]))).toEqual([]);
  });

  it.each<[string, Partial<SyncUser>]>([
    ['a claim changed', { claims: claims({ name: 'Alice B.' }) }],
    ['a role was added', { claims: claims({ roles: ['clustral-admin'] }) }],
    ['the name that may be used changed', { kubernetesName: { name: 'alice', nameClass: 'claimed' } }],
    ['they signed in again', { signedInAt: '2026-11-25T09:00:00.000Z' }],
  ])('leaves a fact when %s', (_, said) => {
    expect(syncUser(told(said), fold([synced(1)]))).toHaveLength(1);
  });

  it('takes nothing from the token of an older sign-in', () => {
    const older = told({ claims: claims({ name: 'Old' }), signedInAt: '2026-11-24T08:00:00.000Z' });
    expect(syncUser(older, fold([synced(1)]))).toEqual([]);
  });

  it('does not mind in which order groups come', () => {
    const state = fold([synced(1, { claims: claims({ groups: ['a', 'b'] }) })]);
    expect(syncUser(told({ claims: claims({ groups: ['b', 'a'] }) }), state)).toEqual([]);
  });
});

describe('disabling a person', () => {
  it('marks its place in the log, which stays when the person is enabled again', () => {
    expect(known([synced(1), disabled(1)])).toMatchObject({ status: 'disabled', endedBefore: 10n });
    expect(known([synced(1), disabled(1), enabled(1)])).toMatchObject({ status: 'active', endedBefore: 10n });
  });

  it('survives whatever the provider says later', () => {
    expect(fold([synced(1), disabled(1), synced(1)]).status).toBe('disabled');
  });

  it('is nothing for somebody who was never seen', () => {
    expect(fold([disabled(1)])).toBe(initialUser);
  });
});

describe('whose a name is', () => {
  const verified = (n: number, at: number) => known([synced(n)], at);
  const claimed = (n: number, at: number) => known([synced(n, { nameClass: 'claimed' })], at);

  it('is of whoever claimed it first', () => {
    expect(ownerOfName([verified(2, 100), verified(1, 50)])?.userId).toBe(userId(1));
  });

  it('goes to a verified e-mail, however late it came', () => {
    expect(ownerOfName([claimed(1, 0), verified(2, 100)])?.userId).toBe(userId(2));
  });

  it('is free once its owner is disabled, and not theirs again when they return', () => {
    const gone = known([synced(1), disabled(1)]);
    const other = verified(2, 5);
    const back = known([synced(1), disabled(1), enabled(1)]);
    expect(ownerOfName([gone, other])?.userId).toBe(userId(2));
    expect(ownerOfName([back, other])?.userId).toBe(userId(2));
  });

  it('begins anew when the name was another in between', () => {
    const moved = known([synced(1), synced(1, { kubernetesName: 'other' }), synced(1)]);
    expect(moved.namedAtPosition).toBe(20n);
    expect(known([synced(1), synced(1, { kubernetesName: 'ALICE@corp.com' })]).namedAtPosition).toBe(0n);
  });

  it('is of exactly one person, in whatever order the people are looked at', () => {
    const people = fc.uniqueArray(fc.record({ n: fc.nat(30), at: fc.nat(300), isVerified: fc.boolean() }), {
      selector: ({ n }) => n,
      minLength: 1,
    });
    fc.assert(
      fc.property(people, (drawn) => {
        const all = drawn.map(({ n, at, isVerified }) => (isVerified ? verified : claimed)(n, at * 31 + n));
        const allowed = all.filter((person) => {
          try {
            return usableName(person, all) !== '';
          } catch {
            return false;
          }
        });
        expect(allowed).toHaveLength(1);
        expect(ownerOfName(all.toReversed())?.userId).toBe(allowed[0]?.userId);
      }),
    );
  });

  it('is refused to the other one with both ways out', () => {
    expect(() => usableName(verified(2, 100), [verified(1, 0), verified(2, 100)])).toThrow(
      expect.objectContaining({
        code: 'USER_NAME_TAKEN',
        message: expect.stringMatching(/disable.*OIDC_SUBJECT_NAMED_ISSUERS/),
      }),
    );
  });

  it('is none at all when Kubernetes keeps it for itself', () => {
    const person = known([synced(1, { kubernetesName: null })]);
    expect(() => usableName(person, [])).toThrow(expect.objectContaining({ code: 'RESERVED_USER_NAME' }));
  });
});

describe('whether a person may act', () => {
  const disable = (state: UserState, byUserId = userId(9)) => disableUser({ userId: userId(1), byUserId }, state);
  const enable = (state: UserState) => enableUser({ userId: userId(1) }, state);
  const refusedWith = (code: string) => expect.objectContaining({ code });

  it('is one fact when it changes and none when it does not', () => {
    const [active, out] = [known([synced(1)]), known([synced(1), disabled(1)])];
    expect([disable(active), enable(out)]).toEqual([[disabled(1)], [enabled(1)]]);
    expect([disable(out), enable(active)]).toEqual([[], []]);
  });

  it('is not decided of somebody who never was here, nor by oneself (AZ-04)', () => {
    expect(() => disable(initialUser)).toThrow(refusedWith('USER_NOT_FOUND'));
    expect(() => enable(initialUser)).toThrow(refusedWith('USER_NOT_FOUND'));
    expect(() => disable(known([synced(1)]), userId(1))).toThrow(refusedWith('FORBIDDEN'));
  });
});
