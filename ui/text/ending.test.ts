import { expect, it } from 'vitest';
import { endingSoon } from './ending.ts';

it('speaks of an end five minutes before and one minute before', () => {
  const end = 1_000_000_000;
  expect(endingSoon(end, end - 300_001)).toBeUndefined();
  expect(endingSoon(end, end - 300_000)).toBe(5);
  expect(endingSoon(end, end - 60_001)).toBe(5);
  expect(endingSoon(end, end - 60_000)).toBe(1);
  expect(endingSoon(end, end)).toBeUndefined();
});
