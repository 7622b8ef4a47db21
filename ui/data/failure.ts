/**
 * What went wrong with a call, in the terms that a page shows: code, sentence, what to do, the id that operators search for. Facts
 * come from the details of the server's answer, advice from the catalogue that server and documentation share.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { errorCatalogue, errorPage, isErrorCode, type ErrorCode } from '@clustral/schemas/errors.ts';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';

/** Which kind of state a page shows for it. */
type FailureKind = 'signed-out' | 'forbidden' | 'not-found' | 'unreachable' | 'refused' | 'broken';

export type Failure = {
  readonly kind: FailureKind;
  /** A code of the catalogue, or `UNREACHABLE` when no answer came at all. */
  readonly code: ErrorCode | 'UNREACHABLE';
  readonly title: string;
  /** The server's sentence. */
  readonly message: string;
  readonly advice: string;
  /** The field of a form that it is about. */
  readonly field: string | undefined;
  readonly correlationId: string | undefined;
  /** Path of the page that explains the code. */
  readonly help: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
};

/** Anything that a call threw, as a failure. */
export function failureOf(thrown: unknown): Failure {
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  const correlationId = info?.correlationId || error.metadata.get('x-correlation-id') || undefined;
  if (info && isErrorCode(info.code)) {
    return known(info.code, {
      message: error.rawMessage,
      field: info.field || impliedField[info.code],
      metadata: info.metadata,
      correlationId,
    });
  }
  if (neverArrived(error)) return unreachable(correlationId);
  const code = codeWithoutDetail(error.code);
  return known(code, { message: error.rawMessage, field: undefined, metadata: {}, correlationId });
}

/** Codes that are about one field by their nature. */
const impliedField: Readonly<Partial<Record<ErrorCode, string>>> = {
  DUPLICATE_CLUSTER_NAME: 'name',
  DUPLICATE_ROLE_NAME: 'name',
  INVALID_DURATION: 'duration',
};

type Facts = Pick<Failure, 'message' | 'field' | 'metadata' | 'correlationId'>;

function known(code: ErrorCode, facts: Facts): Failure {
  const { title, advice } = errorCatalogue[code];
  return { kind: kindOf(code), code, title, advice, help: errorPage('/errors/', code), ...facts };
}

function unreachable(correlationId: string | undefined): Failure {
  return {
    kind: 'unreachable',
    code: 'UNREACHABLE',
    title: 'No answer',
    message: 'The server of Clustral did not answer.',
    advice: 'Look at your connection; when others cannot reach it either, tell whoever runs this installation.',
    field: undefined,
    correlationId,
    help: undefined,
    metadata: {},
  };
}

// fetch says only `TypeError: Failed to fetch`, which connect wraps as Unknown.
function neverArrived(error: ConnectError): boolean {
  return error.cause instanceof TypeError || error.code === Code.DeadlineExceeded;
}

function kindOf(code: ErrorCode): FailureKind {
  const { http } = errorCatalogue[code];
  if (http === 401) return 'signed-out';
  if (http === 403 && (code === 'FORBIDDEN' || code === 'SELF_APPROVAL')) return 'forbidden';
  if (http === 404) return 'not-found';
  if (http >= 500) return code === 'INTERNAL_ERROR' ? 'broken' : 'unreachable';
  return 'refused';
}

function codeWithoutDetail(code: Code): ErrorCode {
  if (code === Code.Unauthenticated) return 'AUTHENTICATION_REQUIRED';
  if (code === Code.PermissionDenied) return 'FORBIDDEN';
  if (code === Code.Unavailable) return 'UPSTREAM_UNAVAILABLE';
  if (code === Code.ResourceExhausted) return 'RATE_LIMITED';
  if (code === Code.Unimplemented) return 'ROUTE_NOT_FOUND';
  return 'INTERNAL_ERROR';
}
