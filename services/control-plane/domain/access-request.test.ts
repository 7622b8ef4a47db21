import { describe, expect, it } from 'vitest';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import { approveRequest, denyRequest, type Approval } from './access-decision.ts';
import type { End, Ends } from './access-ends.ts';
import { approving, asking, fold, noEnds, over, pair } from './access-fixtures.ts';
import { askForAccess, revokeGrant, withdrawRequest, type AskForAccess } from './access-request.ts';
import { initialAccess, type AccessState } from './access.ts';
import { after, approved, noon, requested, review, roleId } from './fixtures.ts';

const ended: End = { stream: 'role-1', reason: 'role deleted' };
const refusedWith = (code: string) => expect.objectContaining({ name: 'Refusal', code });
const assigned: AccessFact = { type: 'user.role_assigned', data: { ...pair, assignmentId: 'a', roleId: roleId() } };
const pending = fold(requested('r'));
const granted = fold(requested('r'), approved('r'));

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
          review: review(),
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

  it('may name a start of the next 30 days, and keeps it', () => {
    const at = (startsAt: Date) => askForAccess(asking({ startsAt }), initialAccess, noEnds);
    expect(at(after(30 * 86_400))).toMatchObject([{ data: { startsAt: after(30 * 86_400).toISOString() } }]);
    for (const wrong of [noon, after(-1), after(30 * 86_400 + 1)])
      expect(() => at(wrong)).toThrow(expect.objectContaining({ code: 'VALIDATION_ERROR', field: 'startsAt' }));
  });

  it.each([
    ['a reason', 'reason', review({ isReasonRequired: true }), { reason: '  ' }, { reason: 'x' }],
    ['a ticket', 'reason', review({ ticketForms: ['OPS-#'] }), { reason: 'OPS-' }, { reason: 'see ops-12.' }],
    ['an end', 'duration', review({ maxSeconds: 600 }), { durationSeconds: 601 }, { durationSeconds: 600 }],
  ])('gives %s when the role asks for it', (...[, field, rules, without, withIt]) => {
    const ask = (said: object) => askForAccess(asking({ review: rules, ...said }), initialAccess, noEnds);
    expect(() => ask(without)).toThrow(expect.objectContaining({ field }));
    expect(ask(withIt)).toMatchObject([{ data: { review: rules } }]);
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

describe('asking to prolong a grant', () => {
  const extend = (said: Partial<AskForAccess> = {}, ends = noEnds, state = granted) =>
    askForAccess(asking({ extends: 'r', durationSeconds: 7_200, ...said }), state, ends);

  it('is a request beside it', () => {
    expect(extend()).toMatchObject([{ type: 'access_request.created', data: { extends: 'r', startsAt: null } }]);
    expect(() => extend({}, noEnds, fold(requested('r'), approved('r'), requested('s')))).toThrow(
      refusedWith('PENDING_REQUEST_EXISTS'),
    );
  });

  it.each([
    ['GRANT_NOT_ACTIVE', 'of another request', { extends: 's' }, noEnds],
    ['GRANT_NOT_ACTIVE', 'that ran out', { now: after(3_600) }, noEnds],
    ['GRANT_NOT_ACTIVE', 'that something ended', {}, { ...noEnds, grant: ended }],
    ['VALIDATION_ERROR', 'of another role', { roleId: roleId(2) }, noEnds],
    ['VALIDATION_ERROR', 'from a later start on', { startsAt: after(60) }, noEnds],
    ['INVALID_DURATION', 'by less than it lasts', { durationSeconds: 3_600 }, noEnds],
    ['INVALID_DURATION', 'beyond the longest', { now: after(1), durationSeconds: 86_400 }, noEnds],
    ['INVALID_DURATION', 'beyond what the role allows', { review: review({ maxSeconds: 7_199 }) }, noEnds],
  ])('is refused with %s for one %s', (...[code, , said, ends]) => {
    expect(() => extend(said, ends)).toThrow(refusedWith(code));
  });

  it('counts the longest from the first grant of the line on (D40)', () => {
    const twice = fold(
      requested('q'),
      approved('q'),
      requested('r', { extends: 'q' }),
      approved('r', { grantStartsAt: after(3_000).toISOString(), grantExpiresAt: after(80_000).toISOString() }),
    );
    const until = (seconds: number) => extend({ now: after(4_000), durationSeconds: seconds - 4_000 }, noEnds, twice);
    expect(until(86_400)).toHaveLength(1);
    expect(() => until(86_401)).toThrow(refusedWith('INVALID_DURATION'));
  });
});

const endings = [
  ['approving', (said: Partial<Approval>, ...on: [AccessState, Ends]) => approveRequest(approving(said), ...on)],
  [
    'denying',
    (said: Partial<Approval>, ...on: [AccessState, Ends]) => denyRequest({ ...approving(said), reason: '' }, ...on),
  ],
  ['withdrawing', (said: Partial<Approval>, ...on: [AccessState, Ends]) => withdrawRequest(approving(said), ...on)],
] as const;

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
