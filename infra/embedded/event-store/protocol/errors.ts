/**
 * The refusals of EventStoreDB's protocol: status, sentence, and the trailers that its clients read to know which it is.
 */
import { GrpcError, status } from '../grpc/status.ts';

export function accessDenied(): GrpcError {
  return new GrpcError(status.permissionDenied, 'Access Denied', { exception: 'access-denied' });
}

export function streamDeleted(stream: string): GrpcError {
  return new GrpcError(status.failedPrecondition, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });
}

export function maximumAppendSizeExceeded(most: number): GrpcError {
  return new GrpcError(status.invalidArgument, `Maximum Append Size of ${most} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(most),
  });
}

export function requiredMetadataMissing(property: string): GrpcError {
  return new GrpcError(status.invalidArgument, `Required Metadata Property '${property}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });
}

export function invalidArgument(message: string): GrpcError {
  return new GrpcError(status.invalidArgument, message);
}

export type VersionMismatch = { readonly stream: string; readonly expected: bigint; readonly current: number };

/** In trailers, as deletions have it; appends answer with a message instead. An empty `actual-version` means: no stream. */
export function deleteAtWrongVersion({ stream, expected, current }: VersionMismatch): GrpcError {
  const actual = current === -1 ? '' : String(current);
  return new GrpcError(
    status.failedPrecondition,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expected),
      'actual-version': actual,
    },
  );
}
