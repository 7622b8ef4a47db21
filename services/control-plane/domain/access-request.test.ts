import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { expireRequest, sayEnds, type End, type Ends } from './access-ends.ts';
import {
  approveRequest,
  askForAccess,
  denyRequest,
  revokeGrant,
  withdrawRequest,
  type Approval,
  type AskForAccess,
} from './access-request.ts';
import { assignRole, evolveAccess, initialAccess, unassignRole, type AccessState } from './access.ts';
import { after, approved, clusterId, noon, recorded, requested, roleId, userId } from './fixtures.ts';

const pair = { userId: userId(), clusterId: clusterId() };
const fold = (...facts: readonly AccessFact[]): AccessState =>
  facts.reduce<AccessState>(
    (state, fact, revision) => evolveAccess(state, recorded(fact, { revision }) as Recorded<AccessFact>),
    initialAccess,
  );
const noEnds: Ends = { assignment: undefined, pending: undefined, grant: undefined };
const ended: End = { stream: 'role-1', reason: 'role deleted' };
const refusedWith = (code: string) => expect.objectContaining({ name: 'Refusal', code });

const asking = (said: Partial<AskForAccess> = {}): AskForAccess => ({
  accessRequestId: 'new',
  ...pair,
  roleId: roleId(),
  roleRevision: 4,
  reason: 'an incident',
  durationSeconds: 1_800,
  suggestedReviewerEmails: ['boss@corp.com'],
  now: noon,
  decidableSeconds: 3_600,
  ...said,
});
const approving = (said: Partial<Approval> = {}): Approval => ({
  accessRequestId: 'r',
  reviewerId: userId(9),
  shownRoleRevision: undefined,
  roleRevision: 0,
  durationSeconds: undefined,
  maxSeconds: 86_400,
  now: noon,
  ...said,
});
const assigned: AccessFact = { type: 'user.role_assigned', data: { ...pair, assignmentId: 'a', roleId: roleId() } };
const pending = fold(requested('r'));
const granted = fold(requested('r'), approved('r'));
const over = (type: 'denied' | 'revoked' | 'expired' | 'withdrawn', accessRequestId = 'r'): AccessFact =>
  ({
    type: `access_request.${type}`,
    data: { ...pair, accessRequestId, reason: '', expiredAt: after(3_600).toISOString() },
  }) as unknown as AccessFact;

describe('asking for access', () => {
  it('is a request that may be decided for a while, with what was asked and shown', () => {
    expect(askForAccess(asking(), initialAccess, noEnds)).toEqual([
      {
        type: 'access_request.created',
        data: {
          accessRequestId: 'new',
          ...pair,
          roleId: roleId(),
          roleRevision: 4,
          reason: 'an incident',
          durationSeconds: 1_800,
          suggestedReviewerEmails: ['boss@corp.com'],
          startsAt: null,
          extends: null,
          expiresAt: after(3_600).toISOString(),
        },
      },
    ]);
  });

  it.each([
    ['STATIC_ASSIGNMENT_EXISTS', 'there is a standing role', fold(assigned)],
    ['PENDING_REQUEST_EXISTS', 'a request is pending', pending],
    ['GRANT_ALREADY_ACTIVE', 'a grant is active', granted],
    [
      'GRANT_ALREADY_ACTIVE',
      'a grant is to begin (D40)',
      fold(requested('r'), approved('r', { grantStartsAt: after(600).toISOString() })),
    ],
  ])('is refused with %s while %s', (code, _what, state) => {
    expect(() => askForAccess(asking(), state, noEnds)).toThrow(refusedWith(code));
  });

  it('is not hindered by a standing role that was deleted', () => {
    expect(askForAccess(asking(), fold(assigned), { ...noEnds, assignment: ended })).toHaveLength(1);
  });

  it.each([
    {
      how: 'revoked',
      of: 'a request that something ended',
      state: pending,
      ends: { ...noEnds, pending: ended },
      now: noon,
    },
    {
      how: 'revoked',
      of: 'a grant that something ended',
      state: granted,
      ends: { ...noEnds, grant: ended },
      now: noon,
    },
    { how: 'expired', of: 'a request that ran out', state: pending, ends: noEnds, now: after(3_600) },
    { how: 'expired', of: 'a grant that ran out', state: granted, ends: noEnds, now: after(3_600) },
    {
      how: 'expired',
      of: 'one that ran out and was ended',
      state: pending,
      ends: { ...noEnds, pending: ended },
      now: after(3_600),
    },
  ])('says first that it was $how: $of', ({ how, state, ends, now }) => {
    const facts = askForAccess(asking({ now }), state, ends);
    expect(facts.map(({ type }) => type)).toEqual([`access_request.${how}`, 'access_request.created']);
    expect(facts[0]).toMatchObject({ data: { accessRequestId: 'r' } });
  });
});

