import { describe, expect, it } from 'vitest';
import { plainReview, type ReviewRules } from '@clustral/schemas/events/role.ts';
import { WatchTopic } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import type { UserId } from '@clustral/schemas/ids.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { decodePolicyFact, type PolicyFact } from '../../policy-facts.ts';
import { changeOf, topicsFor, type Viewer } from './change.ts';

const nameIn = (words: Readonly<Record<string, number>>, number: number): string | undefined =>
  Object.keys(words).find((word) => words[word] === number);

const alice = '11111111-1111-4111-8111-111111111111' as UserId;
const bob = '22222222-2222-4222-8222-222222222222' as UserId;
const plain: Viewer = { userId: bob, isAdmin: false, readsAll: false, groups: ['night-shift'] };
const owner: Viewer = { ...plain, userId: alice };
const auditor: Viewer = { ...plain, readsAll: true };

const review: ReviewRules = { ...plainReview, reviewerGroups: ['night-shift'] };
const fact = (type: string, data: object): Recorded<PolicyFact> =>
  ({ type, data: { userId: alice, ...data }, position: 7n }) as unknown as Recorded<PolicyFact>;
const told = (...[type, data, viewer, rules]: readonly [string, object, Viewer, ReviewRules?]) =>
  topicsFor(
    changeOf(fact(type, data), () => rules),
    viewer,
  ).map((topic) => nameIn(WatchTopic, topic));

const personal = [
  ['user.synced', ['USERS']],
  ['user.disabled', ['USERS']],
  ['user.role_assigned', ['GRANTS']],
  ['user.role_unassigned', ['GRANTS']],
  ['access_request.created', ['REQUESTS']],
  ['access_request.approval_given', ['REQUESTS']],
  ['access_request.denied', ['REQUESTS']],
  ['access_request.withdrawn', ['REQUESTS']],
  ['access_request.approved', ['REQUESTS', 'GRANTS']],
  ['access_request.revoked', ['REQUESTS', 'GRANTS']],
  ['access_request.expired', ['REQUESTS', 'GRANTS']],
  ['credential.issued', ['CREDENTIALS']],
  ['credential.revoked', ['CREDENTIALS']],
] as const;

describe('what one is told of', () => {
  it.each(personal)('%s is told to whom it concerns, to nobody else', (type, topics) => {
    expect(told(type, {}, owner)).toEqual(topics);
    expect(told(type, {}, plain)).toEqual([]);
    expect(told(type, {}, auditor)).toEqual([...topics, 'AUDIT']);
  });

  it('a request is told to whoever may decide it, and what comes of it for its person is not', () => {
    for (const type of ['access_request.created', 'access_request.approved', 'access_request.withdrawn']) {
      expect(told(type, {}, plain, review)).toEqual(['REQUESTS']);
      expect(told(type, {}, { ...plain, groups: [] }, review)).toEqual([]);
    }
  });

  it.each([
    ['cluster.registered', 'CLUSTERS'],
    ['cluster.connected', 'AGENTS'],
    ['cluster.agent_revoked', 'AGENTS'],
    ['role.updated', 'ROLES'],
  ])('%s is told to everybody, who may read all of them', (type, topic) => {
    expect(told(type, {}, plain)).toEqual([topic]);
  });

  it.each(['cluster.bootstrap_token_issued', 'credential.revoke_denied', 'credential.issue_failed'])(
    '%s is news for the audit only',
    (type) => {
      expect(told(type, {}, owner)).toEqual([]);
      expect(told(type, {}, auditor)).toEqual(['AUDIT']);
    },
  );

  it('every fact that decides anything is a change, and at least news for the audit', () => {
    const facts = goldenSamples().flatMap(({ fact: one }) => decodePolicyFact(one) ?? []);
    expect(facts.length).toBeGreaterThan(20);
    for (const one of facts)
      expect(
        topicsFor(
          changeOf(one, () => undefined),
          auditor,
        ),
        one.type,
      ).toContain(WatchTopic.AUDIT);
  });
});
