import { DeadlineExceededError, WrongExpectedVersionError, type RecordedEvent } from '@eventstore/db-client';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { storeError, withDeadline } from './event-store-calls.ts';
import { toRecorded } from './event-store-facts.ts';
import { RevisionConflict } from './event-store-port.ts';

describe('what a failed call of the log means', () => {
  it('is a conflict when the stream was elsewhere', () => {
    const versions = { streamName: 'role-1', expected: 'no_stream', current: 4n } as const;
    const error = storeError('appending to role-1', new WrongExpectedVersionError(null as never, versions));
    expect(error).toEqual(new RevisionConflict({ stream: 'role-1', expected: 'none', actual: 4 }));
  });

  it.each([
    new DeadlineExceededError(),
    Object.assign(new Error('14 UNAVAILABLE: no connection'), { code: 14 }),
    Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }),
  ])('is a refusal that says what was tried, and keeps the cause for the log: %s', (cause) => {
    const error = storeError('reading role-1', cause);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', cause });
    expect(error.message).toContain('while reading role-1');
  });

  it.each([new TypeError('undefined is not a function'), Object.assign(new Error('bad'), { code: 3 })])(
    'is a bug when neither server nor network is to blame: %s',
    (cause) => {
      const error = storeError('reading role-1', cause);
      expect(error).not.toBeInstanceOf(Refusal);
      expect(error.cause).toBe(cause);
    },
  );

  it('is the same error again when it was translated before', () => {
    const refusal = new Refusal('STORE_UNAVAILABLE', 'The log did not answer.');
    expect(storeError('reading role-1', refusal)).toBe(refusal);
  });

  it('is an unavailable log when the call outlives its deadline', async () => {
    const never = new Promise(() => undefined);
    const error: unknown = await withDeadline(never, 1).catch((cause: unknown) => storeError('appending', cause));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe('a fact read back', () => {
  it('is refused from a server that does not tell positions', () => {
    const event = { id: '', streamId: 'role-1', revision: 0n, type: 'a', created: new Date(0), isJson: true, data: {} };
    expect(() => toRecorded({ ...event, metadata: {} } as RecordedEvent)).toThrow('must be EventStoreDB 22.6 or newer');
  });
});
