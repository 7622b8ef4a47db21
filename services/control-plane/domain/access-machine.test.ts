/**
 * One access through any sequence of commands: what the deciders allow and refuse is what a simple model says that a
 * person would keep in mind, and what must hold of every log holds of this one.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import { approveRequest, denyRequest } from './access-decision.ts';
import { expireRequest, sayEnds } from './access-ends.ts';
import { admin, approving, asking, member, noEnds, pair } from './access-fixtures.ts';
import { askForAccess, revokeGrant, withdrawRequest } from './access-request.ts';
import { evolveAccess, initialAccess, type AccessState } from './access.ts';
import { assignRole, unassignRole } from './assignment.ts';
import { after, recorded, review, roleId, userId } from './fixtures.ts';

const rules = review({ approvals: 2, reviewerGroups: ['oncall'] });
const longest = 300;
const decidable = 100;

type Grant = { readonly id: string; readonly from: number; readonly until: number; readonly since: number };
type Pending = {
  readonly id: string;
  readonly until: number;
  readonly needed: number;
  readonly startsAt: number | undefined;
  readonly extends: string | undefined;
  readonly approvals: ReadonlyMap<number, number>;
};
/** Seconds from noon on. */
type Model = { now: number; hasRole: boolean; pending: Pending | undefined; grant: Grant | undefined };
type Step = {
  readonly what: string;
  readonly who: number;
  readonly seconds: number;
  readonly which: number;
  readonly needed: number;
  readonly ahead: number;
};

/** Person 1 asks; 7 is nobody's reviewer, 8 an administrator, 9 on call. */
const reviewers = { 1: admin(1), 7: member(7, 'staff'), 8: admin(8), 9: member(9, 'oncall') } as const;
const reviewerOf = (who: number) => reviewers[who as keyof typeof reviewers];

const isActive = ({ grant, now }: Model): boolean => grant !== undefined && grant.until > now;

function expectedOfAsk(model: Model, { seconds, needed, ahead, what }: Step, id: string): string | undefined {
  if (model.hasRole) return 'STATIC_ASSIGNMENT_EXISTS';
  const { grant } = model;
  const isExtension = what === 'extend';
  if (!isExtension && isActive(model)) return 'GRANT_ALREADY_ACTIVE';
  if (model.pending && model.pending.until > model.now) return 'PENDING_REQUEST_EXISTS';
  if (seconds > longest) return 'INVALID_DURATION';
  if (isExtension) {
    if (!grant || !isActive(model)) return 'GRANT_NOT_ACTIVE';
    const end = Math.max(model.now, grant.from) + seconds;
    if (end > grant.since + longest || end <= grant.until) return 'INVALID_DURATION';
  }
  model.pending = {
    id,
    until: model.now + decidable,
    needed,
    startsAt: isExtension || ahead === 0 ? undefined : model.now + ahead,
    extends: isExtension ? grant?.id : undefined,
    approvals: new Map(),
  };
  return undefined;
}

function expectedOfApproval(model: Model, { who, seconds }: Step): string | undefined {
  const { pending, grant, now } = model;
  if (!pending) return 'REFUSED';
  if (model.hasRole) return 'STATIC_ASSIGNMENT_EXISTS';
  if (pending.extends === undefined ? isActive(model) : !isActive(model) || grant?.id !== pending.extends)
    return pending.extends === undefined ? 'GRANT_ALREADY_ACTIVE' : 'GRANT_NOT_ACTIVE';
  if (seconds > longest) return 'INVALID_DURATION';
  if (pending.approvals.has(who)) return 'APPROVED_ALREADY';
  const approvals = new Map([...pending.approvals, [who, seconds] as const]);
  const least = Math.min(...approvals.values());
  const extended = pending.extends === undefined ? undefined : grant;
  const from = Math.max(now, pending.startsAt ?? 0, extended?.from ?? 0);
  const until = Math.min(from + least, (extended?.since ?? from) + longest);
  if (extended && until <= extended.until) return 'INVALID_DURATION';
  if (approvals.size < pending.needed) {
    model.pending = { ...pending, approvals };
    return undefined;
  }
  model.grant = { id: pending.id, from, until, since: extended?.since ?? from };
  model.pending = undefined;
  return undefined;
}

/** The code that a command must be refused with, or nothing; and the model after it. */
function expectedOf(model: Model, step: Step, id: string): string | undefined {
  const isPending = model.pending?.id === id && model.pending.until > model.now;
  switch (step.what) {
    case 'ask':
    case 'extend':
      return expectedOfAsk(model, step, id);
    case 'approve':
    case 'deny':
      if (step.who === 1) return 'SELF_APPROVAL';
      if (!isPending) return 'REFUSED';
      if (step.who === 7) return 'FORBIDDEN';
      if (step.what === 'approve') return expectedOfApproval(model, step);
      model.pending = undefined;
      return undefined;
    case 'withdraw':
      if (!isPending) return 'REFUSED';
      model.pending = undefined;
      return undefined;
    case 'revoke':
      if (model.grant?.id !== id || !isActive(model)) return 'GRANT_NOT_ACTIVE';
      model.grant = undefined;
      return undefined;
    default:
      return undefined;
  }
}

type On = { readonly id: string; readonly now: Date; readonly state: AccessState };

