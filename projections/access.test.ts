import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyFact } from '@clustral/schemas/events/catalogue.ts';
import { plainReview } from '@clustral/schemas/events/role.ts';
import type { ClusterId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { access, assignmentCollection } from './access.ts';
import { accessRequestCollection, type AccessRequestDocument } from './access-requests.ts';
import { clusters } from './clusters.ts';
import { roles } from './roles.ts';
import {
  approved,
  assigned,
  clusterDeleted,
  registered,
  requested,
  roleCreated,
  roleDeleted,
  synced,
  unassigned,
  userIs,
} from './testing/people.ts';
import { heldAfter, Story } from './testing/story.ts';
import { users } from './users.ts';

const models = [clusters, roles, users, access];
const of = { user: 'u', cluster: 'c', role: 'r' };
const ids = { userId: 'u' as UserId, clusterId: 'c' as ClusterId };

function streamOf({ type, data }: AnyFact): string {
  if (type.startsWith('cluster.')) return 'cluster-c';
  if (type.startsWith('role.')) return `role-${(data as { roleId: string }).roleId}`;
  return /^user\.(synced|disabled|enabled)$/.test(type) ? 'user-u' : 'access-u.c';
}

const after = (...facts: readonly AnyFact[]) => {
  const story = new Story();
  for (const fact of [registered('c'), roleCreated('r'), roleCreated('other'), synced('u'), ...facts]) {
    story.tell(streamOf(fact), fact);
  }
  return heldAfter(models, story.facts);
};
const assignmentsAfter = async (...facts: readonly AnyFact[]) =>
  (await after(...facts)).all(assignmentCollection).map(({ _id, ended }) => [_id, ended]);
const requestAfter = async (...facts: readonly AnyFact[]) => (await after(...facts)).get(accessRequestCollection, 'q');

const unassign = unassigned('a', of);
const revoke: AnyFact = { type: 'access_request.revoked', data: { ...ids, accessRequestId: 'q', reason: 'enough' } };

describe('assignments as shown', () => {
  it.each<[string, readonly AnyFact[], readonly [string, boolean][]]>([
    ['stand once they are given', [assigned('a', of)], [['a', false]]],
    ['end when they are taken away', [assigned('a', of), unassign], [['a', true]]],
    [
      'are replaced by another role on the same cluster',
      [assigned('a', of), assigned('b', { ...of, role: 'other' })],
      [
        ['a', true],
        ['b', false],
      ],
    ],
    ['are not ended by the end of an earlier one', [assigned('b', of), unassign], [['b', false]]],
    ['end with their role', [assigned('a', of), roleDeleted('r')], [['a', true]]],
    ['stay when another role is deleted', [assigned('a', of), roleDeleted('other')], [['a', false]]],
    ['end with their cluster', [assigned('a', of), clusterDeleted('c')], [['a', true]]],
    ['never begin after their role was deleted', [roleDeleted('r'), assigned('a', of)], [['a', true]]],
    ['never begin after their cluster was deleted', [clusterDeleted('c'), assigned('a', of)], [['a', true]]],
    ['only sleep while their person is disabled', [assigned('a', of), userIs('u', 'disabled')], [['a', false]]],
  ])('%s', async (_, facts, shown) => {
    expect(await assignmentsAfter(...facts)).toEqual(shown);
  });

  it('keep the time of what ended them when the explicit fact follows', async () => {
    const held = await after(assigned('a', of), roleDeleted('r'), unassign);
    const document = await held.get(assignmentCollection, 'a');
    expect(document).toMatchObject({ ended: true, position: 60 });
  });
});

describe('an access request as shown', () => {
  const state = async (...facts: readonly AnyFact[]): Promise<Partial<AccessRequestDocument> | undefined> => {
    const request = await requestAfter(requested('q', of), ...facts);
    return request && { status: request.status, endReason: request.endReason };
  };

  it('is pending, with what was asked for', async () => {
    expect(await requestAfter(requested('q', of))).toMatchObject({
      status: 'pending',
      reason: 'because',
      durationSeconds: 3_600,
      expiresAt: Date.parse('2026-11-24T09:00:00Z'),
      grantExpiresAt: null,
    });
  });

  it('is a grant once it is approved, for as long as was granted', async () => {
    expect(await requestAfter(requested('q', of), approved('q', of))).toMatchObject({
      status: 'approved',
      roleRevision: 1,
      reviewerId: 'admin',
      durationSeconds: 1_800,
      grantStartsAt: Date.parse('2026-11-24T08:10:00Z'),
      grantExpiresAt: Date.parse('2026-11-24T08:40:00Z'),
    });
  });

  const denied: AnyFact = {
    type: 'access_request.denied',
    data: {
      ...ids,
      accessRequestId: 'q',
      roleId: 'r' as RoleId,
      roleRevision: 0,
      reviewerId: 'x' as UserId,
      reason: 'no',
    },
  };
  const withdrawn: AnyFact = { type: 'access_request.withdrawn', data: { ...ids, accessRequestId: 'q' } };
  const expired: AnyFact = {
    type: 'access_request.expired',
    data: { ...ids, accessRequestId: 'q', expiredAt: '2026-11-24T09:00:00Z' },
  };
  it.each<[string, readonly AnyFact[], { status: string; endReason: string | null }]>([
    ['denied', [denied], { status: 'denied', endReason: 'no' }],
    ['withdrawn', [withdrawn], { status: 'withdrawn', endReason: null }],
    ['expired while pending', [expired], { status: 'expired', endReason: null }],
    ['expired as a grant', [approved('q', of), expired], { status: 'expired', endReason: null }],
    ['revoked', [approved('q', of), revoke], { status: 'revoked', endReason: 'enough' }],
    ['ended with its role', [approved('q', of), roleDeleted('r')], { status: 'revoked', endReason: 'role deleted' }],
    ['ended with its cluster', [clusterDeleted('c')], { status: 'revoked', endReason: 'cluster deleted' }],
    [
      'ended when its person is disabled',
      [approved('q', of), userIs('u', 'disabled')],
      { status: 'revoked', endReason: 'person disabled' },
    ],
    [
      'dead for ever, whatever comes later',
      [userIs('u', 'disabled'), userIs('u', 'enabled'), approved('q', of)],
      { status: 'revoked', endReason: 'person disabled' },
    ],
    [
      'ended by what ended it first',
      [approved('q', of), roleDeleted('r'), revoke],
      { status: 'revoked', endReason: 'role deleted' },
    ],
    ['as it was decided first', [denied, approved('q', of)], { status: 'denied', endReason: 'no' }],
  ])('is %s', async (_, facts, shown) => {
    expect(await state(...facts)).toEqual(shown);
  });

  const approvalGiven = (reviewer: string, roleRevision = 0): AnyFact => ({
    type: 'access_request.approval_given',
    data: {
      ...ids,
      accessRequestId: 'q',
      roleId: 'r' as RoleId,
      roleRevision,
      reviewerId: reviewer as UserId,
      durationSeconds: 600,
      shownAt: '2026-11-24T08:09:00Z',
    },
  });

  it('waits until enough people have approved it, and tells who did and what they had seen', async () => {
    const one = {
      reviewerId: 'ben',
      roleRevision: 0,
      durationSeconds: 600,
      approvedAt: Date.parse('2026-11-24T08:06:00Z'),
      shownAt: Date.parse('2026-11-24T08:09:00Z'),
    };
    expect(await requestAfter(requested('q', of), approvalGiven('ben'))).toMatchObject({
      status: 'pending',
      approvals: [one],
      reviewerId: null,
    });
    expect(await requestAfter(requested('q', of), approvalGiven('ben'), approved('q', of))).toMatchObject({
      status: 'approved',
      approvals: [one, { reviewerId: 'admin', shownAt: null }],
    });
  });

  it('has one approval of one person, their newest, and none after it was decided', async () => {
    const again = [approvalGiven('ben'), approvalGiven('ben', 1), denied, approvalGiven('ada')];
    expect(await requestAfter(requested('q', of), ...again)).toMatchObject({
      status: 'denied',
      approvals: [{ reviewerId: 'ben', roleRevision: 1 }],
    });
  });

  it('from before there were rules is decided by plain ones', async () => {
    expect(await requestAfter(requested('q', of))).toMatchObject({ review: plainReview, reviewers: [], approvals: [] });
  });

  it('that was made after its role was deleted was never open', async () => {
    expect(await requestAfter(roleDeleted('r'), requested('q', of))).toMatchObject({ status: 'revoked' });
  });

  it('that was made while its person is disabled sleeps', async () => {
    expect(await requestAfter(userIs('u', 'disabled'), requested('q', of))).toMatchObject({ status: 'pending' });
  });
});

describe('access as shown', () => {
  it('is the same wherever the explicit facts of a reactor come, or if they never come', async () => {
    const story = [assigned('a', of), requested('q', of), approved('q', of), roleDeleted('r')];
    const later = [userIs('u', 'disabled'), assigned('b', { ...of, role: 'other' }), userIs('u', 'enabled')];
    const shown = async (facts: readonly AnyFact[]) => {
      const held = await after(...story, ...facts);
      return {
        assignments: held.all(assignmentCollection).map(({ _id, ended }) => [_id, ended]),
        requests: held.all(accessRequestCollection).map(({ _id, status }) => [_id, status]),
      };
    };
    const clean = await shown(later);
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.nat(4), fc.boolean(), async (first, second, both) => {
        const facts: AnyFact[] = [...later];
        facts.splice(first, 0, unassign);
        if (both) facts.splice(second, 0, revoke);
        expect(await shown(facts)).toEqual(clean);
      }),
    );
  });
});
