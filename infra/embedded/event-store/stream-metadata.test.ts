import { describe, expect, it } from 'vitest';
import {
  describedStream,
  firstReadable,
  metadataOfMetastream,
  oldestReadable,
  parseMetadata,
  softDeletion,
  undeletion,
} from './stream-metadata.ts';

const parse = (value: unknown) => parseMetadata(Buffer.from(JSON.stringify(value)));

describe('the metadata of a stream', () => {
  it('belongs to the stream named after $$', () => {
    expect(describedStream('$$lease-1')).toBe('lease-1');
    expect(describedStream('lease-$$1')).toBeUndefined();
  });

  it('says how many events are shown, from where and how old', () => {
    expect(parse({ $maxCount: 1, $tb: 5, $maxAge: 60, note: 'ours' })).toEqual({
      maxCount: 1,
      truncateBefore: 5,
      maxAgeMs: 60_000,
    });
    expect(firstReadable(9, { maxCount: 3 })).toBe(7);
    expect(firstReadable(9, { truncateBefore: 8, maxCount: 5 })).toBe(8);
    expect(firstReadable(0, { maxCount: 3 })).toBe(0);
    expect(firstReadable(4, {})).toBe(0);
    expect(firstReadable(4, metadataOfMetastream)).toBe(4);
    expect(oldestReadable({ maxAgeMs: 60_000 }, 100_000)).toBe(40_000);
    expect(oldestReadable({}, 100_000)).toBe(-Infinity);
  });

  it.each([{ $acl: { $r: 'ops', $w: ['a'] } }, { $cacheControl: 15 }, { nested: { $maxCount: 1 } }, {}])(
    'may hold what means nothing for reads: %j',
    (value) => expect(parse(value)).toEqual({}),
  );

  it.each([
    ['{'],
    ['[]'],
    ['null'],
    ['7'],
    ['{"$maxCount":"1"}'],
    ['{"$maxCount":1.0}'],
    ['{"$maxAge":true,"$maxCount":2}'],
    ['{"$tb":9223372036854775808}'],
  ])('counts as none when it cannot be understood, as in EventStoreDB: %s', (text) =>
    expect(parseMetadata(Buffer.from(text))).toEqual({}),
  );

  it.each([{ $maxCount: 0 }, { $maxCount: -1 }, { $maxAge: 0 }, { $tb: -1 }])(
    'leaves out what is out of range: %j',
    (value) => expect(parse(value)).toEqual({}),
  );

  it('marks a deleted stream by a number that no number of JavaScript can hold, and only by that', () => {
    expect(parseMetadata(softDeletion)).toEqual({ softDeleted: true, truncateBefore: Number.MAX_SAFE_INTEGER });
    expect(parseMetadata(Buffer.from('{"$tb":9223372036854775806}'))).toEqual({
      truncateBefore: Number.MAX_SAFE_INTEGER,
    });
  });

  it('keeps all but the mark when a deleted stream comes back', () => {
    const deleted = Buffer.from('{"$maxCount":3,"$tb":9223372036854775807,"note":"ours"}');
    expect(JSON.parse(String(undeletion(deleted, 4)))).toEqual({ $maxCount: 3, $tb: 4, note: 'ours' });
    expect(undeletion(Buffer.from('[]'), 4)).toBeUndefined();
  });
});
