/**
 * Errors inside of a batch append: a `google.rpc.Status` with a packed message that the client tells the kind by. The details
 * are always there; the official client takes them for granted.
 *
 *   Status   1 code  2 message  3 details (Any: 1 type url, 2 value)
 */
import { GrpcError, status } from '../grpc/status.ts';
import { bytesField, encode, messageField, numberField } from '../grpc/wire-writer.ts';
import type { Outcome } from '../records.ts';
import type { Expectation } from './expectation.ts';

const alreadyExists = 6;
const clientPackage = 'event_store.client';

type Failure = Exclude<Outcome, { kind: 'done' }> | GrpcError;

/** The fields of the status of one append to `stream` that was not written. */
export function batchStatus(failure: Failure, stream: string, expectation?: Expectation): Buffer {
  if (failure instanceof GrpcError) return statusOfError(failure);
  switch (failure.kind) {
    case 'wrongRevision':
      return encodeStatus(alreadyExists, 'WrongExpectedVersion', {
        type: `${clientPackage}.WrongExpectedVersion`,
        value: wrongVersion(failure.current, expectation),
      });
    case 'tombstoned': {
      const identifier = messageField(1, bytesField(3, stream));
      return encodeStatus(status.notFound, 'StreamDeleted', {
        type: `${clientPackage}.StreamDeleted`,
        value: identifier,
      });
    }
    case 'busy':
    case 'unavailable':
      return encodeStatus(status.unavailable, failure.reason, {
        type: 'google.protobuf.Empty',
        value: Buffer.alloc(0),
      });
    default:
      return failure satisfies never;
  }
}

function statusOfError({ code, message, trailers }: GrpcError): Buffer {
  const none = Buffer.alloc(0);
  const most = trailers['maximum-append-size'];
  if (most !== undefined) {
    const value = numberField(1, Number(most));
    return encodeStatus(code, 'MaximumAppendSizeExceeded', {
      type: `${clientPackage}.MaximumAppendSizeExceeded`,
      value,
    });
  }
  if (code === status.permissionDenied || code === status.unauthenticated) {
    return encodeStatus(code, 'AccessDenied', { type: `${clientPackage}.AccessDenied`, value: none });
  }
  if (code === status.deadlineExceeded) {
    return encodeStatus(code, 'Timeout', { type: `${clientPackage}.Timeout`, value: none });
  }
  return encodeStatus(code, 'BadRequest', { type: `${clientPackage}.BadRequest`, value: bytesField(1, message) });
}

/** `WrongExpectedVersion`: 1, 2 where the stream is; 3 to 6 what was expected. */
function wrongVersion(current: number, expectation: Expectation | undefined): Buffer {
  const currents = current === -1 ? messageField(2) : numberField(1, current);
  const { expected, sent } = expectation ?? { expected: { kind: 'any' } as const, sent: 0n };
  if (expected.kind === 'any') return encode(currents, messageField(4));
  if (expected.kind === 'exists') return encode(currents, messageField(5));
  return encode(currents, expected.revision === -1 ? messageField(6) : numberField(3, sent));
}

function encodeStatus(code: number, message: string, { type, value }: { type: string; value: Buffer }): Buffer {
  const details = messageField(3, bytesField(1, `type.googleapis.com/${type}`), bytesField(2, value));
  return encode(numberField(1, code), bytesField(2, message), details);
}
