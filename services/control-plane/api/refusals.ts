/**
 * `POST /internal/v1/refusals` (D31): what the gateway refused on the kubectl path, for the audit. It takes nothing but
 * the gateway's service token, which is good for nothing else; it decides nothing, and it answers at once: what is
 * handed on is recorded, counted or told as a gap by `proxy/denials.ts`.
 */
import type { FastifyInstance } from 'fastify';
import { isErrorCode, Refusal } from '@clustral/schemas/errors.ts';
import { isUuid, type ClusterId, type CredentialId, type RequestId } from '@clustral/schemas/ids.ts';
import { gatewayIssuer, internalTokenHeader, type InternalClaims } from '@clustral/schemas/tokens.ts';
import type { Verifier } from '@clustral/kernel/jwt.ts';
import { clusterExists } from '../domain/standing.ts';
import type { Policy } from '../ports.ts';
import type { Denials } from '../proxy/denials.ts';
import type { Denial } from '../proxy/proxy-records.ts';

export const refusalsPath = '/internal/v1/refusals';
/** As many as the gateway sends at once, with room to spare. */
const mostInBatch = 1_000;
/** How far a refusal's time may be from now: the gateway retries for a while, and its clock is another (F-25). */
const mostAwayMs = 3_600_000;

export type RefusalsOptions = {
  /** Must let tokens of kind `service` pass. */
  readonly verifier: Verifier<InternalClaims>;
  readonly policy: Pick<Policy, 'cluster' | 'credential'>;
  readonly denials: Denials;
  readonly now: () => Date;
};

/** Adds the route. Its answers are 204, 401 and 422. */
export function registerRefusals(app: FastifyInstance, options: RefusalsOptions): void {
  let lastAt = options.now();
  app.post(refusalsPath, async (request, reply) => {
    await refuseOthers(request.headers[internalTokenHeader], options.verifier);
    const { refusals, lost } = batchOf(request.body);
    const now = options.now();
    // All are read before any is handed on: a batch is taken or refused as a whole.
    for (const denial of refusals.map((refusal) => denialOf(refusal, options, now))) options.denials.report(denial);
    // When they were lost is not known; it was since the batch before.
    if (lost > 0) options.denials.lost(lastAt, now);
    lastAt = now;
    await reply.status(204).send();
  });
}

async function refuseOthers(token: unknown, verifier: Verifier<InternalClaims>): Promise<void> {
  if (typeof token !== 'string') throw new Refusal('AUTHENTICATION_REQUIRED', 'Only the gateway may report refusals.');
  const { kind, sub } = await verifier.verify(token);
  if (kind !== 'service' || sub !== gatewayIssuer) {
    throw new Refusal('INVALID_TOKEN', 'Only the gateway may report refusals, with its own token.');
  }
}

type Json = Readonly<Record<string, unknown>>;

function batchOf(body: unknown): { readonly refusals: readonly Json[]; readonly lost: number } {
  const { refusals, lost } = isObject(body) ? body : {};
  if (!Array.isArray(refusals) || refusals.length > mostInBatch || !refusals.every(isObject)) {
    throw new Refusal('VALIDATION_ERROR', `'refusals' must be a list of at most ${mostInBatch} objects.`, {
      field: 'refusals',
    });
  }
  return { refusals, lost: typeof lost === 'number' && lost > 0 ? lost : 0 };
}

function denialOf(json: Json, { policy }: RefusalsOptions, now: Date): Denial {
  const { requestId, errorCode, status } = json;
  if (!isText(requestId) || !isUuid(requestId) || !isText(errorCode) || !isErrorCode(errorCode)) {
    throw new Refusal('VALIDATION_ERROR', 'Each refusal needs the id of its request and an error code.', {
      field: 'refusals',
    });
  }
  const credentialId = id<CredentialId>(json['credentialId']);
  const credential = credentialId === null ? undefined : knownCredential(policy, credentialId);
  return {
    requestId: requestId.toLowerCase() as RequestId,
    clusterId: existing(policy, id<ClusterId>(json['clusterId'])),
    userId: credential?.userId ?? null,
    credentialId,
    errorCode,
    status: typeof status === 'number' ? status : 0,
    method: cut(json['method'], 20) ?? '',
    path: cut(json['path'], 1_024) ?? '',
    count: 1,
    at: timeOf(json['at'], now),
    origin: {
      correlationId: cut(json['correlationId'], 128) ?? requestId,
      sourceAddress: cut(json['sourceAddress'], 64),
      userAgent: cut(json['userAgent'], 256),
    },
  };
}

// What cannot be read now must not stop a refusal from being recorded.
function knownCredential(policy: RefusalsOptions['policy'], id: CredentialId): { readonly userId: Denial['userId'] } {
  try {
    const credential = policy.credential(id);
    return { userId: credential === undefined || credential.status === 'absent' ? null : credential.userId };
  } catch {
    return { userId: null };
  }
}

function existing(policy: RefusalsOptions['policy'], id: ClusterId | null): ClusterId | null {
  try {
    return id !== null && clusterExists(policy.cluster(id)) ? id : null;
  } catch {
    return id;
  }
}

function timeOf(text: unknown, now: Date): Date {
  const at = isText(text) ? Date.parse(text) : Number.NaN;
  return Math.abs(at - now.getTime()) <= mostAwayMs ? new Date(at) : now;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const cut = (value: unknown, length: number): string | undefined =>
  isText(value) ? value.slice(0, length) : undefined;
const id = <Id extends string>(value: unknown): Id | null =>
  isText(value) && isUuid(value) ? (value.toLowerCase() as Id) : null;
