import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';
import { failureOf } from './failure.ts';

function refused(code: Code, info: { code: string; field?: string; metadata?: Record<string, string> }): ConnectError {
  const value = { ...info, correlationId: 'c0ffee' };
  return new ConnectError('the sentence of the server', code, undefined, [{ desc: ErrorInfoSchema, value }]);
}

describe('a failed call', () => {
  it('is told by the code and the sentence of the server', () => {
    expect(failureOf(refused(Code.FailedPrecondition, { code: 'STATIC_ASSIGNMENT_EXISTS' }))).toMatchObject({
      kind: 'refused',
      code: 'STATIC_ASSIGNMENT_EXISTS',
      title: 'Standing role exists',
      message: 'the sentence of the server',
      correlationId: 'c0ffee',
      help: '/errors/static-assignment-exists',
    });
  });

  it('names the field of a form', () => {
    const error = refused(Code.InvalidArgument, { code: 'VALIDATION_ERROR', field: 'k8sGroups' });
    expect(failureOf(error).field).toBe('k8sGroups');
    expect(failureOf(refused(Code.AlreadyExists, { code: 'DUPLICATE_ROLE_NAME' })).field).toBe('name');
  });

  it.each([
    ['FORBIDDEN', Code.PermissionDenied, 'forbidden'],
    ['AUTHENTICATION_REQUIRED', Code.Unauthenticated, 'signed-out'],
    ['CLUSTER_NOT_FOUND', Code.NotFound, 'not-found'],
    ['STORE_UNAVAILABLE', Code.Unavailable, 'unreachable'],
    ['INTERNAL_ERROR', Code.Internal, 'broken'],
    ['USER_NAME_TAKEN', Code.PermissionDenied, 'refused'],
  ] as const)('with %s is shown as its kind', (code, connect, kind) => {
    expect(failureOf(refused(connect, { code })).kind).toBe(kind);
  });

  it('without an answer says so and invents no code', () => {
    const thrown = ConnectError.from(new TypeError('Failed to fetch'));
    expect(failureOf(thrown)).toMatchObject({ kind: 'unreachable', code: 'UNREACHABLE', help: undefined });
  });

  it('with a detail of no known code falls back to what its Connect code means', () => {
    const value = create(ErrorInfoSchema, { code: 'SOMETHING_NEW' });
    const error = new ConnectError('new', Code.PermissionDenied, undefined, [{ desc: ErrorInfoSchema, value }]);
    expect(failureOf(error)).toMatchObject({ code: 'FORBIDDEN', message: 'new' });
  });
});
