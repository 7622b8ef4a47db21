import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patternFilter, prefixFilter } from './event-filter.ts';
import { Pattern } from './pattern.ts';

let groups = 0;

/** Expressions of the served kind that mean the same to JavaScript, built from their parts, some groups deep. */
function expressionsOf(depth: number): fc.Arbitrary<string> {
  const plain = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('a', 'b', 'c', '-', '\\.', '\\$', '_') },
    {
      weight: 2,
      arbitrary: fc.constantFrom('.', '\\d', '\\w', '\\s', '\\W', '[abc]', '[^a-c]', '[\\w-]', '\\x61', '[a\\]b]'),
    },
    { weight: 1, arbitrary: fc.constantFrom('^', '$', '\\b', '\\B') },
  );
  const group = (inner: string) => fc.constantFrom(`(${inner})`, `(?:${inner})`, `(?<n>${inner})`);
  const atom = depth === 0 ? plain : fc.oneof({ weight: 3, arbitrary: plain }, expressionsOf(depth - 1).chain(group));
  const repeated = fc
    .tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,}', '{0,2}', '*?', '+?'))
    .map(([part, quantifier]) => (/^(?:[\^$]|\\[bB])$/.test(part) ? part : part + quantifier));
  const sequence = fc.array(repeated, { maxLength: 3 }).map((parts) => parts.join(''));
  const choice = fc.array(sequence, { minLength: 1, maxLength: 2 }).map((options) => options.join('|'));
  // JavaScript wants the names of groups to differ.
  return choice.map((expression) => expression.replaceAll('(?<n>', () => `(?<n${(groups += 1)}>`));
}
const names = { streamName: (id: number) => `stream-${id}`, typeName: (id: number) => `type-${id}` };
const expressions = expressionsOf(2);
const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', '-', '.', '$', '_', ' ', '7'), maxLength: 12 });

describe('a regular expression of a client', () => {
  it('finds what the expressions of JavaScript find', () => {
    fc.assert(
      fc.property(expressions, fc.array(texts, { minLength: 3, maxLength: 6 }), (expression, candidates) => {
        const pattern = new Pattern(expression);
        const reference = new RegExp(expression);
        for (const text of candidates)
          expect([expression, text, pattern.test(text)]).toEqual([expression, text, reference.test(text)]);
      }),
      { numRuns: 600 },
    );
  });

  it('never makes more moves than its steps times the length of the text allow', () => {
    fc.assert(
      fc.property(expressions, texts, (expression, text) => {
        const pattern = new Pattern(expression);
        const long = text.repeat(20);
        pattern.test(long);
        expect(pattern.moves).toBeLessThanOrEqual(2 * pattern.steps * (long.length + 1));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    '(a+)+$',
    '(a|a)*$',
    '(a|aa)+$',
    '(.*a){20}$',
    '(a*)*b',
    '([a-z]+)*\\d',
    '(a?){100}a{100}$',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
  ])('cannot be made to run away: %s', (expression) => {
    const pattern = new Pattern(expression);
    const since = performance.now();
    pattern.test(`${'a'.repeat(1_000)}!`);
    expect(pattern.moves).toBeLessThanOrEqual(2 * pattern.steps * 1_002);
    expect(performance.now() - since).toBeLessThan(1_000);
  });

  it.each([
    ['^[^$].*', 'cluster-1', true],
    ['^[^$].*', '$metadata', false],
    ['^(?<kind>user|role)-', 'role-7', true],
    ['\\Aab\\z', 'ab', true],
    ['\\Aab\\Z', 'ab\n', true],
    ['ab$', 'ab\n', true],
    ['ab\\z', 'ab\n', false],
    ['\\p{Lu}\\P{L}', 'xÄ7', true],
    ['\\p{Lu}\\P{L}', 'xä7', false],
    ['\\w+', 'ü', true],
    ['[]a]', ']', true],
    ['[a-]', '-', true],
    ['[^]a]', ']', false],
    ['\\u00fc\\t', 'ü\t', true],
    ['{', '{', true],
    ['a{,2}', 'a{,2}', true],
    ['a.c', 'a\nc', false],
  ])('means what it means to .NET: %s on %j is %s', (expression, text, found) => {
    expect(new Pattern(expression).test(text)).toBe(found);
  });

  it.each([
    ['(a)\\1', '\\1'],
    ['(?<n>a)\\k<n>', '\\k'],
    ['(?=a)', 'look-around'],
    ['(?!a)', 'look-around'],
    ['(?<=a)', 'look-around'],
    ['(?>a)', 'look-around, options'],
    ['(?i)a', 'options'],
    ['(?i:a)', 'options'],
    ['(?(a)b|c)', 'conditions'],
    ['a**', 'a repetition is repeated'],
    ['^*', 'nothing can be repeated there'],
    ['*a', 'nothing stands before a repetition'],
    ['(a', 'a ( has no )'],
    ['a)', 'a ) has no ('],
    ['[a', 'it breaks off'],
    ['a\\', 'it breaks off'],
    ['a{3,2}', 'wrong order'],
    ['a{201}', 'repeats more than 200 times'],
    ['(a{50}){50}', 'more than 500 steps'],
    ['\\p{Greek}', 'no general category'],
    ['[[:alpha:]]', '[:…:]'],
    ['[a-\\d]', 'ends with a class'],
    ['('.repeat(60) + ')'.repeat(60), 'more than 50 deep'],
    ['a'.repeat(1_001), 'longer than 1000'],
  ])('is refused with a reason when it has no such bound, or is none: %s', (expression, reason) => {
    expect(() => new Pattern(expression)).toThrow(`the regular expression is not served: `);
    expect(() => new Pattern(expression)).toThrow(reason);
  });

  it('is refused or served, whatever it is, and never anything else', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ab()[]{}|*+?^$.\\-,:=!<>dwp0123'.split('')), maxLength: 30 }),
        (expression) => {
          try {
            new Pattern(expression).test('ab-12');
          } catch (error) {
            expect((error as Error).name).toBe('RefusedPattern');
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('a filter', () => {
  it('asks for the name of a number once', () => {
    let asked = 0;
    const counting = { ...names, streamName: (id: number) => `stream-${(asked += 1) && id}` };
    const filter = prefixFilter('stream', ['stream-1', 'other']);
    expect([1, 2, 1, 12, 2].map((id) => filter.selects(id, counting))).toEqual([true, false, true, true, false]);
    expect(asked).toBe(3);
  });

  it('is on names of streams or on types', () => {
    expect(patternFilter('type', '^type-7$').selects(7, names)).toBe(true);
    expect(patternFilter('stream', '^type-7$').selects(7, names)).toBe(false);
  });
});
