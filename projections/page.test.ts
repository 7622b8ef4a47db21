import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Refusal } from '@clustral/schemas/errors.ts';
import { decodePageToken, encodePageToken } from './page.ts';

const refusalOf = (token: string): Refusal => {
  try {
    decodePageToken(token, ['number', 'string']);
  } catch (error) {
    return error as Refusal;
  }
  throw new Error('nothing was refused');
};
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a page token', () => {
  it('gives back the sort key it was made of', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string({ unit: 'grapheme', maxLength: 60 }), (number, text) => {
        const token = encodePageToken([number, text]);
        expect(token).toMatch(/^[\w-]+$/);
        expect(decodePageToken(token, ['number', 'string'])).toEqual([number, text]);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['something that is no base64', '%%%'],
    ['base64 of no JSON', Buffer.from('not json').toString('base64url')],
    ['an object', encoded({ 0: 1, 1: 'a', length: 2 })],
    ['too few parts', encoded([1])],
    ['too many parts', encoded([1, 'a', 2])],
    ['parts of another kind', encoded(['1', 'a'])],
    ['an operator', encoded([{ $gt: 0 }, 'a'])],
    ['null', encoded([null, 'a'])],
    ['a fraction', encoded([1.5, 'a'])],
    ['a number beyond what is exact', encoded([2 ** 60, 'a'])],
    ['something endless', encoded([1, 'a'.repeat(2_000)])],
  ])('is refused when it holds %s', (_, token) => {
    expect(refusalOf(token)).toMatchObject({ code: 'VALIDATION_ERROR', field: 'pageToken' });
  });
});
