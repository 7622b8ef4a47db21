/**
 * Revokes credentials: one's own, or anybody's for an administrator. Whoever tries it on another's is refused and on
 * record for it, at most 60 times an hour.
 */
import { credentialStream } from '@clustral/schemas/events/credential.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { CredentialId } from '@clustral/schemas/ids.ts';
import {
  credentialNotFound,
  denyRevoke,
  evolveCredential,
  initialCredential,
  revokeCredential,
  type CredentialState,
} from '../domain/credential.ts';
import type { Cause } from '../ports.ts';
import type { Caller } from './caller.ts';
import type { IssuingDeps } from './credential-issuing.ts';

export type RevokeRequest = {
  readonly credentialId: CredentialId;
  readonly caller: Caller;
  readonly cause: Cause;
  /** What somebody else's credential is answered as. */
  readonly foreign: 'forbidden' | 'not found';
};

export type Revoked = {
  readonly credentialId: CredentialId;
  readonly revokedAt: Date;
  readonly position: bigint | undefined;
};

/**
 * Revokes it; one that is revoked already is answered as it was. Refuses with `FORBIDDEN`, `CREDENTIAL_NOT_FOUND`,
 * `RATE_LIMITED`.
 */
export async function revoke(deps: IssuingDeps, request: RevokeRequest): Promise<Revoked> {
  const { credentialId, caller, cause } = request;
  const stream = { stream: credentialStream(credentialId), initial: initialCredential, evolve: evolveCredential };
  try {
    const { state, position } = await deps.commands.run({
      ...stream,
      decide: (before) => {
        refuseForeign(request, before);
        const byOwner = before.status !== 'absent' && before.userId === caller.userId;
        const reason = byOwner ? 'revoked by its owner' : 'revoked by an administrator';
        return revokeCredential({ credentialId, reason }, before);
      },
      cause,
    });
    if (state.status !== 'revoked')
      throw new Error(`credential ${credentialId} is ${state.status} after it was revoked`);
    return { credentialId, revokedAt: state.revokedAt, position };
  } catch (refusal) {
    if (!(refusal instanceof Refusal) || !recordedCodes.has(refusal.code)) throw refusal;
    const { idempotency: _notForARefusal, ...deniedCause } = cause;
    const deniedLastHour = () => deps.policy.revokesDeniedLastHour(caller.userId);
    await deps.commands.run({
      ...stream,
      exclusive: `refused revokes of ${caller.userId}`,
      decide: () => denyRevoke({ credentialId, reason: refusal.code, deniedLastHour: deniedLastHour() }),
      cause: deniedCause,
    });
    throw refusal;
  }
}

const recordedCodes: ReadonlySet<string> = new Set(['FORBIDDEN', 'CREDENTIAL_NOT_FOUND']);

/** As `revoke`, for whoever holds the token. A token that is not one of ours, or not the caller's, does not exist. */
export async function revokeByToken(
  deps: IssuingDeps,
  { token, ...request }: { readonly token: string; readonly caller: Caller; readonly cause: Cause },
): Promise<Revoked> {
  const claims = await deps.tokens.verify(token).catch((refusal: unknown) => {
    if (!(refusal instanceof Refusal)) throw refusal;
    throw new Refusal(
      'CREDENTIAL_NOT_FOUND',
      'This is not the token of a credential that is still valid: there is nothing to revoke.',
      { field: 'token' },
    );
  });
  return revoke(deps, { ...request, credentialId: claims.jti as CredentialId, foreign: 'not found' });
}

function refuseForeign({ credentialId, caller, foreign }: RevokeRequest, state: CredentialState): void {
  if (state.status === 'absent') throw credentialNotFound(credentialId);
  if (caller.isAdmin || state.userId === caller.userId) return;
  if (foreign === 'not found') throw credentialNotFound(credentialId);
  throw new Refusal('FORBIDDEN', 'This credential belongs to somebody else. An administrator can revoke it.', {
    credentialId,
  });
}