describe('approving', () => {
  it('grants the role from now on for as long as was asked', () => {
    expect(approveRequest(approving({ now: after(600) }), pending, noEnds)).toEqual([
      approved('r', { grantStartsAt: after(600).toISOString(), grantExpiresAt: after(4_200).toISOString() }),
    ]);
  });

  it('grants it for another time when the reviewer says so, also from a later start (D40)', () => {
    const state = fold(requested('r', { startsAt: after(1_000).toISOString() }));
    expect(approveRequest(approving({ durationSeconds: 60 }), state, noEnds)).toMatchObject([
      { data: { durationSeconds: 60, grantStartsAt: after(1_000).toISOString() } },
    ]);
  });

  it('is never for longer than the maximum, whatever was asked when the maximum was another', () => {
    const approve = (said: Partial<Approval>) => () => approveRequest(approving(said), pending, noEnds);
    expect(approve({ maxSeconds: 3_599 })).toThrow(
      expect.objectContaining({ code: 'INVALID_DURATION', field: 'duration' }),
    );
    expect(approve({ durationSeconds: 86_401 })).toThrow(refusedWith('INVALID_DURATION'));
    expect(approve({ maxSeconds: 60, durationSeconds: 60 })).not.toThrow();
  });

  it('is refused when somebody got a standing role meanwhile, which would hold instead', () => {
    const state = fold(requested('r'), assigned);
    expect(() => approveRequest(approving(), state, noEnds)).toThrow(refusedWith('STATIC_ASSIGNMENT_EXISTS'));
    expect(approveRequest(approving(), state, { ...noEnds, assignment: ended })).toHaveLength(1);
  });

  it('leaves one grant: one that is over is said to be first, one that is not is in the way', () => {
    const both = fold(requested('q'), approved('q', { grantExpiresAt: after(60).toISOString() }), requested('r'));
    expect(approveRequest(approving({ now: after(60) }), both, noEnds)).toMatchObject([
      { type: 'access_request.expired', data: { accessRequestId: 'q' } },
      { type: 'access_request.approved', data: { accessRequestId: 'r' } },
    ]);
    expect(() => approveRequest(approving(), both, noEnds)).toThrow(refusedWith('GRANT_ALREADY_ACTIVE'));
  });
});

const decisions = [
  ['approving', (said: Partial<Approval>, ...on: [AccessState, Ends]) => approveRequest(approving(said), ...on)],
  [
    'denying',
    (said: Partial<Approval>, ...on: [AccessState, Ends]) =>
      denyRequest({ ...approving(said), reason: 'no need' }, ...on),
  ],
] as const;

describe.each(decisions)('%s', (_what, decide) => {
  it('is one fact with the reviewer and the revision that was shown', () => {
    expect(decide({}, pending, noEnds)).toMatchObject([{ data: { ...pair, reviewerId: userId(9), roleRevision: 0 } }]);
  });

  it.each([
    ['pending', pending],
    ['granted', granted],
    ['over', fold(requested('r'), over('denied'))],
  ])('JT-01 is nothing for the requester, while it is %s', (_how, state) => {
    expect(() => decide({ reviewerId: userId() }, state, noEnds)).toThrow(refusedWith('SELF_APPROVAL'));
  });

  it('is refused when the role is not the one that was shown (D39)', () => {
    expect(() => decide({ roleRevision: 1 }, pending, noEnds)).toThrow(refusedWith('ROLE_CHANGED'));
    expect(() => decide({ roleRevision: 2, shownRoleRevision: 1 }, pending, noEnds)).toThrow(
      refusedWith('ROLE_CHANGED'),
    );
    expect(decide({ roleRevision: 1, shownRoleRevision: 1 }, pending, noEnds)).toMatchObject([
      { data: { roleRevision: 1 } },
    ]);
  });
});

const endings = [
  ...decisions,
  [
    'withdrawing',
    (said: Partial<Approval>, ...on: [AccessState, Ends]) => withdrawRequest(approving(said), ...on),
  ] as const,
];

