import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import { errorCatalogue, Refusal, type ErrorCode } from '@clustral/schemas/errors.ts';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';
import { describeFailure } from './explain.ts';
import { CliError, exitCodes } from './failure.ts';
import { refusal } from './testing/api.ts';

const byHttpStatus: Readonly<Record<number, number>> = {
  400: exitCodes.usage,
  401: exitCodes.signInNeeded,
  403: exitCodes.forbidden,
  404: exitCodes.notFound,
  405: exitCodes.failed,
  409: exitCodes.conflict,
  413: exitCodes.unavailable,
  415: exitCodes.usage,
  422: exitCodes.usage,
  429: exitCodes.unavailable,
  500: exitCodes.failed,
  502: exitCodes.unavailable,
  503: exitCodes.unavailable,
  504: exitCodes.unavailable,
};
/** Where the status alone would say something else. */
const special: Partial<Record<ErrorCode, number>> = {
  ROUTE_NOT_FOUND: exitCodes.failed,
  IDEMPOTENCY_MISMATCH: exitCodes.conflict,
};

describe('a refusal of the server', () => {
  it.each(Object.keys(errorCatalogue) as ErrorCode[])('%s has its exit code, its sentence and what to do', (code) => {
    const failure = describeFailure(refusal(code, `The sentence of ${code}.`));
    expect(failure).toMatchObject({
      exitCode: special[code] ?? byHttpStatus[errorCatalogue[code].http],
      what: `The sentence of ${code}.`,
      code,
      fix: errorCatalogue[code].advice,
      correlationId: 'c0ffee',
    });
    expect(failure.help).toMatch(/^https:/);
  });

  it('with a code that only a newer server knows is told apart by its kind', () => {
    const detail = { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { code: 'BRAND_NEW', field: 'ttl' }) };
    expect(describeFailure(new ConnectError('New.', Code.PermissionDenied, {}, [detail]))).toMatchObject({
      exitCode: exitCodes.forbidden,
      what: 'New.',
      code: 'BRAND_NEW',
      field: 'ttl',
    });
  });

  it('without any detail still has an exit code and a way on', () => {
    expect(describeFailure(new ConnectError('HTTP 502', Code.Unavailable))).toMatchObject({
      exitCode: exitCodes.unavailable,
      what: 'the server answered: HTTP 502',
      fix: 'try again in a few seconds',
    });
    expect(describeFailure(new ConnectError('HTTP 401', Code.Unauthenticated)).fix).toBe('clustral login');
    expect(describeFailure(new ConnectError('x', Code.DeadlineExceeded)).exitCode).toBe(exitCodes.unavailable);
    expect(describeFailure(new ConnectError('x', Code.Canceled)).exitCode).toBe(exitCodes.failed);
  });
});

describe('other failures', () => {
  it.each([
    ['ECONNREFUSED', 'nothing listens'],
    ['ENOTFOUND', 'does not resolve'],
    ['CERT_HAS_EXPIRED', 'expired'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'does not trust'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'another name'],
  ])('of the network are told by their code: %s', (code, words) => {
    const inner = Object.assign(new Error('low level'), { code });
    const wrapped = new ConnectError('fetch failed', Code.Unavailable, {}, [], inner);
    const failure = describeFailure(wrapped);
    expect(failure.exitCode).toBe(exitCodes.unavailable);
    expect(failure.what).toContain(words);
    expect(failure.fix).toBeTruthy();
    expect(describeFailure(new AggregateError([inner], 'both failed')).what).toBe(failure.what);
  });

  it('that this tool foresaw are told as they are', () => {
    expect(describeFailure(new CliError(exitCodes.notFound, 'no', 'yes'))).toEqual({
      exitCode: 3,
      what: 'no',
      fix: 'yes',
    });
    expect(describeFailure(new CliError(exitCodes.failed, 'no'))).toEqual({ exitCode: 1, what: 'no' });
  });

  it('of a flag that a shared parser refused are usage errors', () => {
    const failure = describeFailure(new Refusal('INVALID_DURATION', 'No duration.', { field: '--timeout' }));
    expect(failure).toMatchObject({ exitCode: exitCodes.usage, code: 'INVALID_DURATION', field: '--timeout' });
  });

  it.each([new TypeError('x is not a function'), 'a thrown text', undefined])(
    'that nobody foresaw say so: %s',
    (thrown) => {
      expect(describeFailure(thrown)).toMatchObject({
        exitCode: exitCodes.failed,
        what: expect.stringContaining('something went wrong in clustral itself'),
      });
    },
  );
});