function commandOf({ what, who, seconds, needed, ahead }: Step, { id, now, state }: On): readonly AccessFact[] {
  const of = { accessRequestId: id, now, maxSeconds: longest };
  const decision = approving({ ...of, reviewer: reviewerOf(who), roleRevision: 4, durationSeconds: seconds });
  const ask = asking({
    ...of,
    review: { ...rules, approvals: needed },
    durationSeconds: seconds,
    decidableSeconds: decidable,
  });
  const assignmentId = state.status === 'known' ? (state.assignment?.assignmentId ?? '') : '';
  switch (what) {
    case 'ask': {
      const startsAt = ahead === 0 ? null : new Date(now.getTime() + ahead * 1000);
      return askForAccess({ ...ask, startsAt }, state, noEnds);
    }
    case 'extend': {
      const held = state.status === 'known' ? state.grant?.accessRequestId : undefined;
      return askForAccess({ ...ask, extends: held ?? 'none' }, state, noEnds);
    }
    case 'approve':
      return approveRequest(decision, state, noEnds);
    case 'deny':
      return denyRequest({ ...decision, reason: '' }, state, noEnds);
    case 'withdraw':
      return withdrawRequest(decision, state, noEnds);
    case 'revoke':
      return revokeGrant({ ...decision, reason: '' }, state, noEnds);
    case 'expire':
      return expireRequest(of, state, now);
    case 'assign':
      return assignRole({ ...pair, assignmentId: 'a', roleId: roleId() }, state);
    case 'unassign':
      return assignmentId === '' ? [] : unassignRole(assignmentId, state);
    default:
      return [];
  }
}

const outcomeOf = (step: Step, on: On): readonly AccessFact[] | Refusal => {
  try {
    return commandOf(step, on);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown;
    throw thrown;
  }
};

function checkInvariants(log: readonly AccessFact[], state: AccessState): void {
  const of = (types: RegExp) =>
    log.flatMap(({ type, data }) => (types.test(type) && 'accessRequestId' in data ? [data.accessRequestId] : []));
  const made = of(/created$/);
  const approvals = of(/approved$/);
  const ends = of(/denied$|revoked$|expired$|withdrawn$/);
  for (const once of [made, approvals, ends]) expect(new Set(once).size).toBe(once.length);
  for (const fact of log) if (fact.type === 'access_request.approved') checkGrant(log, fact.data);
  // Whatever was asked for and has not ended is what the state holds, and nothing else.
  const open = made.filter((id) => !ends.includes(id));
  const held =
    state.status === 'known' ? [state.grant, state.pending].flatMap((part) => part?.accessRequestId ?? []) : [];
  expect(held.toSorted()).toEqual(open.toSorted());
  expect(open.filter((id) => approvals.includes(id)).length).toBeLessThanOrEqual(1);
  expect(sayEnds(state, noEnds, after(1e9)).length).toBe(open.length);
}

type Data<Type extends AccessFact['type']> = Extract<AccessFact, { type: Type }>['data'];

/** As many different people as the rules of its request ask for, the requester never among them; never too long. */
function checkGrant(log: readonly AccessFact[], granted: Data<'access_request.approved'>): void {
  const asked = log.find(
    (fact): fact is Extract<AccessFact, { type: 'access_request.created' }> =>
      fact.type === 'access_request.created' && fact.data.accessRequestId === granted.accessRequestId,
  );
  expect(new Set(granted.approverIds).size).toBe(asked?.data.review?.approvals);
  expect(granted.approverIds).not.toContain(userId());
  expect(granted.approverIds).not.toContain(userId(7));
  expect(Date.parse(granted.grantExpiresAt) - Date.parse(granted.grantStartsAt)).toBeLessThanOrEqual(longest * 1000);
}

/** As often as it takes to come everywhere. */
const often =
  'ask ask ask extend extend approve approve approve approve revoke revoke deny withdraw expire assign unassign unassign unassign wait'.split(
    ' ',
  );

describe('one access, through any sequence of commands', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    what: fc.constantFrom(...often),
    who: fc.constantFrom(1, 7, 8, 8, 9, 9),
    seconds: fc.constantFrom(1, 60, 100, 250, 290, 300, 301),
    // Mostly the newest request, sometimes one before it.
    which: fc.constantFrom(0, 0, 0, 1, 2),
    needed: fc.constantFrom(1, 1, 2),
    ahead: fc.constantFrom(0, 0, 40),
  });

  it('does what a person would expect, and each request ends once', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), (steps) => {
        const model: Model = { now: 0, hasRole: false, pending: undefined, grant: undefined };
        const ids: string[] = [];
        const log: AccessFact[] = [];
        let state: AccessState = initialAccess;
        for (const one of steps) {
          const makes = one.what === 'ask' || one.what === 'extend';
          const id = makes ? `r${ids.length}` : ids.at(-1 - one.which);
          // Nothing can be done to a request before one was made.
          if (id === undefined) continue;
          if (one.what === 'wait') model.now += one.seconds;
          if (one.what === 'assign') model.hasRole = true;
          if (one.what === 'unassign') model.hasRole = false;
          const code = expectedOf(model, one, id);
          const now = after(model.now);
          const outcome = outcomeOf(one, { id, now, state });
          if (outcome instanceof Refusal) {
            const isLate = outcome.code === 'REQUEST_NOT_PENDING' || outcome.code === 'REQUEST_EXPIRED';
            expect(isLate ? 'REFUSED' : outcome.code).toBe(code);
          } else {
            expect(code).toBeUndefined();
            if (makes) ids.push(id);
            for (const fact of outcome) {
              state = evolveAccess(state, recorded(fact, { revision: log.length, at: now }));
              log.push(fact);
            }
          }
          seen.add(`${one.what} ${code ?? 'done'}`);
        }
        checkInvariants(log, state);
      }),
      { numRuns: 600 },
    );
    // The walk is long enough to come everywhere.
    for (const place of ['extend done', 'approve APPROVED_ALREADY', 'approve done', 'approve FORBIDDEN', 'revoke done'])
      expect(seen).toContain(place);
  });
});
