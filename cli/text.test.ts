import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { didYouMean, span, visible, visibleJson } from './text.ts';
import { visibleYaml } from './yaml.ts';

// oxlint-disable-next-line no-control-regex -- these are what must not be there
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
const pieces =
  'a| |é|"|\\|\'|\n|\r|\t|\u001b|]|52;c;|\u0007|\u009b|\u007f|\u202e|\u2066|\u200b|\ufeff|\u2028|\u00ad|: |- |#|&a|*a|!!js|%|😀|yes'.split(
    '|',
  );
const hostile = fc.string({
  unit: fc.constantFrom(...pieces),
});

describe('text that somebody else wrote', () => {
  it('holds nothing that a terminal would obey', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(visible(text)).not.toMatch(obeyed);
        expect(visible(text)).not.toContain('\n');
      }),
    );
  });

  it('shows what was hidden', () => {
    expect(visible('a\u001b]52;c;aGk=\u0007b\u009b2J\u202ecod.exe\r')).toBe(
      'a\\u001b]52;c;aGk=\\u0007b\\u009b2J\\u202ecod.exe\\u000d',
    );
  });

  it('leaves ordinary text of any language alone', () => {
    for (const text of ['prod-eu', 'Grüße, 東京', 'naïve 😀', 'a/b:c@d']) expect(visible(text)).toBe(text);
  });

  it('means the same in JSON, where it is escaped', () => {
    fc.assert(
      fc.property(fc.dictionary(hostile, fc.array(hostile)), fc.constantFrom(0, 2), (value, indent) => {
        const json = visibleJson(value, indent);
        expect(json).not.toMatch(obeyed);
        expect(JSON.parse(json)).toEqual(value);
      }),
    );
  });

  it('means the same in YAML, where it is escaped, keys too', () => {
    fc.assert(
      fc.property(fc.dictionary(hostile, fc.array(hostile)), (value) => {
        const yaml = visibleYaml(value);
        expect(yaml).not.toMatch(obeyed);
        expect(parse(yaml, { maxAliasCount: 0 })).toEqual(value);
      }),
    );
  });
});

describe('a span of time', () => {
  it.each([
    [-1, '0s'],
    [90_000, '90s'],
    [240_000, '4m'],
    [7_200_000, '2h'],
    [7_500_000, '2h5m'],
    [47 * 3_600_000, '47h'],
    [3 * 86_400_000, '3d'],
  ])('of %i ms reads %s', (milliseconds, text) => expect(span(milliseconds)).toBe(text));
});

describe('a word that nobody knows', () => {
  it.each([
    ['stagin', 'staging'],
    ['PROD', 'prod'],
    ['porduction', 'production'],
  ])('%s is taken for %s', (word, meant) => expect(didYouMean(word, ['prod', 'staging', 'production'])).toBe(meant));

  it('is not taken for something it hardly resembles', () => {
    expect(didYouMean('xyz', ['prod', 'dev'])).toBeUndefined();
    expect(didYouMean('b', ['a'])).toBeUndefined();
    expect(didYouMean('x'.repeat(100_000), ['prod'])).toBeUndefined();
    expect(didYouMean('prod', [])).toBeUndefined();
  });
});
