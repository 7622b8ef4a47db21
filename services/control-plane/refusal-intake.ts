/**
 * Takes the gateway's refusals on the kubectl path into the records (D31): `POST /internal/v1/refusals`, not routed from
 * outside, for a token of kind `service` only. It believes the gateway about what happened and nothing about what exists: a
 * cluster is named in a record only when there is one.
 */
import type { FastifyInstance } from 'fastify';
import { errorCatalogue, isErrorCode, Refusal } from '@clustral/schemas/errors.ts';
import { isUuid, type ClusterId, type CredentialId, type RequestId } from '@clustral/schemas/ids.ts';
import { internalTokenHeader, type InternalClaims } from '@clustral/schemas/tokens.ts';
import type { Verifier } from '@clustral/kernel/jwt.ts';
import { clusterExists } from './domain/standing.ts';
import type { Policy } from './ports.ts';
import type { Denials } from './proxy/denials.ts';
import type { Denial } from './proxy/proxy-records.ts';

const mostInBatch = 1_000;
const longestText = 1_024;

export type RefusalIntakeOptions = {
  /** Verifies tokens of kind `service` and no others. */
  readonly verifier: Verifier<InternalClaims>;
  readonly denials: Pick<Denials, 'report' | 'lost'>;
  readonly policy: Pick<Policy, 'cluster'>;
  readonly now: () => Date;
};

/** Registers the route. */
export function registerRefusalIntake(app: FastifyInstance, options: RefusalIntakeOptions): void {
  const { verifier, denials, now } = options;
  let lastBatchAt = now();
  app.post('/internal/v1/refusals', async (request, reply) => {
    const token = request.headers[internalTokenHeader];
    if (typeof token !== 'string')
      throw new Refusal('AUTHENTICATION_REQUIRED', 'Refusals are taken from the gateway, with its token.');
    await verifier.verify(token);
    const { refusals, lost } = batchOf(request.body);
    const reported = refusals.map((refusal) => denialOf(refusal, options));
    for (const denial of reported) denials.report(denial);
    const at = now();
    if (lost > 0) denials.lost(lastBatchAt, at);
    lastBatchAt = at;
    await reply.status(204).send();
  });
}

type Fields = Readonly<Record<string, unknown>>;

function batchOf(body: unknown): { readonly refusals: readonly unknown[]; readonly lost: number } {
  const { refusals, lost } = (body ?? {}) as Fields;
  if (!Array.isArray(refusals) || refusals.length > mostInBatch) throw malformed('refusals');
  if (typeof lost !== 'number' || !(lost >= 0)) throw malformed('lost');
  return { refusals, lost };
}

function denialOf(refusal: unknown, { policy }: RefusalIntakeOptions): Denial {
  const fields = (refusal ?? {}) as Fields;
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value !== 'string') throw malformed(name);
    return value.slice(0, longestText);
  };
  const id = (name: string): string | null =>
    fields[name] === null || !isUuid(text(name)) ? null : text(name).toLowerCase();
  const [requestId, errorCode, at] = [text('requestId'), text('errorCode'), new Date(text('at'))];
  if (!isUuid(requestId)) throw malformed('requestId');
  if (!isErrorCode(errorCode)) throw malformed('errorCode');
  if (Number.isNaN(at.getTime())) throw malformed('at');
  return {
    requestId: requestId.toLowerCase() as RequestId,
    clusterId: existing(policy, id('clusterId') as ClusterId | null),
    userId: null,
    credentialId: id('credentialId') as CredentialId | null,
    errorCode,
    status: errorCatalogue[errorCode].http,
    method: text('method'),
    path: text('path'),
    count: 1,
    at,
    origin: {
      correlationId: text('correlationId'),
      sourceAddress: text('sourceAddress'),
      userAgent: fields['userAgent'] === null ? undefined : text('userAgent'),
      traceparent: undefined,
    },
  };
}

function existing(policy: Pick<Policy, 'cluster'>, id: ClusterId | null): ClusterId | null {
  if (id === null) return null;
  try {
    return clusterExists(policy.cluster(id)) ? id : null;
  } catch (cause) {
    // A cluster whose facts cannot be read is there all the same.
    if (cause instanceof Refusal) return id;
    throw cause;
  }
}

const malformed = (field: string): Refusal =>
  new Refusal('VALIDATION_ERROR', `The batch of refusals is not what the gateway sends: '${field}' does not fit.`, {
    field,
  });
