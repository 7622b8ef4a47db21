import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { authorize } from './authorize.ts';
import { Backlog } from './backlog.ts';
import { after, clusterId, credentialId, noon, userId } from './domain/fixtures.ts';
import { initialAccess, type AccessState } from './domain/access.ts';
import { initialCredential, type CredentialState } from './domain/credential.ts';
import { endedUnsaid, nextRunsOut, type Ended } from './endings.ts';
import type { PolicyFact } from './policy-facts.ts';
import { facts, noonSeconds, type PolicyWorld, worldOf } from './testing/policy-world.ts';

const people = [1, 2];
const clusters = [1, 2];

/** What the decider of an unsaid end says, on the state that the world has now. */
function say(world: PolicyWorld, ended: Ended, now = noon): readonly PolicyFact[] {
  const [subject = ''] = ended.stream.split(/-(.*)/).slice(1);
  if (ended.of === 'credential') {
    const state: CredentialState = world.fold.credential(subject as never) ?? initialCredential;
    return ended.decide(state, now);
  }
  const [user, cluster] = subject.split('.');
  const state: AccessState = world.fold.access(user as never, cluster as never) ?? initialAccess;
  return ended.decide(state, now);
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
type Action = (at: number) => readonly PolicyFact[];
const earlier = fc.nat(12);
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ n: person, r: role, cluster: place }).map(({ n, r, cluster }): Action => (at) => [
    facts.assigned(n, r, { cluster, id: `a-${at}` }),
  ]),
  fc.record({ n: person, id: earlier }).map(({ n, id }): Action => () => [facts.unassigned(n, `a-${id}`)]),
  fc.record({ n: person, role }).map((of): Action => (at) => [facts.requested(`r-${at}`, of)]),
  fc.record({ n: person, role, id: earlier }).map(({ id, ...of }): Action => () => [facts.approved(`r-${id}`, of)]),
  fc.record({ n: person, role }).map(
    (of): Action =>
      (at) =>
        facts.granted({ ...of, id: `r-${at}`, until: after(600) }),
  ),
  fc.record({ n: person, id: earlier }).map(({ n, id }): Action => () => [facts.grantRevoked(`r-${id}`, n)]),
  fc.record({ n: person, cluster: place }).map(({ n, cluster }): Action => (at) => [facts.issued(at, n, { cluster })]),
  fc.record({ n: person, id: earlier }).map(({ n, id }): Action => () => [facts.revoked(id, n)]),
  person.map((n): Action => () => [facts.userDisabled(n)]),
  person.map((n): Action => () => [facts.userEnabled(n)]),
  role.map((r): Action => () => [facts.roleDeleted(r)]),
  place.map((c): Action => () => [facts.clusterDeleted(c)]),
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
          silent.add(act(at));
          spoken.add(act(at));
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

  it('is found without looking at everybody each time', () => {
    const step = fc.record({ action, waited: fc.constantFrom(0, 0, 300) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        const world = worldOf(...beginning);
        const backlog = new Backlog();
        let seconds = 0;
        for (const [at, { action: act, waited }] of steps.entries()) {
          seconds += waited;
          const now = after(seconds);
          const before = world.log.length;
          world.add(act(at));
          for (const fact of world.log.slice(before)) backlog.note(fact);
          for (const ended of backlog.take(world.fold, now)) world.add(say(world, ended, now));
          expect(endedUnsaid(world.fold, now)).toEqual([]);
        }
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
    expect(only?.cause).toEqual({ factId: world.log.at(-1)?.id, correlationId: 'correlation' });
  });

  it('is not said of an assignment that only sleeps while its person is disabled', () => {
    const world = worldOf(...beginning, facts.assigned(1, 1), facts.userDisabled(1));
    expect(endedUnsaid(world.fold, noon)).toEqual([]);
  });

  it('is said of a request once, as run out when it has run out meanwhile', () => {
    const world = worldOf(...beginning, ...facts.granted({ until: after(60) }), facts.roleDeleted(1));
    const said = (now: Date) => endedUnsaid(world.fold, now).flatMap((ended) => say(world, ended, now));
    expect(said(after(59))).toMatchObject([{ type: 'access_request.revoked', data: { reason: 'role deleted' } }]);
    expect(said(after(60))).toMatchObject([{ type: 'access_request.expired' }]);
    world.add(said(after(60)));
    expect(said(after(61))).toEqual([]);
  });
});

describe('a request or grant that runs out', () => {
  const requested = [...beginning, facts.requested('r-1')];
  const granted = [...beginning, ...facts.granted({ until: after(60) })];

  it.each([
    ['request', requested, 3_600],
    ['grant', granted, 60],
  ] as const)('is said to have expired from its last instant on, with what it began with as the cause: %s', (...of) => {
    const [, log, seconds] = of;
    const world = worldOf(...log);
    expect(endedUnsaid(world.fold, after(seconds - 0.001))).toEqual([]);
    const [ended, ...others] = endedUnsaid(world.fold, after(seconds));
    expect(others).toEqual([]);
    expect(ended?.cause).toEqual({ factId: world.log.at(-1)?.id, correlationId: 'correlation' });
    expect(ended && say(world, ended, after(seconds + 5_000))).toMatchObject([
      { type: 'access_request.expired', data: { expiredAt: after(seconds).toISOString() } },
    ]);
  });

  it('is not said to have when the clock was set back before it was said', () => {
    const world = worldOf(...granted);
    const [ended] = endedUnsaid(world.fold, after(60));
    expect(ended && say(world, ended, after(59))).toEqual([]);
  });

  it('is awaited in time, the first of all first', () => {
    const world = worldOf(...granted, facts.requested('r-2', { n: 2 }));
    expect(nextRunsOut(world.fold, noon)).toEqual(after(60));
    expect(nextRunsOut(world.fold, after(60))).toEqual(after(3_600));
    expect(nextRunsOut(world.fold, after(3_600))).toBeUndefined();
  });
});

describe('a backlog', () => {
  const given = Array.from({ length: 1_001 }, (_, n) => facts.issued(n, 1));

  it('says whether a fact gives it something to look at', () => {
    const world = worldOf(facts.requested(), facts.approved(), facts.grantRevoked(), facts.userEnabled(), ...given);
    const backlog = new Backlog();
    expect(world.log.slice(0, 5).map((fact) => backlog.note(fact))).toEqual([true, true, false, false, true]);
  });

  it('looks at everybody when it would have to remember too many, and after a failure', () => {
    const world = worldOf(...beginning, facts.assigned(), facts.roleDeleted(), ...given);
    const backlog = new Backlog();
    const found = (): number => backlog.take(world.fold, noon).length;
    expect([found(), found()]).toEqual([1, 0]);
    for (const fact of world.log.slice(-1_000)) backlog.note(fact);
    expect(found()).toBe(0);
    for (const fact of world.log.slice(-1_001)) backlog.note(fact);
    expect(found()).toBe(1);
    backlog.all();
    expect(found()).toBe(1);
  });
});

describe('a subject whose facts cannot be read', () => {
  it('keeps nobody waiting: what has ended of others is said', () => {
    const world = worldOf(...beginning, ...facts.granted({ until: after(60) }));
    world.add(facts.granted({ n: 2, id: 'r-2', until: after(60) }));
    world.add([facts.grantRevoked('r-1')], (fact) => ({ ...fact, type: 'access_request.paused' }));
    expect(endedUnsaid(world.fold, after(60))).toHaveLength(1);
  });
});
