import { describe, expect, it } from 'vitest';
import { checkCommit, type StreamFacts } from './commit-check.ts';
import type { Expected } from './records.ts';

const idOf = (id: number) => Buffer.alloc(16, id);
const exactly = (revision: number): Expected => ({ kind: 'exactly', revision });
const any: Expected = { kind: 'any' };
const exists: Expected = { kind: 'exists' };

type Asked = readonly [held: readonly number[], expected: Expected, appended: readonly number[]];

/** A stream that holds the events with these ids; the event at revision r lies at position 100 + r. */
const verdict = (...[held, expected, appended, facts]: [...Asked, facts?: Partial<StreamFacts>]) =>
  checkCommit(
    { expected, ids: appended.map(idOf) },
    { last: held.length - 1, tombstoned: false, softDeleted: false, described: false, ...facts },
    {
      after: (revision, count) =>
        held.map((id, at) => ({ id: idOf(id), position: 100 + at })).slice(revision + 1, revision + 1 + count),
      remembered: (id) => {
        const revision = held.findIndex((one) => idOf(one).equals(id));
        return revision === -1 ? undefined : { revision, position: 100 + revision };
      },
    },
  );

describe('the expected revision of a change', () => {
  it('lets it through at exactly the last revision', () => {
    expect(verdict([1, 2], exactly(1), [3])).toEqual({ kind: 'write' });
    expect(verdict([], exactly(-1), [3])).toEqual({ kind: 'write' });
    expect(verdict([1, 2], exactly(1), [])).toEqual({ kind: 'write' });
  });

  it.each([
    { held: [1, 2], expected: exactly(0), current: 1 },
    { held: [1, 2], expected: exactly(-1), current: 1 },
    { held: [1, 2], expected: exactly(7), current: 1 },
    { held: [], expected: exactly(0), current: -1 },
    { held: [], expected: exists, current: -1 },
  ])('refuses any other and says where the stream is: %j', ({ held, expected, current }) => {
    expect(verdict(held, expected, [9])).toEqual({ kind: 'wrongRevision', current });
    expect(verdict(held, expected, [])).toEqual({ kind: 'wrongRevision', current });
  });

  it('gives a retry the first answer, also when others have appended meanwhile', () => {
    expect(verdict([1, 2, 3], exactly(0), [2, 3])).toEqual({ kind: 'done', revision: 2, position: 102 });
    expect(verdict([1, 2, 3, 4], exactly(0), [2, 3])).toEqual({ kind: 'done', revision: 2, position: 102 });
    expect(verdict([1, 2, 3, 4], any, [2, 3])).toEqual({ kind: 'done', revision: 2, position: 102 });
  });

  it('takes it for no retry when any event differs, is missing or comes in another order', () => {
    for (const appended of [[2, 9], [2, 3, 4], [3, 2], [3]]) {
      expect(verdict([1, 2, 3], exactly(0), appended)).toEqual({ kind: 'wrongRevision', current: 2 });
    }
  });

  it('does not know what to make of an append that is there in part, when no revision is named', () => {
    expect(verdict([1, 2, 3], any, [3, 9])).toEqual({ kind: 'wrongRevision', current: 2 });
    expect(verdict([1, 2, 3], any, [9, 3])).toEqual({ kind: 'write' });
  });

  it('counts a stream that has only metadata as one that exists', () => {
    expect(verdict([], exists, [1], { described: true })).toEqual({ kind: 'write' });
  });

  it('counts a deleted stream as one that is not there, and lets it be continued', () => {
    const softDeleted = { softDeleted: true, described: true };
    for (const expected of [exactly(-1), exactly(1), any]) {
      expect(verdict([1, 2], expected, [9], softDeleted)).toEqual({ kind: 'write' });
    }
    expect(verdict([1, 2], exists, [9], softDeleted)).toEqual({ kind: 'tombstoned' });
    expect(verdict([1, 2], exactly(0), [9], softDeleted)).toEqual({ kind: 'wrongRevision', current: 1 });
  });

  it('lets nothing into a stream that was ended for good', () => {
    for (const expected of [exactly(-1), exactly(1), any, exists]) {
      expect(verdict([1, 2], expected, [9], { tombstoned: true })).toEqual({ kind: 'tombstoned' });
    }
  });
});
