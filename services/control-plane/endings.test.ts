import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { authorize } from './authorize.ts';
import { after, clusterId, credentialId, noon, userId } from './domain/fixtures.ts';
import { initialAccess, type AccessState } from './domain/access.ts';
import { initialCredential, type CredentialState } from './domain/credential.ts';
import { endedUnsaid, type Ended } from './endings.ts';
import type { PolicyFact } from './policy-facts.ts';
import { facts, noonSeconds, type PolicyWorld, worldOf } from './testing/policy-world.ts';

const people = [1, 2];
const clusters = [1, 2];

/** What the decider of an unsaid end says, on the state that the world has now. */
function say(world: PolicyWorld, ended: Ended): readonly PolicyFact[] {
  const [subject = ''] = ended.stream.split(/-(.*)/).slice(1);
  if (ended.of === 'credential') {
    const state: CredentialState = world.fold.credential(subject as never) ?? initialCredential;
    return ended.decide(state);
  }
  const [user, cluster] = subject.split('.');
  const state: AccessState = world.fold.access(user as never, cluster as never) ?? initialAccess;
  return ended.decide(state);
}

/** Every answer that the world gives: to each person, on each cluster, with each credential. */
function answers(world: PolicyWorld, credentials: number): readonly string[] {
  return people.flatMap((person) =>
    clusters.flatMap((cluster) =>
      Array.from({ length: credentials }, (_, n) => {
        const asked = { sub: userId(person), cluster_id: clusterId(cluster), credential_id: credentialId(n) };
        const claims = { kind: 'internal', iat: noonSeconds, exp: noonSeconds, ...asked } as const;
        try {
          const { groups, notAfter } = authorize(world.fold, { claims, clusterId: clusterId(cluster) }, noon);
          return `${groups.join()} until ${notAfter.toISOString()}`;
        } catch (refusal) {
          if (refusal instanceof Refusal) return refusal.code;
          throw refusal;
        }
      }),
    ),
  );
}

const person = fc.constantFrom(...people);
const place = fc.constantFrom(...clusters);
const role = fc.constantFrom(1, 2);

/** One thing that happens; `at` makes its ids its own. */
type Action = (at: number) => PolicyFact;
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.tuple(person, role, place).map(
    ([n, r, c]): Action =>
      (at) =>
        facts.assigned(n, r, { cluster: c, id: `a-${at}` }),
  ),
  fc.tuple(person, fc.nat(12)).map(
    ([n, id]): Action =>
      () =>
        facts.unassigned(n, `a-${id}`),
  ),
  fc.tuple(person, role).map(
    ([n, r]): Action =>
      (at) =>
        facts.granted({ n, role: r, id: `r-${at}`, until: after(600) }),
  ),
  fc.tuple(person, fc.nat(12)).map(
    ([n, id]): Action =>
      () =>
        facts.grantRevoked(`r-${id}`, n),
  ),
  fc.tuple(person, place).map(
    ([n, c]): Action =>
      (at) =>
        facts.issued(at, n, { cluster: c }),
  ),
  fc.tuple(person, fc.nat(12)).map(
    ([n, id]): Action =>
      () =>
        facts.revoked(id, n),
  ),
  person.map(
    (n): Action =>
      () =>
        facts.userDisabled(n),
  ),
  person.map(
    (n): Action =>
      () =>
        facts.userEnabled(n),
  ),
  role.map(
    (r): Action =>
      () =>
        facts.roleDeleted(r),
  ),
  place.map(
    (c): Action =>
      () =>
        facts.clusterDeleted(c),
  ),
);
const beginning = [
  ...clusters.map((n) => facts.cluster(n, `cluster-${n}`)),
  facts.role(1, 'one'),
  facts.role(2, 'two'),
  ...people.map((n) => facts.user(n)),
];

describe('what a fact ends', () => {
  it('is the same whether and when the reactor says it, and after a crash in the midst of saying it', () => {
    const step = fc.record({ action, said: fc.nat(4), isCrash: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        const silent = worldOf(...beginning);
        let spoken = worldOf(...beginning);
        for (const [at, { action: act, said, isCrash }] of steps.entries()) {
          silent.add([act(at)]);
          spoken.add([act(at)]);
          for (const ended of endedUnsaid(spoken.fold, noon).slice(0, said)) spoken.add(say(spoken, ended));
          if (isCrash) spoken = worldOf(...spoken.log);
          expect(answers(spoken, steps.length)).toEqual(answers(silent, steps.length));
        }
        for (const ended of endedUnsaid(spoken.fold, noon)) spoken.add(say(spoken, ended));
        expect(endedUnsaid(spoken.fold, noon)).toEqual([]);
        expect(answers(spoken, steps.length)).toEqual(answers(silent, steps.length));
      }),
      { numRuns: 150 },
    );
  });

  it('names the fact that ended it, and nothing that goes on', () => {
    const world = worldOf(
      ...beginning,
      facts.assigned(1, 1),
      facts.assigned(2, 2),
      facts.issued(1),
      facts.roleDeleted(1),
    );
    const [only, ...others] = endedUnsaid(world.fold, noon);
    expect(others).toEqual([]);
    expect(only?.endedBy).toMatch(/^role-/);
    expect(world.fold.ending(only?.endedBy ?? '')?.factId).toBe(world.log.at(-1)?.id);
  });

  it('is not said of an assignment that only sleeps while its person is disabled', () => {
    const world = worldOf(...beginning, facts.assigned(1, 1), facts.userDisabled(1));
    expect(endedUnsaid(world.fold, noon)).toEqual([]);
  });

  it('is not said of a grant that is over by itself', () => {
    const world = worldOf(...beginning, facts.granted({ until: after(60) }), facts.roleDeleted(1));
    expect(endedUnsaid(world.fold, after(59))).toHaveLength(1);
    expect(endedUnsaid(world.fold, after(60))).toEqual([]);
  });
});
