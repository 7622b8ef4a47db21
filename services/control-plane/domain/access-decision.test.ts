import { describe, expect, it } from 'vitest';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import { approveRequest, denyRequest, type Approval } from './access-decision.ts';
import type { End, Ends } from './access-ends.ts';
import { admin, approvalGiven, approving, fold, member, noEnds, over, pair } from './access-fixtures.ts';
import { evolveAccess, type AccessState } from './access.ts';
import { after, approved, noon, recorded, requested, review, roleId, userId } from './fixtures.ts';

const ended: End = { stream: 'role-1', reason: 'role deleted' };
const refusedWith = (code: string) => expect.objectContaining({ name: 'Refusal', code });
const assigned: AccessFact = { type: 'user.role_assigned', data: { ...pair, assignmentId: 'a', roleId: roleId() } };
const pending = fold(requested('r'));
const granted = fold(requested('r'), approved('r'));

describe('approving', () => {
  it('grants the role from now on for as long as was asked', () => {
    expect(approveRequest(approving({ now: after(600) }), pending, noEnds)).toEqual([
      approved('r', {
        approverIds: [userId(9)],
        grantStartsAt: after(600).toISOString(),
        grantExpiresAt: after(4_200).toISOString(),
      }),
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
    expect(() => decide({ reviewer: admin(1) }, state, noEnds)).toThrow(refusedWith('SELF_APPROVAL'));
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

  it('is for administrators, and for whoever the rules of the request name, whatever the role says now', () => {
    const named = fold(requested('r', { review: review({ reviewerGroups: ['oncall'], reviewerIds: [userId(5)] }) }));
    for (const reviewer of [admin(), member(5), member(6, 'staff', 'oncall')])
      expect(decide({ reviewer }, named, noEnds)).toHaveLength(1);
    for (const reviewer of [member(6), member(6, 'ONCALL', 'oncall '), member(7, 'staff')])
      expect(() => decide({ reviewer }, named, noEnds)).toThrow(refusedWith('FORBIDDEN'));
    expect(() => decide({ reviewer: member(1, 'oncall') }, named, noEnds)).toThrow(refusedWith('SELF_APPROVAL'));
  });

  it('says when it was shown, never before it was there nor after it was decided', () => {
    const shown = (shownAt: Date) => decide({ now: after(60), shownAt }, pending, noEnds);
    expect(shown(after(30))).toMatchObject([{ data: { shownAt: after(30).toISOString() } }]);
    expect(shown(after(-30))).toMatchObject([{ data: { shownAt: noon.toISOString() } }]);
    expect(shown(after(90))).toMatchObject([{ data: { shownAt: after(60).toISOString() } }]);
    expect(decide({}, pending, noEnds)[0]?.data).not.toHaveProperty('shownAt');
  });
});

describe('approving what two must approve', () => {
  const rules = review({ approvals: 2 });
  const waiting = fold(requested('r', { review: rules }));
  const second = fold(requested('r', { review: rules }), approvalGiven(8));

  it('is an approval by the first and the grant by the second, with both named', () => {
    expect(approveRequest(approving(), waiting, noEnds)).toMatchObject([
      { type: 'access_request.approval_given', data: { reviewerId: userId(9), durationSeconds: 3_600 } },
    ]);
    expect(approveRequest(approving(), second, noEnds)).toMatchObject([
      { type: 'access_request.approved', data: { reviewerId: userId(9), approverIds: [userId(8), userId(9)] } },
    ]);
  });

  it('is never done by one person twice', () => {
    expect(() => approveRequest(approving({ reviewer: admin(8) }), second, noEnds)).toThrow(
      refusedWith('APPROVED_ALREADY'),
    );
  });

  it('lasts no longer than the most careful of them said', () => {
    const careful = fold(requested('r', { review: rules }), approvalGiven(8, { durationSeconds: 60 }));
    expect(approveRequest(approving(), careful, noEnds)).toMatchObject([{ data: { durationSeconds: 60 } }]);
    expect(approveRequest(approving({ durationSeconds: 30 }), second, noEnds)).toMatchObject([
      { data: { durationSeconds: 30 } },
    ]);
  });

  it.each([
    ['of the role as it was before', { shownRoleRevision: 1, roleRevision: 1 }, noEnds],
    ['of somebody who was disabled since', {}, { ...noEnds, approvals: [userId(8)] }],
  ])('does not count an approval %s, and takes it again', (_what, said, ends) => {
    const again = approveRequest(approving({ reviewer: admin(8), ...said }), second, ends);
    expect(again.map(({ type }) => type)).toEqual(['access_request.approval_given']);
    expect(approveRequest(approving(said), second, ends)).toMatchObject([{ type: 'access_request.approval_given' }]);
    const state = again.reduce((before, fact) => evolveAccess(before, recorded(fact, { revision: 2 })), second);
    expect(state).toMatchObject({ pending: { approvals: [{ reviewerId: userId(8), position: 20n }] } });
  });

  it('is over with one denial, also by whoever approved it', () => {
    expect(denyRequest({ ...approving({ reviewer: admin(8) }), reason: '' }, second, noEnds)).toMatchObject([
      { type: 'access_request.denied' },
    ]);
  });
});

describe('approving an extension', () => {
  const held = [requested('q'), approved('q')];
  const wish = requested('r', { extends: 'q', durationSeconds: 7_200, expiresAt: after(7_200).toISOString() });
  const asked = fold(...held, wish);
  const approve = (said: Partial<Approval> = {}, state = asked, ends = noEnds) =>
    approveRequest(approving({ now: after(600), ...said }), state, ends);

  it('begins the new grant and then ends the old one, so that there is no moment without', () => {
    const facts = approve();
    expect(facts).toMatchObject([
      {
        type: 'access_request.approved',
        data: { grantStartsAt: after(600).toISOString(), grantExpiresAt: after(7_800).toISOString() },
      },
      { type: 'access_request.revoked', data: { accessRequestId: 'q', reason: 'extended' } },
    ]);
    const state = facts.reduce((before, fact, n) => evolveAccess(before, recorded(fact, { revision: 3 + n })), asked);
    expect(state).toMatchObject({ pending: null, grant: { accessRequestId: 'r', since: noon } });
  });

  it('is cut to what is left of the longest when it is approved late (D40)', () => {
    const cut = approve({ maxSeconds: 7_200 });
    expect(cut).toMatchObject([{ data: { durationSeconds: 6_600, grantExpiresAt: after(7_200).toISOString() } }, {}]);
  });

  type Row = readonly [string, string, Partial<Approval>, AccessState, Ends];
  it.each<Row>([
    ['GRANT_NOT_ACTIVE', 'when the grant ran out meanwhile', { now: after(3_600) }, asked, noEnds],
    ['GRANT_NOT_ACTIVE', 'when something ended it', {}, asked, { ...noEnds, grant: ended }],
    ['GRANT_NOT_ACTIVE', 'when it was revoked', {}, fold(...held, wish, over('revoked', 'q')), noEnds],
    ['INVALID_DURATION', 'for less than there is', { durationSeconds: 60 }, asked, noEnds],
    ['STATIC_ASSIGNMENT_EXISTS', 'beside a standing role', {}, fold(...held, wish, assigned), noEnds],
  ])('is refused with %s %s', (...[code, , said, state, ends]) => {
    expect(() => approve(said, state, ends)).toThrow(refusedWith(code));
  });
});
