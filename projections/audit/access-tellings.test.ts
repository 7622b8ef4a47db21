import { describe, expect, it } from 'vitest';
import { eventCatalogue, type AnyFact } from '@clustral/schemas/events/catalogue.ts';
import { plainReview } from '@clustral/schemas/events/role.ts';
import type { ClusterId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { audit, auditCollection } from '../audit.ts';
import { approved, registered, requested, roleCreated, synced } from '../testing/people.ts';
import { heldAfter, Story } from '../testing/story.ts';

const of = { user: 'dev', cluster: 'c', role: 'r' };
const about = { userId: 'dev' as UserId, clusterId: 'c' as ClusterId, accessRequestId: 'q' };
const renamed: AnyFact = {
  type: 'role.updated',
  data: { roleId: 'r' as RoleId, name: 'renamed', description: '', k8sGroups: ['g'] },
};
const denied: AnyFact = {
  type: 'access_request.denied',
  data: { ...about, roleId: 'r' as RoleId, roleRevision: 0, reviewerId: 'admin' as UserId, reason: '' },
};
const revoked: AnyFact = { type: 'access_request.revoked', data: { ...about, reason: 'given back' } };
const expired: AnyFact = { type: 'access_request.expired', data: { ...about, expiredAt: '2026-11-24T09:00:00Z' } };
const withdrawn: AnyFact = { type: 'access_request.withdrawn', data: about };
const approvalGiven: AnyFact = {
  type: 'access_request.approval_given',
  data: {
    ...about,
    roleId: 'r' as RoleId,
    roleRevision: 0,
    reviewerId: 'admin' as UserId,
    durationSeconds: 3_600,
    shownAt: '2026-11-24T08:04:00Z',
  },
};
const ask = requested('q', of);
const bend = (fact: AnyFact, data: object): AnyFact => ({ ...fact, data: { ...fact.data, ...data } }) as AnyFact;
const approve = approved('q', of);

function streamOf({ type, data }: AnyFact): string {
  const [category] = type.split('.');
  if (category === 'role' || category === 'cluster') return `${category}-x`;
  return type === 'user.synced' ? `user-${(data as { userId: string }).userId}` : 'access-dev.c';
}

/** The row of the last fact, after people, a cluster and a role that all have names. */
async function rowOf(...facts: readonly AnyFact[]) {
  const story = new Story();
  const first = [synced('admin'), synced('dev'), registered('c', 'production'), roleCreated('r', 'viewer')];
  for (const fact of [...first, ...facts]) {
    story.tell(streamOf(fact), fact, { actor: { kind: 'user', id: 'dev' }, $correlationId: 'c' });
  }
  const { id } = story.facts.at(-1) ?? { id: '' };
  const row = (await heldAfter([audit], story.facts)).all(auditCollection).find(({ uid }) => uid === id);
  if (!row) throw new Error('the fact has no row');
  return row;
}

const shared = { requester: 'dev@corp.example', userId: 'dev', roleName: 'viewer' };

describe('what the audit says of access for a while', () => {
  it.each<[string, string, readonly AnyFact[], string, object]>([
    [
      'CAR001I',
      'who asked for what, how long and why',
      [ask],
      "dev@corp.example asked for the role 'viewer' on cluster 'production' for 1h: because",
      { duration: '1h', durationSeconds: 3_600, reason: 'because', roleRevision: 0 },
    ],
    [
      'CAR002I',
      'who granted it to whom, under the name that the reviewer saw',
      [ask, renamed, approve],
      "admin@corp.example granted dev@corp.example the role 'renamed' on cluster 'production' until 2026-11-24T08:40:00Z",
      { reviewer: 'admin@corp.example', duration: '30m', roleName: 'renamed' },
    ],
    [
      'CAR001I',
      'from when on, and by which rules it is decided',
      [bend(ask, { startsAt: '2026-11-25T22:00:00.000Z', review: { ...plainReview, approvals: 2 } })],
      "dev@corp.example asked for the role 'viewer' on cluster 'production' for 1h from 2026-11-25T22:00:00.000Z on: because",
      { startsAt: '2026-11-25T22:00:00.000Z', review: { approvals: 2 } },
    ],
    [
      'CAR001I',
      'that it is to last longer',
      [bend(ask, { extends: 'p' })],
      "dev@corp.example asked to extend the role 'viewer' on cluster 'production' for 1h: because",
      { extends: 'p' },
    ],
    [
      'CAR007I',
      'who approved what needs more approvals, and when they saw it',
      [ask, approvalGiven],
      "admin@corp.example approved dev@corp.example for the role 'viewer' on cluster 'production'; more approvals are needed",
      { reviewer: 'admin@corp.example', roleRevision: 0, shownAt: '2026-11-24T08:04:00Z', duration: '1h' },
    ],
    [
      'CAR002I',
      'on whose approvals it rests',
      [ask, approvalGiven, bend(approve, { approverIds: ['admin', 'dev'] })],
      "admin@corp.example granted dev@corp.example the role 'viewer' on cluster 'production' until 2026-11-24T08:40:00Z",
      { approverIds: ['admin', 'dev'] },
    ],
    [
      'CAR003W',
      'who denied it, also without a reason',
      [ask, denied],
      "admin@corp.example denied dev@corp.example the role 'viewer' on cluster 'production'",
      { reviewer: 'admin@corp.example', reason: '' },
    ],
    [
      'CAR004I',
      'who ended the access, and why',
      [ask, approve, revoked],
      "dev@corp.example ended the access of dev@corp.example with role 'viewer' on cluster 'production': given back",
      { reason: 'given back' },
    ],
    [
      'CAR004I',
      'that it was a request only',
      [ask, revoked],
      "dev@corp.example ended the access request of dev@corp.example for role 'viewer' on cluster 'production': given back",
      { reason: 'given back' },
    ],
    [
      'CAR005I',
      'that nobody decided in time',
      [ask, expired],
      "The access request of dev@corp.example for role 'viewer' on cluster 'production' expired undecided at 2026-11-24T09:00:00Z",
      { expiredAt: '2026-11-24T09:00:00Z' },
    ],
    [
      'CAR005I',
      'that a grant ended by itself',
      [ask, approve, expired],
      "The access of dev@corp.example with role 'viewer' on cluster 'production' expired at 2026-11-24T09:00:00Z",
      { expiredAt: '2026-11-24T09:00:00Z' },
    ],
    [
      'CAR006I',
      'that it was withdrawn',
      [ask, withdrawn],
      "The access request of dev@corp.example for role 'viewer' on cluster 'production' was withdrawn",
      {},
    ],
  ])('%s says %s', async (...[code, _what, facts, message, details]) => {
    const { type } = facts.at(-1) as AnyFact;
    expect(eventCatalogue[type].code).toBe(code);
    const row = await rowOf(...facts);
    expect(row).toMatchObject({
      code,
      message,
      clusterName: 'production',
      accessRequestId: 'q',
      resourceType: 'access_request',
      resourceId: 'q',
      metadata: { ...shared, ...details },
    });
    expect(row.words).toEqual(expect.arrayContaining([row.resourceName, 'production', 'dev']));
  });

  it('is true of a request that the log lost sight of, with less to say', async () => {
    expect(await rowOf(withdrawn)).toMatchObject({
      message: "The access request of dev@corp.example on cluster 'production' was withdrawn",
      resourceName: '',
    });
  });
});
