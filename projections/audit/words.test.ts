import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchedWords, searchKey, wordsOf } from './words.ts';

describe('the words of a record', () => {
  it.each<[string, readonly string[]]>([
    ['dev@corp.example: list pods/web-0 in ns-1', ['dev', 'corp', 'example', 'list', 'pods', 'web', 'in', 'ns']],
    ['a b cd', ['cd']],
    ['Grüße ÄÖ ﬁle', ['grüße', 'äö', 'file']],
    ['Ünïcode', ['ünïcode']],
    ['(a+)+$ .* %', []],
    ['same SAME Same', ['same']],
  ])('%s', (text, words) => {
    expect(wordsOf([text])).toEqual(words);
  });

  it('are bounded in number and length, and cut no character in two', () => {
    const words = wordsOf([Array.from({ length: 100 }, (_, index) => `word${index}`).join(' '), '𝒳'.repeat(200)]);
    expect(words.length).toBeLessThanOrEqual(48);
    for (const word of wordsOf(['𐐷'.repeat(200)])) {
      expect(Array.from(word).length).toBeLessThanOrEqual(40);
      expect(word.isWellFormed()).toBe(true);
    }
  });
});

describe('the words of a search', () => {
  it('must all occur, the last as a prefix', () => {
    expect(searchedWords('delete pods we')).toEqual({ whole: ['delete', 'pods'], prefix: 'we' });
    expect(searchedWords('dev@corp.example')).toEqual({ whole: ['dev', 'corp'], prefix: 'example' });
  });

  it('are none when there is nothing to search for', () => {
    expect(['', ' ', 'a', '(+)$', '%_'].map(searchedWords)).toEqual(Array(5).fill(undefined));
  });

  it('find every record by any run of its words', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join(' ');
        const words = wordsOf([text]);
        const searched = searchedWords(text);
        if (!searched) {
          expect(words).toEqual([]);
          return;
        }
        expect(words).toEqual(expect.arrayContaining([...searched.whole]));
        expect(words.some((word) => word.startsWith(searched.prefix))).toBe(true);
      }),
    );
  });
});

it('names are compared composed and in lower case', () => {
  expect(searchKey('Zoe\u0308@Corp.Example')).toBe(searchKey('ZOË@corp.example'));
});
