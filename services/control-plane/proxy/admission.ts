/**
 * The checks that every request on the proxy path passes before anything of it goes anywhere, in one order: the gateway's
 * token, the address, the headers, and whether this person may do this now. The first that fails is the answer.
 */
import type { IncomingMessage } from 'node:http';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { KubernetesRequest } from '@clustral/schemas/events/proxy.ts';
import { isUuid, type ClusterId, type CredentialId, type UserId } from '@clustral/schemas/ids.ts';
import { internalTokenHeader, type InternalClaims } from '@clustral/schemas/tokens.ts';
import type { Verifier } from '@clustral/kernel/jwt.ts';
import { authorize } from '../authorize.ts';
import type { Impersonation, Policy } from '../ports.ts';
import { builtInDiscovery } from './discovery.ts';
import { requestHeaders } from './headers.ts';
import { parseKubernetesRequest } from './kubernetes-request.ts';
import { splitTarget } from './path.ts';

/** Who asks, by a verified token. Nothing is said yet of what they may do. */
export type Caller = {
  readonly claims: InternalClaims;
  readonly userId: UserId;
  readonly credentialId: CredentialId;
};

/** A request that may go out. */
export type Admitted = {
  readonly clusterId: ClusterId;
  /** For the API server, byte for byte as sent. */
  readonly target: string;
  readonly headers: readonly string[];
  readonly request: KubernetesRequest;
  readonly impersonation: Impersonation;
  /** The decision taken again, as policy stands then. */
  readonly decideAgain: () => Impersonation;
};

/** A request that is answered here: discovery's fixed list for a person without a role (D20). */
export type AnsweredHere = { readonly json: string };

export type AdmissionOptions = {
  readonly verifier: Verifier<InternalClaims>;
  readonly policy: Policy;
  readonly now: () => Date;
};

/** Whose request it is. Throws `AUTHENTICATION_REQUIRED` or `INVALID_TOKEN`. */
export async function identify(request: IncomingMessage, verifier: Verifier<InternalClaims>): Promise<Caller> {
  const token = request.headers[internalTokenHeader];
  if (typeof token !== 'string') {
    throw new Refusal('AUTHENTICATION_REQUIRED', "Send a kubeconfig credential: run 'clustral kube login'.");
  }
  const claims = await verifier.verify(token);
  const { kind, sub, credential_id: credentialId } = claims;
  if (kind !== 'internal' || credentialId === undefined || !isUuid(credentialId) || !isUuid(sub)) {
    throw new Refusal(
      'INVALID_TOKEN',
      "Only a kubeconfig credential is taken on this path. Run 'clustral kube login' for the cluster.",
    );
  }
  return { claims, userId: sub.toLowerCase() as UserId, credentialId: credentialId.toLowerCase() as CredentialId };
}

/** Lets an identified caller's request in, or throws the `Refusal` that answers it. */
export function admit(
  incoming: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>,
  caller: Caller,
  { policy, now }: AdmissionOptions,
): Admitted | AnsweredHere {
  const { clusterId, target } = splitTarget(incoming.url ?? '');
  const method = incoming.method ?? '';
  const headers = requestHeaders(incoming.rawHeaders);
  policy.assertFresh();
  const decide = (): Impersonation => authorize(policy, { claims: caller.claims, clusterId }, now());
  try {
    const impersonation = decide();
    const request = parseKubernetesRequest(method, target);
    return { clusterId, target, headers, request, impersonation, decideAgain: decide };
  } catch (thrown) {
    const json = isWithoutRole(thrown) ? builtInDiscovery(method, target) : undefined;
    if (json === undefined) throw thrown;
    return { json };
  }
}

const isWithoutRole = (thrown: unknown): boolean => thrown instanceof Refusal && thrown.code === 'NO_ROLE_ASSIGNMENT';
