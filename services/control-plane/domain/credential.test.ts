import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { CredentialFact } from '@clustral/schemas/events/credential.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { plainReview } from '@clustral/schemas/events/role.ts';
import { evolveAccess, initialAccess } from './access.ts';
import {
  credentialLimits,
  denyRevoke,
  evolveCredential,
  failToIssue,
  initialCredential,
  issueCredential,
  revokeCredential,
  type CredentialCounts,
  type CredentialState,
  type IssueCredential,
} from './credential.ts';
import { approved, after, clusterId, credentialId, noon, recorded, requested, roleId, userId } from './fixtures.ts';
import type { Standing } from './standing.ts';

const role = {
  status: 'active',
  roleId: roleId(),
  name: 'viewer',
  description: '',
  k8sGroups: ['g'],
  review: plainReview,
  createdAt: noon,
  revision: 0,
} as const;
const assigned: Standing = {
  source: 'assignment',
  role,
  assignment: { assignmentId: 'a', roleId: roleId(), assignedAt: noon, assignedBy: { kind: 'user', id: 'x' } },
};
function granted(expiresAt: Date): Standing {
  const facts = [requested('r'), approved('r', { grantExpiresAt: expiresAt.toISOString() })];
  const access = facts.reduce(
    (state, fact, revision) => evolveAccess(state, recorded(fact, { revision })),
    initialAccess,
  );
  if (access.status !== 'known' || !access.grant) throw new Error('nothing was granted');
  return { source: 'grant', role, grant: access.grant };
}
const few: CredentialCounts = { live: 0, firstLiveEndsAtSeconds: Infinity, issuedLastHour: 0, hourFreesAtSeconds: 0 };
const command = (said: Partial<IssueCredential> = {}): IssueCredential => ({
  credentialId: credentialId(),
  userId: userId(),
  clusterId: clusterId(),
  keyId: 'key',
  askedSeconds: 28_800,
  standing: assigned,
  counts: few,
  ...said,
});
const lifeOf = (said: Partial<IssueCredential>, now = noon): number => {
  const [fact] = issueCredential(command(said), initialCredential, now);
  if (fact?.type !== 'credential.issued') throw new Error('nothing was issued');
  return fact.data.expiresAtSeconds - fact.data.issuedAtSeconds;
};
const nowSeconds = noon.getTime() / 1000;

describe('how long a credential lives', () => {
  it('is as long as asked under a standing role', () => {
    expect(lifeOf({ askedSeconds: 3_600 })).toBe(3_600);
  });

  it('is five minutes at most without a role', () => {
    expect(lifeOf({ standing: undefined })).toBe(300);
    expect(lifeOf({ standing: undefined, askedSeconds: 60 })).toBe(60);
  });

  it('never goes beyond the grant, whatever was asked and whenever', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 86_400 }),
        fc.integer({ min: 1_000, max: 90_000_000 }),
        fc.nat(999),
        (asked, leftMs, ms) => {
          const now = new Date(noon.getTime() + ms);
          const expiresAt = new Date(now.getTime() + leftMs);
          const [fact] = issueCredential(
            command({ askedSeconds: asked, standing: granted(expiresAt) }),
            initialCredential,
            now,
          );
          if (fact?.type !== 'credential.issued') throw new Error('nothing was issued');
          const { issuedAtSeconds, expiresAtSeconds } = fact.data;
          expect(expiresAtSeconds * 1000).toBeLessThanOrEqual(expiresAt.getTime());
          expect(expiresAtSeconds - issuedAtSeconds).toBeLessThanOrEqual(asked);
          expect(expiresAtSeconds).toBeGreaterThan(issuedAtSeconds);
        },
      ),
    );
  });

  it('is that of somebody without a role in the last second of a grant', () => {
    expect(lifeOf({ standing: granted(new Date(noon.getTime() + 999)) })).toBe(300);
  });
});

