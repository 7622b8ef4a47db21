/** Ids and facts for tests of the domain: what does not matter to a test is filled in here. */
import type { Fact, Recorded } from '@clustral/schemas/events/envelope.ts';
import type { PersonClaims } from '@clustral/schemas/events/person.ts';
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
