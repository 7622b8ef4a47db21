/**
 * D32 under races: commands of people are decided by the real deciders on the fold as it is, then facts of other streams
 * get into the log before what was decided does. Two worlds see the same: in one a reactor says what has ended now and
 * then, in the other nobody ever does. Access in both must be what the log alone says to somebody who reads it slowly.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import { accessStream } from '@clustral/schemas/events/access.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { activeGrant } from './domain/access-checks.ts';
import { endsOf, type Ends } from './domain/access-ends.ts';
import { approveRequest, denyRequest } from './domain/access-decision.ts';
import { admin, approving, asking } from './domain/access-fixtures.ts';
import { askForAccess, revokeGrant, withdrawRequest } from './domain/access-request.ts';
import { initialAccess, type AccessState } from './domain/access.ts';
import { assignRole } from './domain/assignment.ts';
import { after, clusterId, noon, review, roleId, userId } from './domain/fixtures.ts';
import { liveRole, standingOf } from './domain/standing.ts';
import { endedUnsaid } from './endings.ts';
import type { PolicyFact } from './policy-facts.ts';
import { facts, worldOf, type PolicyWorld } from './testing/policy-world.ts';

const pair = { userId: userId(), clusterId: clusterId() };
const stream = accessStream(pair.userId, pair.clusterId);
const beginning = [facts.cluster(), facts.role(1, 'one'), facts.role(2, 'two'), facts.user(), facts.user(8)];

type Decide = (world: PolicyWorld, on: { state: AccessState; ends: Ends; now: Date }) => readonly AccessFact[];

const stateOf = ({ fold }: PolicyWorld): AccessState => fold.access(pair.userId, pair.clusterId) ?? initialAccess;
const newestId = ({ log }: PolicyWorld): string =>
  log.flatMap(({ type, data }) => (type === 'access_request.created' ? [data.accessRequestId] : [])).at(-1) ?? 'none';

/** Asks for a role that `needed` people must approve; to prolong the grant, while there is one. */
function ask(
  world: PolicyWorld,
  { role, needed = 1 }: { readonly role: number; readonly needed?: number },
  { state, ends, now }: Parameters<Decide>[1],
): readonly AccessFact[] {
  const live = liveRole(world.fold, roleId(role));
  if (!live) return [];
  const accessRequestId = `r-${world.log.length}-${now.getTime()}`;
  const asked = { accessRequestId, roleId: live.roleId, roleRevision: live.revision, durationSeconds: 200 };
  const extended = activeGrant(state, ends, now)?.accessRequestId ?? null;
  return askForAccess(
    asking({ ...asked, review: review({ approvals: needed }), decidableSeconds: 100, now, extends: extended }),
    state,
    ends,
  );
}

const decisionOf = (world: PolicyWorld, now: Date, by = 9) =>
  approving({ accessRequestId: newestId(world), reviewer: admin(by), now, maxSeconds: 300 });

const approve: Decide = (world, { state, ends, now }) => approveRequest(decisionOf(world, now), state, ends);
const approveToo: Decide = (world, { state, ends, now }) => approveRequest(decisionOf(world, now, 8), state, ends);
const commands: fc.Arbitrary<Decide> = fc.constantFrom<Decide[]>(
  (world, on) => ask(world, { role: 1 }, on),
  (world, on) => ask(world, { role: 1, needed: 2 }, on),
  (world, on) => ask(world, { role: 2 }, on),
  approve,
  approve,
  approveToo,
  approveToo,
  (world, { state, ends, now }) => denyRequest({ ...decisionOf(world, now), reason: '' }, state, ends),
  (world, { state, ends, now }) => withdrawRequest(decisionOf(world, now), state, ends),
  (world, { state, ends, now }) => revokeGrant({ ...decisionOf(world, now), reason: '' }, state, ends),
  (_, { state }) => assignRole({ ...pair, assignmentId: 'a', roleId: roleId(2) }, state),
);

/** What others write: to streams of their own, so nothing but the fold tells the decider. */
const disabled = [facts.userDisabled()];
const enabled = [facts.userEnabled()];
const reviewerGone = [facts.userDisabled(8), facts.userEnabled(8)];
const others = fc.oneof(
  { weight: 8, arbitrary: fc.constant<PolicyFact[]>([]) },
  { weight: 6, arbitrary: fc.constantFrom(disabled, enabled, [...disabled, ...enabled], reviewerGone) },
  { weight: 1, arbitrary: fc.constantFrom([facts.roleDeleted(1)], [facts.roleDeleted(2)], [facts.clusterDeleted()]) },
);