describe('how many credentials a person may have', () => {
  it.each<[string, Partial<CredentialCounts>, string]>([
    ['20 live ones for the cluster', { live: 20, firstLiveEndsAtSeconds: nowSeconds + 90 }, '90'],
    ['60 within the hour', { issuedLastHour: 60, hourFreesAtSeconds: nowSeconds + 7 }, '7'],
  ])('is bounded by %s', (_, counts, retryAfterSeconds) => {
    expect(() => issueCredential(command({ counts: { ...few, ...counts } }), initialCredential, noon)).toThrow(
      expect.objectContaining({ code: 'RATE_LIMITED', metadata: { retryAfterSeconds } }),
    );
  });

  it('bounds what is written about refusals as well', () => {
    const failure = { credentialId: credentialId(), userId: userId(), clusterId: 'c', reason: 'CLUSTER_NOT_FOUND' };
    expect(failToIssue({ ...failure, counts: few }, noon)).toHaveLength(1);
    expect(() => failToIssue({ ...failure, counts: { ...few, issuedLastHour: 60 } }, noon)).toThrow(
      expect.objectContaining({ code: 'RATE_LIMITED' }),
    );
    const attempt = { credentialId: credentialId(), reason: 'FORBIDDEN' };
    expect(denyRevoke({ ...attempt, deniedLastHour: 0 })).toHaveLength(1);
    expect(() => denyRevoke({ ...attempt, deniedLastHour: credentialLimits.issuedPerUserAndHour })).toThrow(
      expect.objectContaining({ code: 'RATE_LIMITED' }),
    );
  });
});

describe('the end of a credential', () => {
  const fold = (facts: readonly CredentialFact[]): CredentialState =>
    facts.reduce<CredentialState>(
      (state, fact, revision) =>
        evolveCredential(state, recorded(fact, { revision, at: after(revision) }) as Recorded<CredentialFact>),
      initialCredential,
    );
  const issued = issueCredential(command(), initialCredential, noon);
  const revoke = { credentialId: credentialId(), reason: 'revoked by its owner' };

  it('is told once', () => {
    const facts = [...issued, ...revokeCredential(revoke, fold(issued))];
    expect(fold(facts)).toMatchObject({ status: 'revoked', revokedAt: after(1), reason: 'revoked by its owner' });
    expect(revokeCredential(revoke, fold(facts))).toEqual([]);
  });

  it('cannot come for one that was never issued, and a refused attempt makes it no more real', () => {
    const attempts = denyRevoke({ ...revoke, deniedLastHour: 0 });
    expect(() => revokeCredential(revoke, initialCredential)).toThrow(
      expect.objectContaining({ code: 'CREDENTIAL_NOT_FOUND' }),
    );
    expect(fold(attempts)).toBe(initialCredential);
    expect(fold([...issued, ...attempts])).toMatchObject({ status: 'issued', revision: 1 });
  });
});

describe('a credential, through any sequence of commands', () => {
  const step = fc.constantFrom('issue', 'issue', 'revoke', 'fail', 'deny');

  function outcomeOf(what: string, state: CredentialState): readonly CredentialFact[] | string {
    const which = { credentialId: credentialId(), reason: 'x' };
    try {
      if (what === 'issue') return issueCredential(command(), state, noon);
      if (what === 'revoke') return revokeCredential(which, state);
      if (what === 'deny') return denyRevoke({ ...which, deniedLastHour: 0 });
      return failToIssue({ ...which, userId: userId(), clusterId: 'c', counts: few }, noon);
    } catch (thrown) {
      if (thrown instanceof Refusal) return thrown.code;
      throw thrown;
    }
  }

  it('is issued once, revoked once, and never comes back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let [state, status]: [CredentialState, CredentialState['status']] = [initialCredential, 'absent'];
        const log: CredentialFact[] = [];
        for (const what of steps) {
          const outcome = outcomeOf(what, state);
          if (what === 'issue' && status !== 'absent') expect(outcome).toBe('CONFLICT');
          if (what === 'revoke' && status === 'absent') expect(outcome).toBe('CREDENTIAL_NOT_FOUND');
          if (what === 'issue' && status === 'absent') status = 'issued';
          else if (what === 'revoke' && status === 'issued') status = 'revoked';
          for (const fact of typeof outcome === 'string' ? [] : outcome) {
            state = evolveCredential(state, recorded(fact, { revision: log.length }));
            log.push(fact);
          }
          expect(state.status).toBe(status);
        }
        const told = (type: string) => log.filter((fact) => fact.type === type).length;
        expect([told('credential.issued'), told('credential.revoked')]).toEqual([
          status === 'absent' ? 0 : 1,
          status === 'revoked' ? 1 : 0,
        ]);
      }),
    );
  });
});
