import { describe, expect, it } from 'vitest';
import type { AnyFact } from '@clustral/schemas/events/catalogue.ts';
import { clusters } from './clusters.ts';
import { credentialCollection, credentials } from './credentials.ts';
import { clusterDeleted, issued, registered, revoked, synced, userIs } from './testing/people.ts';
import { heldAfter, Story } from './testing/story.ts';
import { users } from './users.ts';

const of = { user: 'u', cluster: 'c' };
const after = async (...facts: readonly AnyFact[]) => {
  const story = new Story();
  for (const fact of [registered('c'), synced('u'), ...facts]) {
    const stream = fact.type.startsWith('cluster.')
      ? 'cluster-c'
      : fact.type.startsWith('user.')
        ? 'user-u'
        : 'credential-k';
    story.tell(stream, fact);
  }
  return (await heldAfter([clusters, users, credentials], story.facts)).get(credentialCollection, 'k');
};

describe('a credential as shown', () => {
  it('is what its token says', async () => {
    expect(await after(issued('k', of))).toEqual({
      _id: 'k',
      userId: 'u',
      clusterId: 'c',
      issuedAt: 1_800_000_000_000,
      expiresAt: 1_800_003_600_000,
      revoked: false,
      revokedAt: null,
      revokedReason: null,
      position: 30,
    });
  });

  it.each<[string, readonly AnyFact[], string | null]>([
    ['revoked', [issued('k', of), revoked('k', of)], 'asked for'],
    ['dead with its cluster', [issued('k', of), clusterDeleted('c')], 'cluster.deleted'],
    ['dead when its person is disabled', [issued('k', of), userIs('u', 'disabled')], 'user.disabled'],
    ['dead for ever', [issued('k', of), userIs('u', 'disabled'), userIs('u', 'enabled')], 'user.disabled'],
    ['dead by what ended it first', [issued('k', of), userIs('u', 'disabled'), revoked('k', of)], 'user.disabled'],
    ['dead when its cluster was deleted before', [clusterDeleted('c'), issued('k', of)], 'cluster.deleted'],
    [
      'alive when it was issued after its person was enabled',
      [userIs('u', 'disabled'), userIs('u', 'enabled'), issued('k', of)],
      null,
    ],
    ['alive when another one is revoked', [issued('k', of), revoked('other', of)], null],
  ])('is %s', async (_, facts, revokedReason) => {
    expect(await after(...facts)).toMatchObject({ revoked: revokedReason !== null, revokedReason });
  });
});
