import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedKey } from './json-keys.ts';

const find = (json: string): string | undefined => repeatedKey(Buffer.from(json));

describe('a key that is there twice', () => {
  it.each([
    ['{"name":1,"name":2}', 'name'],
    ['{"a":{"b":1,"c":[],"b":{}}}', 'b'],
    ['[{"a":1},{"x":[{"y":1,"y":1}]}]', 'y'],
    ['{"name":1,"na\\u006de":2}', 'name'],
    ['{"":1,"":2}', ''],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"a\\"":1, "a\\"" : 2}', 'a"'],
    ['{"é":1,"\\u00e9":2}', 'é'],
    [' {\n"a" : "}" , "b":[1,2,{"a":1}], "a":1 }', 'a'],
  ])('is found in %s', (json, key) => {
    expect(find(json)).toBe(key);
  });

  it.each([
    '{"a":{"a":{"a":1}},"b":{"a":2}}',
    '[{"a":1},{"a":2}]',
    '{"a":"b","b":"a"}',
    '{"a":["a","a"],"b":"a"}',
    '{"a":"\\"a\\":1","b":"{\\"b\\":1}"}',
    '"a"',
    '',
    '{',
    '}{"a"',
    '{"a',
    '{"a\\',
    '{"a":1,"\\x":2,"a":3}',
    `${'['.repeat(100_000)}`,
    `${'{"a":'.repeat(100_000)}`,
  ])('is not found in %s', (json) => {
    expect(find(json)).toBeUndefined();
  });

  it('is never seen in what JSON.stringify writes', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => find(JSON.stringify(value)) === undefined));
  });

  it('is seen wherever an object names one again', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (object, at) => {
        const keys = Object.keys(object);
        const key = keys[at % keys.length] ?? '';
        const again = `{${JSON.stringify(key)}:0,${JSON.stringify(object).slice(1)}`;
        expect(find(again)).toBe(key);
      }),
    );
  });

  it('costs no more than reading: ten megabytes in well under a second', () => {
    const items = Array.from({ length: 100_000 }, (_, n) => `"key-${n}":"${'x'.repeat(80)}"`);
    const began = performance.now();
    expect(find(`{${items.join(',')}}`)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
