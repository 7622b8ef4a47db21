/**
 * A kubeconfig credential: a token's record, found by its `jti`. It gives nothing by itself (D24); it can only be
 * missing, expired or revoked, and each of them denies. The rule it lives by: it never outlives the grant it was made
 * under, and nobody holds more of them than the limits say.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { CredentialFact } from '@clustral/schemas/events/credential.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ClusterId, CredentialId, UserId } from '@clustral/schemas/ids.ts';
import type { Standing } from './standing.ts';

type Issued = {
  readonly credentialId: CredentialId;
  readonly userId: UserId;
  readonly clusterId: ClusterId;
  readonly keyId: string;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** Where it was issued: dead if the person was disabled after it (D32). */
  readonly position: bigint;
  readonly revision: number;
};

export type CredentialState =
  | { readonly status: 'absent' }
  | (Issued & { readonly status: 'issued' })
  | (Issued & {
      readonly status: 'revoked';
      readonly revokedAt: Date;
      readonly reason: string;
    });

/** A credential that was issued, whatever became of it. */
export type KnownCredential = Exclude<CredentialState, { status: 'absent' }>;

export const initialCredential: CredentialState = { status: 'absent' };

/** Folds one fact of the stream `credential-{id}`. A refusal to issue or to revoke is told, and changes nothing. */
export function evolveCredential(state: CredentialState, fact: Recorded<CredentialFact>): CredentialState {
  const { revision, position } = fact;
  switch (fact.type) {
    case 'credential.issued':
      return { status: 'issued', ...fact.data, position, revision };
    case 'credential.revoked':
      if (state.status !== 'issued') return state;
      return {
        ...state,
        status: 'revoked',
        revokedAt: fact.recordedAt,
        reason: fact.data.reason,
        revision,
      };
    case 'credential.revoke_denied':
    case 'credential.issue_failed':
      return state.status === 'absent' ? state : { ...state, revision };
    default:
      return fact satisfies never;
  }
}

/** How long and how many (D24). */
export const credentialLimits = {
  withoutRoleSeconds: 300,
  livePerUserAndCluster: 20,
  issuedPerUserAndHour: 60,
} as const;

/** What is asked for, and what the fold knows of the person's other credentials. */
export type IssueCredential = {
  readonly credentialId: CredentialId;
  readonly userId: UserId;
  readonly clusterId: ClusterId;
  readonly keyId: string;
  readonly askedSeconds: number;
  readonly standing: Standing | undefined;
  readonly counts: CredentialCounts;
};

/**
 * Of one person: live ones on the cluster, issued in the last hour, and when (seconds) the oldest of either is over.
 */
export type CredentialCounts = {
  readonly live: number;
  readonly firstLiveEndsAtSeconds: number;
  readonly issuedLastHour: number;
  readonly hourFreesAtSeconds: number;
};

/** Issues it: without a role for 5 minutes, under a grant never beyond it. Refuses with `RATE_LIMITED`. */
export function issueCredential(
  command: IssueCredential,
  state: CredentialState,
  now: Date,
): readonly CredentialFact[] {
  const { credentialId, userId, clusterId, keyId } = command;
  if (state.status !== 'absent')
    throw new Refusal('CONFLICT', `A credential ${credentialId} exists already: send a new Idempotency-Key.`);
  const issuedAtSeconds = Math.floor(now.getTime() / 1000);
  refuseTooMany(command.counts, issuedAtSeconds);
  const expiresAtSeconds = issuedAtSeconds + lifetimeSeconds(command, issuedAtSeconds);
  return [
    {
      type: 'credential.issued',
      data: { credentialId, userId, clusterId, keyId, issuedAtSeconds, expiresAtSeconds },
    },
  ];
}

function lifetimeSeconds({ askedSeconds, standing }: IssueCredential, issuedAtSeconds: number): number {
  const short = Math.min(askedSeconds, credentialLimits.withoutRoleSeconds);
  if (standing === undefined) return short;
  if (standing.source === 'assignment') return askedSeconds;
  const grantSeconds = Math.floor(standing.grant.expiresAt.getTime() / 1000) - issuedAtSeconds;
  // A grant in its last second gives no whole second of life, and a token cannot have less.
  return grantSeconds < 1 ? short : Math.min(askedSeconds, grantSeconds);
}

function refuseTooMany(counts: CredentialCounts, nowSeconds: number): void {
  const retryAt = (seconds: number) => ({ retryAfterSeconds: String(Math.max(1, seconds - nowSeconds)) });
  if (counts.live >= credentialLimits.livePerUserAndCluster) {
    throw new Refusal(
      'RATE_LIMITED',
      `You hold ${counts.live} live credentials for this cluster, the most that one person may. Revoke some, or wait until one expires.`,
      retryAt(counts.firstLiveEndsAtSeconds),
    );
  }
  if (counts.issuedLastHour >= credentialLimits.issuedPerUserAndHour) {
    throw new Refusal(
      'RATE_LIMITED',
      `${counts.issuedLastHour} credentials were issued to you within the last hour, the most that one person may get. Use one that is still live, or wait.`,
      retryAt(counts.hourFreesAtSeconds),
    );
  }
}

/** Revokes it; no fact when it is revoked already. Refuses with `CREDENTIAL_NOT_FOUND`. */
export function revokeCredential(
  { credentialId, reason }: { readonly credentialId: CredentialId; readonly reason: string },
  state: CredentialState,
): readonly CredentialFact[] {
  switch (state.status) {
    case 'absent':
      throw credentialNotFound(credentialId);
    case 'revoked':
      return [];
    case 'issued': {
      const { userId, clusterId } = state;
      return [{ type: 'credential.revoked', data: { credentialId, userId, clusterId, reason } }];
    }
    default:
      return state satisfies never;
  }
}

/** The refusal for an id that was never issued, or that is none of the caller's business. */
export const credentialNotFound = (credentialId: string): Refusal =>
  new Refusal(
    'CREDENTIAL_NOT_FOUND',
    `There is no credential ${credentialId}: it may belong to somebody else or never have been issued.`,
    { credentialId },
  );

/** Records that issuing was refused; counts as an issue, so that refusals do not fill the log either. */
export function failToIssue(
  command: {
    readonly credentialId: CredentialId;
    readonly userId: UserId;
    readonly clusterId: string;
    readonly reason: string;
    readonly counts: CredentialCounts;
  },
  now: Date,
): readonly CredentialFact[] {
  const { counts, ...data } = command;
  refuseTooMany({ ...counts, live: 0 }, Math.floor(now.getTime() / 1000));
  return [{ type: 'credential.issue_failed', data }];
}

/**
 * Records an attempt to revoke what is not there or somebody else's. Refuses with `RATE_LIMITED` after 60 in an hour.
 */
export function denyRevoke({
  deniedLastHour,
  ...data
}: {
  readonly credentialId: CredentialId;
  readonly reason: string;
  readonly deniedLastHour: number;
}): readonly CredentialFact[] {
  if (deniedLastHour < credentialLimits.issuedPerUserAndHour) return [{ type: 'credential.revoke_denied', data }];
  throw new Refusal(
    'RATE_LIMITED',
    `${deniedLastHour} attempts to revoke credentials of others were refused within the last hour. Wait.`,
    { retryAfterSeconds: '600' },
  );
}