describe.each(endings)('%s', (_what, end) => {
  it.each([
    ['REQUEST_NOT_PENDING', 'approved', granted],
    ['REQUEST_NOT_PENDING', 'denied', fold(requested('r'), over('denied'))],
    ['REQUEST_NOT_PENDING', 'withdrawn', fold(requested('r'), over('withdrawn'))],
    ['REQUEST_NOT_PENDING', 'a grant that expired', fold(requested('r'), approved('r'), over('expired'))],
    ['REQUEST_EXPIRED', 'expired while it was pending', fold(requested('r'), over('expired'))],
    ['REQUEST_NOT_PENDING', 'over before another one', fold(requested('r'), over('denied'), requested('s'))],
    ['REQUEST_NOT_PENDING', 'of another stream', initialAccess],
  ])('is refused with %s for one that is %s', (code, _how, state) => {
    expect(() => end({}, state, noEnds)).toThrow(refusedWith(code));
  });

  it('is refused from the instant on in which the request runs out, said or not', () => {
    expect(end({ now: after(3_599.999) }, pending, noEnds)).toHaveLength(1);
    expect(() => end({ now: after(3_600) }, pending, noEnds)).toThrow(refusedWith('REQUEST_EXPIRED'));
  });

  it('is refused for a request that something ended, said or not', () => {
    expect(() => end({}, pending, { ...noEnds, pending: ended })).toThrow(refusedWith('REQUEST_NOT_PENDING'));
  });
});

describe('ending a grant', () => {
  const revoke = (state: AccessState, ends = noEnds, now = noon) =>
    revokeGrant({ accessRequestId: 'r', reason: 'done', now }, state, ends);

  it('is one fact with the reason, also before the grant begins', () => {
    expect(revoke(granted)).toMatchObject([{ type: 'access_request.revoked', data: { reason: 'done' } }]);
    const later = fold(requested('r'), approved('r', { grantStartsAt: after(600).toISOString() }));
    expect(revoke(later)).toHaveLength(1);
  });

  it.each([
    ['is pending', pending, noEnds, noon],
    ['was denied', fold(requested('r'), over('denied')), noEnds, noon],
    ['was revoked', fold(requested('r'), approved('r'), over('revoked')), noEnds, noon],
    ['ended long ago', fold(requested('s'), approved('s')), noEnds, noon],
    ['was approved', granted, noEnds, after(3_600)],
    ['was approved', granted, { ...noEnds, grant: ended }, noon],
  ])('is refused for a request that %s', (how, ...on) => {
    expect(() => revoke(...on)).toThrow(refusedWith('GRANT_NOT_ACTIVE'));
    expect(() => revoke(...on)).toThrow(how);
  });
});

/** What a person would keep in mind of one access: enough to know what must come of each command. */
type Model = {
  now: number;
  hasRole: boolean;
  pending: { id: string; until: number } | undefined;
  grant: { id: string; until: number } | undefined;
};
type Step = { readonly what: string; readonly who: number; readonly seconds: number; readonly which: number };

/** The code that a command must be refused with, or nothing; and the model after it. */
function expectedOf(model: Model, { what, who, seconds }: Step, id: string): string | undefined {
  const pendingIs = (on: string) => model.pending?.id === on && model.pending.until > model.now;
  const isGranted = model.grant !== undefined && model.grant.until > model.now;
  const own = who === 1;
  switch (what) {
    case 'ask':
      if (model.hasRole) return 'STATIC_ASSIGNMENT_EXISTS';
      if (isGranted) return 'GRANT_ALREADY_ACTIVE';
      if (model.pending && pendingIs(model.pending.id)) return 'PENDING_REQUEST_EXISTS';
      model.pending = { id, until: model.now + 100 };
      return undefined;
    case 'approve':
      if (own) return 'SELF_APPROVAL';
      if (!pendingIs(id)) return 'REFUSED';
      if (model.hasRole) return 'STATIC_ASSIGNMENT_EXISTS';
      if (seconds > 300) return 'INVALID_DURATION';
      model.grant = { id, until: model.now + seconds };
      model.pending = undefined;
      return undefined;
    case 'deny':
    case 'withdraw':
      if (own && what === 'deny') return 'SELF_APPROVAL';
      if (!pendingIs(id)) return 'REFUSED';
      model.pending = undefined;
      return undefined;
    case 'revoke':
      if (model.grant?.id !== id || !isGranted) return 'GRANT_NOT_ACTIVE';
      model.grant = undefined;
      return undefined;
    default:
      return undefined;
  }
}

