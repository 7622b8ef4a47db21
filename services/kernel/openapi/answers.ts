/**
 * How an operation may answer: its success, and each refusal by status with the codes that it may have. What every method may
 * be refused with stands here; what only one may, in its rule in the schema.
 */
import type { JsonObject } from '@bufbuild/protobuf';
import { errorCatalogue, type ErrorCode } from '@clustral/schemas/errors.ts';
import type { Route } from '@clustral/schemas/services.ts';
import type { Components } from './components.ts';

/** Headers of answers. */
export const answerHeaders: JsonObject = {
  CorrelationId: {
    description: 'The id by which logs and audit know the request: the one that was sent, or a new one.',
    schema: { type: 'string' },
  },
  Position: {
    description: 'Where the facts of the command ended in the log; absent when it changed nothing.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  Lag: {
    description: 'Whole seconds that what is shown may be behind the log; absent when that is not known.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  RetryAfter: { description: 'Whole seconds to wait.', schema: { type: 'string', pattern: '^[0-9]+$' } },
  Allow: { description: 'The methods that are answered here.', schema: { type: 'string' } },
};

/** A refusal (RFC 9457). */
export const problemSchema: JsonObject = {
  type: 'object',
  description: 'Why a request was refused (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'traceId'],
  properties: {
    type: { type: 'string', description: 'The page that explains the code.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'One sentence for a person.' },
    instance: { type: 'string', description: 'The path of the request.' },
    code: { type: 'string', enum: Object.keys(errorCatalogue).toSorted() },
    traceId: { type: 'string', description: 'The correlation id.' },
    field: { type: 'string', description: 'The field that is wrong.' },
    metadata: { type: 'object', additionalProperties: { type: 'string' }, description: 'Ids, names and instants.' },
  },
};

const correlation = { 'X-Correlation-Id': { $ref: '#/components/headers/CorrelationId' } };

type Input = { readonly hasInput: boolean; readonly takesBody: boolean };

/** The answers of an operation, by status. */
export function answersOf(route: Route, input: Input, components: Components): JsonObject {
  const byStatus = Map.groupBy(new Set(codesOf(route, input)), (code) => errorCatalogue[code].http);
  const refusals = [...byStatus].toSorted(([one], [other]) => one - other);
  return {
    [String(route.status)]: success(route, components),
    ...Object.fromEntries(
      refusals.map(([status, codes]) => [String(status), components.referToRefusal(codes.toSorted())]),
    ),
  };
}

/** Every code that a method of this kind may be refused with. */
function codesOf({ callers, command, errors }: Route, { hasInput, takesBody }: Input): readonly ErrorCode[] {
  return [
    // The path, and a head or body that nobody can read.
    'INVALID_PATH',
    'BAD_REQUEST',
    'RATE_LIMITED',
    'INTERNAL_ERROR',
    'UPSTREAM_UNREACHABLE',
    'UPSTREAM_UNAVAILABLE',
    'STORE_UNAVAILABLE',
    'UPSTREAM_TIMEOUT',
    // An unknown parameter is refused everywhere.
    'VALIDATION_ERROR',
    ...(callers === 'anyone' ? [] : (['AUTHENTICATION_REQUIRED', 'INVALID_TOKEN', 'FORBIDDEN'] as const)),
    ...(hasInput || takesBody ? (['REQUEST_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) : []),
    ...(command ? (['CONFLICT', 'IDEMPOTENCY_MISMATCH'] as const) : []),
    ...errors,
  ];
}

function success({ status, command, callers, method }: Route, components: Components): JsonObject {
  const headers = {
    ...correlation,
    ...(command ? { 'X-Clustral-Position': { $ref: '#/components/headers/Position' } } : {}),
    ...(command || callers === 'anyone' ? {} : { 'X-Clustral-Lag': { $ref: '#/components/headers/Lag' } }),
  };
  if (status === 204) return { description: 'Done; there is nothing to say.', headers };
  const isFree = method.output.typeName === 'google.protobuf.Struct';
  const schema = isFree ? { type: 'object' } : components.refer(method.output, 'answered');
  return {
    description: status === 201 ? 'Made.' : 'The answer.',
    headers,
    content: { 'application/json': { schema } },
  };
}

/** The answer that these codes of one status share. */
export function refusalOf(codes: readonly ErrorCode[]): JsonObject {
  const status = errorCatalogue[codes[0] ?? 'INTERNAL_ERROR'].http;
  const content = {
    'application/problem+json': {
      schema: {
        allOf: [
          { $ref: '#/components/schemas/Problem' },
          { properties: { status: { const: status }, code: { enum: [...codes] } } },
        ],
      },
    },
  };
  return {
    description: codes.map((code) => `${code}: ${errorCatalogue[code].title}.`).join(' '),
    headers: {
      ...correlation,
      ...(status === 429 ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {}),
    },
    // A kubeconfig token is told in plain text where it belongs, because kubectl is reading (D38).
    content: status === 401 ? { ...content, 'text/plain': { schema: { type: 'string' } } } : content,
  };
}
