/** Ids and facts for tests of the domain: what does not matter to a test is filled in here. */
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { Fact, Recorded } from '@clustral/schemas/events/envelope.ts';
import type { PersonClaims } from '@clustral/schemas/events/person.ts';
import { plainReview, type ReviewRules } from '@clustral/schemas/events/role.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';

const uuid = (kind: number, n: number): string =>
  `${String(kind).padStart(8, '0')}-0000-4000-8000-${String(n).padStart(12, '0')}`;

export const userId = (n = 1): UserId => uuid(1, n) as UserId;
export const clusterId = (n = 1): ClusterId => uuid(2, n) as ClusterId;
export const roleId = (n = 1): RoleId => uuid(3, n) as RoleId;
export const credentialId = (n = 1): CredentialId => uuid(4, n) as CredentialId;

export const noon = new Date('2026-11-25T12:00:00.000Z');
export const after = (seconds: number, from: Date = noon): Date => new Date(from.getTime() + seconds * 1000);

/** A fact as read back. Its position is 10 times its place unless said otherwise, so that facts can come in between. */
export function recorded<F extends Fact>(
  fact: F,
  where: { stream?: string; revision?: number; position?: number; at?: Date; epoch?: number } = {},
): Recorded<F> {
  const revision = where.revision ?? 0;
  const position = BigInt(where.position ?? revision * 10);
  return {
    ...fact,
    id: uuid(9, Number(position)),
    stream: where.stream ?? 'test-1',
    revision,
    position,
    recordedAt: where.at ?? noon,
    metadata: {
      schemaVersion: 1,
      actor: { kind: 'user', id: userId(99) },
      epoch: where.epoch ?? 1,
      $correlationId: 'correlation',
    },
  };
}

type Created = Extract<AccessFact, { type: 'access_request.created' }>;
type Approved = Extract<AccessFact, { type: 'access_request.approved' }>;

/** A request of person 1 for role 1 on cluster 1, for an hour, that may be decided for an hour from noon. */
export const requested = (accessRequestId: string, said: Partial<Created['data']> = {}): Created => ({
  type: 'access_request.created',
  data: {
    userId: userId(),
    clusterId: clusterId(),
    accessRequestId,
    roleId: roleId(),
    roleRevision: 0,
    reason: 'an incident',
    durationSeconds: 3_600,
    startsAt: null,
    extends: null,
    suggestedReviewerEmails: [],
    expiresAt: after(3_600).toISOString(),
    ...said,
  },
});

/** The approval of that request by person 9, for an hour from noon. */
export const approved = (accessRequestId: string, said: Partial<Approved['data']> = {}): Approved => ({
  type: 'access_request.approved',
  data: {
    userId: userId(),
    clusterId: clusterId(),
    accessRequestId,
    roleId: roleId(),
    roleRevision: 0,
    reviewerId: userId(9),
    durationSeconds: 3_600,
    grantStartsAt: noon.toISOString(),
    grantExpiresAt: after(3_600).toISOString(),
    ...said,
  },
});

/** Plain review rules, but for what is said. */
export const review = (said: Partial<ReviewRules> = {}): ReviewRules => ({ ...plainReview, ...said });

export const claims = (said: Partial<PersonClaims> = {}): PersonClaims => ({
  issuer: 'https://id.example',
  subject: 'alice',
  email: 'alice@corp.com',
  emailVerified: true,
  preferredUsername: 'alice',
  name: 'Alice',
  roles: [],
  groups: [],
  ...said,
});