describe('one access, through any sequence of commands', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    what: fc.constantFrom('ask', 'approve', 'deny', 'withdraw', 'revoke', 'expire', 'assign', 'unassign', 'wait'),
    who: fc.constantFrom(1, 8, 9),
    seconds: fc.constantFrom(1, 60, 99, 100, 300, 301),
    // Mostly the newest request, sometimes one before it.
    which: fc.constantFrom(0, 0, 0, 1, 2),
  });

  it('does what a person would expect, and each request ends once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const model: Model = { now: 0, hasRole: false, pending: undefined, grant: undefined };
        const ids: string[] = [];
        const log: AccessFact[] = [];
        let state: AccessState = initialAccess;
        for (const one of steps) {
          const id = one.what === 'ask' ? `r${ids.length}` : ids.at(-1 - one.which);
          // Nothing can be done to a request before one was made.
          if (id === undefined) continue;
          if (one.what === 'wait') model.now += one.seconds;
          if (one.what === 'assign') model.hasRole = true;
          if (one.what === 'unassign') model.hasRole = false;
          const code = expectedOf(model, one, id);
          const now = after(model.now);
          const outcome = commandOf(one, { id, now, state });
          if (outcome instanceof Refusal) {
            const isLate = outcome.code === 'REQUEST_NOT_PENDING' || outcome.code === 'REQUEST_EXPIRED';
            expect(isLate ? 'REFUSED' : outcome.code).toBe(code);
          } else {
            expect(code).toBeUndefined();
            if (one.what === 'ask') ids.push(id);
            for (const fact of outcome) {
              state = evolveAccess(state, recorded(fact, { revision: log.length, at: now }) as Recorded<AccessFact>);
              log.push(fact);
            }
          }
          checkInvariants(log, state);
        }
      }),
      { numRuns: 400 },
    );
  });
});

function commandOf(
  { what, who, seconds }: Step,
  { id, now, state }: { readonly id: string; readonly now: Date; readonly state: AccessState },
): readonly AccessFact[] | Refusal {
  const decision = approving({ accessRequestId: id, reviewerId: userId(who), now, roleRevision: 4, maxSeconds: 300 });
  const assignmentId = state.status === 'known' ? (state.assignment?.assignmentId ?? '') : '';
  try {
    switch (what) {
      case 'ask':
        return askForAccess(asking({ accessRequestId: id, now, decidableSeconds: 100 }), state, noEnds);
      case 'approve':
        return approveRequest({ ...decision, durationSeconds: seconds }, state, noEnds);
      case 'deny':
        return denyRequest({ ...decision, reason: '' }, state, noEnds);
      case 'withdraw':
        return withdrawRequest(decision, state, noEnds);
      case 'revoke':
        return revokeGrant({ ...decision, reason: '' }, state, noEnds);
      case 'expire':
        return expireRequest({ accessRequestId: id }, state, now);
      case 'assign':
        return assignRole({ ...pair, assignmentId: 'a', roleId: roleId() }, state);
      case 'unassign':
        return assignmentId === '' ? [] : unassignRole(assignmentId, state);
      default:
        return [];
    }
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown;
    throw thrown;
  }
}

function checkInvariants(log: readonly AccessFact[], state: AccessState): void {
  const of = (types: RegExp) =>
    log.flatMap(({ type, data }) => (types.test(type) && 'accessRequestId' in data ? [data.accessRequestId] : []));
  const made = of(/created$/);
  const approvals = of(/approved$/);
  const ends = of(/denied$|revoked$|expired$|withdrawn$/);
  for (const once of [made, approvals, ends]) expect(new Set(once).size).toBe(once.length);
  for (const fact of log) {
    if (fact.type !== 'access_request.approved') continue;
    const { reviewerId, grantStartsAt, grantExpiresAt } = fact.data;
    expect(reviewerId).not.toBe(userId());
    expect(Date.parse(grantExpiresAt) - Date.parse(grantStartsAt)).toBeLessThanOrEqual(300_000);
  }
  // Whatever was asked for and has not ended is what the state holds, and nothing else.
  const open = made.filter((id) => !ends.includes(id));
  const held =
    state.status === 'known' ? [state.grant, state.pending].flatMap((part) => part?.accessRequestId ?? []) : [];
  expect(held.toSorted()).toEqual(open.toSorted());
  expect(open.filter((id) => approvals.includes(id)).length).toBeLessThanOrEqual(1);
  expect(sayEnds(state, noEnds, after(1e9)).length).toBe(open.length);
}
