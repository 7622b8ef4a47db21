/**
 * `CredentialService`: kubeconfig credentials for the caller. A refusal to issue or to revoke leaves a fact of its own,
 * as often as the limits allow (CCR003W, CCR004W).
 */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { listCredentials, type Credential } from '@clustral/projections/credentials.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import {
  CredentialSchema,
  CredentialService,
  ListCredentialsResponseSchema,
} from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { parseClusterId, parseCredentialId, parseUserId, type UserId } from '@clustral/schemas/ids.ts';
import { implement, type Implementation } from '@clustral/kernel/api.ts';
import { callerOf, type Caller } from './caller.ts';
import { commandCause } from './cause.ts';
import { issue, type IssuingDeps } from './credential-issuing.ts';
import { revoke, revokeByToken } from './credential-revoking.ts';
import { modelsFor, tellPosition } from './deps.ts';
import { parsePage } from './input.ts';

/** The service. */
export function credentialService(deps: IssuingDeps): Implementation {
  const { method } = CredentialService;
  return implement(CredentialService, {
    async issueCredential(request, call) {
      const issued = await issue(deps, {
        userId: callerOf(call).userId,
        clusterId: parseClusterId(request.clusterId),
        ttl: request.ttl,
        cause: commandCause(call, method.issueCredential, request),
      });
      tellPosition(call, issued);
      const { credentialId, token, expiresAt, hasRole } = issued;
      return { credentialId, token, expiresAt: timestampFromDate(expiresAt), hasRole };
    },
    async revokeCredential(request, call) {
      const cause = commandCause(call, method.revokeCredential, request);
      const credentialId = parseCredentialId(request.id);
      const revoked = await revoke(deps, { credentialId, caller: callerOf(call), cause, foreign: 'forbidden' });
      tellPosition(call, revoked);
      return { credentialId, revokedAt: timestampFromDate(revoked.revokedAt) };
    },
    async revokeByToken(request, call) {
      const cause = commandCause(call, method.revokeByToken, request);
      const revoked = await revokeByToken(deps, { token: request.token, caller: callerOf(call), cause });
      tellPosition(call, revoked);
      return { credentialId: revoked.credentialId, revokedAt: timestampFromDate(revoked.revokedAt) };
    },
    async listCredentials(request, call) {
      const whose = whoseCredentials(request.userId, callerOf(call));
      const models = await modelsFor(deps, call);
      const { items, next = '' } = await listCredentials(models, {
        ...parsePage(request),
        ...whose,
        ...(request.clusterId === '' ? {} : { clusterId: parseClusterId(request.clusterId) }),
        ...(request.active ? { activeAt: deps.now().getTime() } : {}),
      });
      return create(ListCredentialsResponseSchema, { credentials: items.map(shown), nextPageToken: next });
    },
  });
}

/** Those of one person, or everybody's for whoever reads all and names nobody. */
function whoseCredentials(asked: string, { userId, readsAll }: Caller): { readonly userId?: UserId } {
  const named = asked === '' ? undefined : parseUserId(asked);
  if (readsAll) return named === undefined ? {} : { userId: named };
  if (named === undefined || named === userId) return { userId };
  throw new Refusal('FORBIDDEN', 'Only administrators and auditors see the credentials of others.');
}

const shown = (credential: Credential) =>
  create(CredentialSchema, {
    id: credential._id,
    userId: credential.userId,
    user: credential.user,
    clusterId: credential.clusterId,
    clusterName: credential.clusterName,
    issuedAt: timestampFromMs(credential.issuedAt),
    expiresAt: timestampFromMs(credential.expiresAt),
    ...(credential.revokedAt === null ? {} : { revokedAt: timestampFromMs(credential.revokedAt) }),
  });
