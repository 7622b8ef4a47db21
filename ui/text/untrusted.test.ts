import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segmentsOf, visible } from './untrusted.ts';

describe('text that somebody else wrote', () => {
  it('stays as it is when there is nothing to hide in it', () => {
    for (const text of ['prod-eu', 'Zoë – 東京', 'a\u0301', '"><img src=x onerror=alert(1)>', '{{7*7}}'])
      expect(segmentsOf(text)).toEqual([{ kind: 'text', text }]);
  });

  it('shows a mark of direction where it stands', () => {
    expect(segmentsOf('ad\u202enim')).toEqual([
      { kind: 'text', text: 'ad' },
      { kind: 'mark', name: 'RLO' },
      { kind: 'text', text: 'nim' },
    ]);
  });

  it.each([
    ['a\u200bb', 'a[ZWSP]b'],
    ['a\u0000b', 'a[U+0000]b'],
    ['\u001b[2J', '[ESC][2J'],
    ['line\nbreak', 'line[↵]break'],
    ['\u3164', '[U+3164]'],
    ['tag\u{e0041}', 'tag[U+E0041]'],
    ['half\ud800', 'half[U+D800]'],
  ])('names what %j hides', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('never lets a character pass that is not seen', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    );
  });

  it('tells apart any two texts that differ', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.string({ unit: 'binary', maxLength: 40 }),
        (a, b) => {
          expect(JSON.stringify(segmentsOf(a)) === JSON.stringify(segmentsOf(b))).toBe(a === b);
        },
      ),
    );
  });

  it('says how much it leaves out of an endless one', () => {
    expect(segmentsOf('x'.repeat(20_007)).at(-1)).toEqual({ kind: 'mark', name: '7 more characters' });
  });
});
