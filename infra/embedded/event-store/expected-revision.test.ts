import { describe, expect, it } from 'vitest';
import { checkExpected } from './expected-revision.ts';
import type { Expected, ProposedEvent } from './records.ts';

const event = (id: number): ProposedEvent => ({
  id: Buffer.alloc(16, id),
  type: 'counted',
  json: true,
  data: Buffer.from('{}'),
  metadata: Buffer.alloc(0),
});

/** A stream that holds the events with these ids; the event at revision r lies at position 100 + r. */
const verdict = (held: readonly number[], expected: Expected, appended: readonly number[]) =>
  checkExpected(
    { expected, events: appended.map(event) },
    held.length > 0 ? { last: held.length - 1 } : undefined,
    (after, count) =>
      held.map((id, revision) => ({ id: event(id).id, position: 100 + revision })).slice(after + 1, after + 1 + count),
  );
const exactly = (revision: number): Expected => ({ kind: 'exactly', revision });

describe('the expected revision of an append', () => {
  it('lets an append through at exactly the last revision', () => {
    expect(verdict([1, 2], exactly(1), [3])).toEqual({ kind: 'write' });
    expect(verdict([], exactly(-1), [3])).toEqual({ kind: 'write' });
  });

  it.each([
    { held: [1, 2], expected: exactly(0), current: 1 },
    { held: [1, 2], expected: exactly(-1), current: 1 },
    { held: [1, 2], expected: exactly(7), current: 1 },
    { held: [], expected: exactly(0), current: -1 },
    { held: [], expected: { kind: 'exists' } as const, current: -1 },
  ])('refuses any other and says where the stream is: %j', ({ held, expected, current }) => {
    expect(verdict(held, expected, [9])).toEqual({ kind: 'wrongRevision', current });
  });

  it('gives a retry the first answer, also when others have appended meanwhile', () => {
    expect(verdict([1, 2, 3], exactly(0), [2, 3])).toEqual({ kind: 'appended', revision: 2, position: 102 });
    expect(verdict([1, 2, 3, 4], exactly(0), [2, 3])).toEqual({ kind: 'appended', revision: 2, position: 102 });
    expect(verdict([1, 2, 3], { kind: 'any' }, [2, 3])).toEqual({ kind: 'appended', revision: 2, position: 102 });
  });

  it('takes it for no retry when any event differs, is missing or comes in another order', () => {
    for (const appended of [[2, 9], [2, 3, 4], [3, 2], [3]]) {
      expect(verdict([1, 2, 3], exactly(0), appended)).toEqual({ kind: 'wrongRevision', current: 2 });
    }
  });

  it('refuses an append without events', () => {
    expect(verdict([1], exactly(0), [])).toMatchObject({ kind: 'invalid' });
  });
});