const step = fc.record({
  decide: commands,
  between: others,
  waited: fc.constantFrom(0, 0, 30, 90),
  said: fc.nat(3),
});

function run(
  world: PolicyWorld,
  now: Date,
  { decide, between = [] }: { readonly decide: Decide; readonly between?: readonly PolicyFact[] },
): void {
  const state = stateOf(world);
  let decided: readonly AccessFact[] = [];
  try {
    decided = decide(world, { state, ends: endsOf(world.fold, state), now });
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
  }
  world.add(between);
  world.add(decided);
}

function saySome(world: PolicyWorld, count: number, now: Date): void {
  for (const ended of endedUnsaid(world.fold, now).slice(0, count)) {
    if (ended.of === 'access') world.add(ended.decide(stateOf(world), now));
  }
}

const roleGivenBy = (world: PolicyWorld, now: Date): string | undefined =>
  standingOf(world.fold, pair, now)?.role.roleId;

/** What the log alone says: read from the front, without any state but what a rule needs. */
function roleByTheLog({ log }: PolicyWorld, now: Date): string | undefined {
  const has = (type: string, matches: (data: object) => boolean = () => true) =>
    log.some((fact) => fact.type === type && matches(fact.data));
  const ofPerson = (said: 'disabled' | 'enabled') => (fact: PolicyFact) =>
    fact.type === `user.${said}` && 'userId' in fact.data && fact.data.userId === pair.userId;
  const [isDisabled, isEnabled] = [ofPerson('disabled'), ofPerson('enabled')];
  const isGone = (role: string) => has('role.deleted', (data) => 'roleId' in data && data.roleId === role);
  if (has('cluster.deleted')) return undefined;
  if (log.findLastIndex(isDisabled) > log.findLastIndex(isEnabled)) return undefined;
  const assigned = log.findLast(({ type }) => type.startsWith('user.role_'));
  if (assigned?.type === 'user.role_assigned' && !isGone(assigned.data.roleId)) return assigned.data.roleId;
  const grants = log.filter((fact) => {
    if (fact.type !== 'access_request.approved') return false;
    const { accessRequestId, grantStartsAt, grantExpiresAt, roleId: role } = fact.data;
    const isOfIt = (data: object) => 'accessRequestId' in data && data.accessRequestId === accessRequestId;
    const madeAt = log.findIndex(({ type, data }) => type === 'access_request.created' && isOfIt(data));
    const isDead = log.slice(madeAt).some(isDisabled);
    const isOver = ['revoked', 'expired'].some((how) => has(`access_request.${how}`, isOfIt));
    const isIn = Date.parse(grantStartsAt) <= now.getTime() && now.getTime() < Date.parse(grantExpiresAt);
    return isIn && !isDead && !isOver && !isGone(role);
  });
  expect(grants.length).toBeLessThanOrEqual(1);
  const [grant] = grants;
  return grant?.type === 'access_request.approved' ? grant.data.roleId : undefined;
}

describe('access under races', () => {
  it('is what the log says, whatever came between a decision and its fact, and whether a reactor ever spoke', () => {
    let given = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 16 }), (steps) => {
        const [silent, spoken] = [worldOf(...beginning), worldOf(...beginning)];
        let seconds = 0;
        for (const { decide, between, waited, said } of steps) {
          seconds += waited;
          const now = after(seconds);
          for (const world of [silent, spoken]) run(world, now, { decide, between });
          saySome(spoken, said, now);
          for (const at of [now, after(seconds + 99), after(seconds + 199)]) {
            expect(roleGivenBy(silent, at)).toBe(roleByTheLog(silent, at));
            expect(roleGivenBy(spoken, at)).toBe(roleGivenBy(silent, at));
          }
          if (roleGivenBy(spoken, now) === roleId(1)) given += 1;
        }
        saySome(spoken, 99, after(seconds));
        expect(endedUnsaid(spoken.fold, after(seconds))).toEqual([]);
      }),
      { numRuns: 600 },
    );
    expect(given).toBeGreaterThan(20);
  });

  it('ends for ever with the person who was disabled between the approval and its fact', () => {
    const world = worldOf(...beginning);
    run(world, noon, { decide: (_, on) => ask(world, { role: 1 }, on) });
    run(world, noon, { decide: approve, between: [facts.userDisabled(), facts.userEnabled()] });
    expect(world.log.at(-1)).toMatchObject({ type: 'access_request.approved', stream });
    expect(roleGivenBy(world, noon)).toBeUndefined();
    expect(endedUnsaid(world.fold, noon)).toHaveLength(1);
  });
});
