import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SizeReader } from './terminal-size.ts';

describe('the sizes of a terminal', () => {
  it('are read however they are cut', () => {
    const size = fc.record({ columns: fc.nat(65_535), rows: fc.nat(65_535) });
    fc.assert(
      fc.property(fc.array(size, { maxLength: 5 }), fc.integer({ min: 1, max: 30 }), (sizes, cut) => {
        const text = sizes.map(({ columns, rows }) => `{"Width":${columns},"Height":${rows}}\n`).join('');
        const reader = new SizeReader();
        const read = [];
        for (let at = 0; at < text.length; at += cut) read.push(...reader.read(Buffer.from(text.slice(at, at + cut))));
        expect(read).toEqual(sizes);
      }),
    );
  });

  it.each(['}', '{"Width":-1,"Height":1}', '{"Width":1.5,"Height":1}', '{"Width":1e9,"Height":1}', '[{}'])(
    'are not %j, and the next one is still read',
    (text) => {
      const reader = new SizeReader();
      expect(reader.read(Buffer.from(text)).filter(({ columns }) => columns !== 0)).toEqual([]);
      reader.read(Buffer.from('}'));
      expect(reader.read(Buffer.from('{"Width":8,"Height":9}'))).toEqual([{ columns: 8, rows: 9 }]);
    },
  );

  it('do not grow without end', () => {
    const reader = new SizeReader();
    for (let times = 0; times < 10; times += 1) reader.read(Buffer.alloc(100_000, '{'));
    expect(reader.read(Buffer.from('}'))).toEqual([]);
  });
});
