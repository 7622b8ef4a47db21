import { describe, expect, it } from 'vitest';
import { describedStream, firstReadable, parseMetadata, parseStoredMetadata } from './stream-metadata.ts';

const parse = (value: unknown) => parseMetadata(Buffer.from(JSON.stringify(value)));

describe('the metadata of a stream', () => {
  it('belongs to the stream named after $$', () => {
    expect(describedStream('$$lease-1')).toBe('lease-1');
    expect(describedStream('lease-$$1')).toBeUndefined();
  });

  it('says how many events are shown and from where', () => {
    expect(parse({ $maxCount: 1, $tb: 5, note: 'ours' })).toEqual({ maxCount: 1, truncateBefore: 5 });
    expect(firstReadable(9, { maxCount: 3 })).toBe(7);
    expect(firstReadable(9, { truncateBefore: 8, maxCount: 5 })).toBe(8);
    expect(firstReadable(0, { maxCount: 3 })).toBe(0);
    expect(firstReadable(4, parseStoredMetadata(null))).toBe(0);
  });

  it.each([
    { $maxAge: 60 },
    { $acl: { $r: 'ops' } },
    { $cacheControl: 1 },
    { $maxCount: 0 },
    { $maxCount: '1' },
    { $tb: -1 },
    [],
    null,
  ])('refuses what it would have to ignore or cannot mean: %j', (value) =>
    expect(parse(value)).toHaveProperty('refused'),
  );

  it('refuses what is not JSON', () => {
    expect(parseMetadata(Buffer.from('{'))).toEqual({ refused: 'stream metadata must be JSON' });
  });
});
