import { expect, it } from 'vitest';
import { createPosition } from './position.ts';

it('only ever goes forward in the log', () => {
  const position = createPosition();
  expect(position.highest()).toBeUndefined();
  for (const heard of ['7', '9007199254740993', '8', null, 'x', '-1']) position.learn(heard);
  expect(position.highest()).toBe('9007199254740993');
});
