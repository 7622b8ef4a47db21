/**
 * Issues a kubeconfig credential: decided on the policy fold, stored, then signed from what was stored, so that a
 * repeated call gives the same credential again (D33). The token is nowhere but in the answer.
 */
import { credentialStream } from '@clustral/schemas/events/credential.ts';
import { parseDuration } from '@clustral/schemas/duration.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ClusterId, CredentialId, UserId } from '@clustral/schemas/ids.ts';
import { disabled } from '../authorize.ts';
import { requireCluster } from '../domain/cluster.ts';
import {
  credentialNotFound,
  evolveCredential,
  failToIssue,
  initialCredential,
  issueCredential,
  type CredentialState,
  type KnownCredential,
} from '../domain/credential.ts';
import { foldName } from '../domain/kubernetes-name.ts';
import { standingOf } from '../domain/standing.ts';
import { usableName } from '../domain/user.ts';
import type { KubeconfigTokens } from '../kubeconfig-tokens.ts';
import type { PolicyQueries } from '../policy.ts';
import type { Cause, CommandResult } from '../ports.ts';
import { newId } from './cause.ts';
import type { ApiDeps } from './deps.ts';

export type IssuingDeps = ApiDeps & {
  readonly tokens: KubeconfigTokens;
  readonly credentialTtl: { readonly defaultSeconds: number; readonly maxSeconds: number };
};

export type IssueRequest = {
  readonly userId: UserId;
  readonly clusterId: ClusterId;
  /** A strict duration; the default when empty. */
  readonly ttl: string;
  readonly cause: Cause;
};

export type IssuedCredential = {
  readonly credentialId: CredentialId;
  readonly token: string;
  readonly expiresAt: Date;
  readonly hasRole: boolean;
  readonly position: bigint | undefined;
};

/**
 * Issues it. Refuses with `INVALID_DURATION`, `CLUSTER_NOT_FOUND`, `FORBIDDEN`, `RESERVED_USER_NAME`,
 * `USER_NAME_TAKEN`, `RATE_LIMITED`, and with `CONFLICT` when a repeated call asks for a credential that was revoked
 * since.
 */
export async function issue(deps: IssuingDeps, request: IssueRequest): Promise<IssuedCredential> {
  const { userId, clusterId, ttl, cause } = request;
  const { defaultSeconds, maxSeconds } = deps.credentialTtl;
  const askedSeconds = ttl === '' ? defaultSeconds : parseDuration(ttl, { field: 'ttl', maxSeconds });
  const credentialId = newId('credential', cause) as CredentialId;
  const { state, position } = await decideToIssue(deps, request, { credentialId, askedSeconds });
  const { issuedAtSeconds, expiresAtSeconds } = stillGood(credentialId, state);
  return {
    credentialId,
    token: await deps.tokens.sign({
      kind: 'kubeconfig',
      sub: userId,
      cluster_id: clusterId,
      jti: credentialId,
      iat: issuedAtSeconds,
      exp: expiresAtSeconds,
    }),
    expiresAt: new Date(expiresAtSeconds * 1000),
    hasRole: standingOf(deps.policy, { userId, clusterId }, deps.now()) !== undefined,
    position,
  };
}

type Wanted = { readonly credentialId: CredentialId; readonly askedSeconds: number };

async function decideToIssue(
  deps: IssuingDeps,
  { userId, clusterId, cause }: IssueRequest,
  { credentialId, askedSeconds }: Wanted,
): Promise<CommandResult<CredentialState>> {
  const { policy, commands, now, tokens } = deps;
  const stream = { stream: credentialStream(credentialId), initial: initialCredential, evolve: evolveCredential };
  const exclusive = `credentials of ${userId}`;
  const counts = () => policy.credentialCounts(userId, clusterId);
  const keyId = await tokens.keyId();
  try {
    return await commands.run({
      ...stream,
      exclusive,
      decide: (state) => {
        requireCluster(clusterId, policy.cluster(clusterId));
        assertNamed(policy, userId);
        const standing = standingOf(policy, { userId, clusterId }, now());
        const command = { credentialId, userId, clusterId, keyId, askedSeconds, standing };
        return issueCredential({ ...command, counts: counts() }, state, now());
      },
      cause,
    });
  } catch (refusal) {
    if (!(refusal instanceof Refusal) || !recordedCodes.has(refusal.code)) throw refusal;
    const { idempotency: _notForAFailure, ...failedCause } = cause;
    const failure = { credentialId, userId, clusterId, reason: refusal.code };
    const decide = () => failToIssue({ ...failure, counts: counts() }, now());
    await commands.run({ ...stream, exclusive, decide, cause: failedCause });
    throw refusal;
  }
}

// A limit is not recorded, or it would not limit what is written.
const recordedCodes: ReadonlySet<string> = new Set([
  'CLUSTER_NOT_FOUND',
  'FORBIDDEN',
  'RESERVED_USER_NAME',
  'USER_NAME_TAKEN',
]);

function assertNamed(policy: PolicyQueries, userId: UserId): void {
  const user = policy.user(userId);
  if (user?.status !== 'active') throw disabled(userId);
  const { kubernetesName } = user;
  usableName(user, kubernetesName === null ? [] : policy.userByKubernetesName(foldName(kubernetesName)));
}

function stillGood(credentialId: CredentialId, state: CredentialState): KnownCredential {
  if (state.status === 'absent') throw credentialNotFound(credentialId);
  if (state.status === 'issued') return state;
  throw new Refusal(
    'CONFLICT',
    `The credential of this Idempotency-Key was revoked at ${state.revokedAt.toISOString()}: send a new key for a new one.`,
    { credentialId },
  );
}
