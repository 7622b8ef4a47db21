import { expect, it } from 'vitest';
import { linesOfValue } from './structure.ts';

it('nested data are read as paths and values, and never without end', () => {
  expect(linesOfValue({ verb: 'get', body: { names: ['a', 2], none: {}, no: null } })).toEqual([
    ['verb', 'get'],
    ['body.names.0', 'a'],
    ['body.names.1', '2'],
    ['body.none', '{}'],
    ['body.no', 'null'],
  ]);
  expect(linesOfValue({})).toEqual([]);
  const many = linesOfValue(Object.fromEntries(Array.from({ length: 205 }, (_, index) => [`k${index}`, 1])));
  expect(many).toHaveLength(201);
  expect(many.at(-1)).toEqual(['…', '5 more']);
});
