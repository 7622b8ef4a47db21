/** Commands on one access for tests of the deciders, and the state that facts of its stream make. */
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { Approval } from './access-decision.ts';
import type { Ends } from './access-ends.ts';
import type { AskForAccess } from './access-request.ts';
import { evolveAccess, initialAccess, type AccessState } from './access.ts';
import { after, clusterId, noon, recorded, review, roleId, userId } from './fixtures.ts';
import type { Reviewer } from './review.ts';

export const pair = { userId: userId(), clusterId: clusterId() };

/** The state of the facts, in this order. */
export const fold = (...facts: readonly AccessFact[]): AccessState =>
  facts.reduce<AccessState>(
    (state, fact, revision) => evolveAccess(state, recorded(fact, { revision }) as Recorded<AccessFact>),
    initialAccess,
  );

export const noEnds: Ends = { assignment: undefined, pending: undefined, grant: undefined, approvals: [] };

export const admin = (n = 9): Reviewer => ({ userId: userId(n), isAdmin: true, groups: [] });
export const member = (n: number, ...groups: readonly string[]): Reviewer => ({
  userId: userId(n),
  isAdmin: false,
  groups,
});

/** Person 1 asks for role 1 on cluster 1. */
export const asking = (said: Partial<AskForAccess> = {}): AskForAccess => ({
  accessRequestId: 'new',
  ...pair,
  roleId: roleId(),
  roleRevision: 4,
  review: review(),
  reason: 'an incident',
  durationSeconds: 1_800,
  startsAt: null,
  extends: null,
  suggestedReviewerEmails: ['boss@corp.com'],
  now: noon,
  decidableSeconds: 3_600,
  maxSeconds: 86_400,
  ...said,
});

/** Administrator 9 approves request `r`. */
export const approving = (said: Partial<Approval> = {}): Approval => ({
  accessRequestId: 'r',
  reviewer: admin(),
  shownRoleRevision: undefined,
  shownAt: undefined,
  roleRevision: 0,
  durationSeconds: undefined,
  maxSeconds: 86_400,
  now: noon,
  ...said,
});

/** An approval of request `r` that others must follow. */
export const approvalGiven = (
  n: number,
  said: { readonly roleRevision?: number; readonly durationSeconds?: number } = {},
): AccessFact => ({
  type: 'access_request.approval_given',
  data: {
    ...pair,
    accessRequestId: 'r',
    roleId: roleId(),
    roleRevision: 0,
    reviewerId: userId(n),
    durationSeconds: 3_600,
    ...said,
  },
});

export const over = (type: 'denied' | 'revoked' | 'expired' | 'withdrawn', accessRequestId = 'r'): AccessFact =>
  ({
    type: `access_request.${type}`,
    data: { ...pair, accessRequestId, reason: '', expiredAt: after(3_600).toISOString() },
  }) as unknown as AccessFact;
