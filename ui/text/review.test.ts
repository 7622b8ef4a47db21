import { expect, it } from 'vitest';
import { reviewSentence } from './review.ts';

const rules = { approvals: 1, reviewerGroups: [], reviewerIds: [], maxDuration: '' };

it('says in words who decides', () => {
  expect(reviewSentence(undefined)).toBe('an administrator');
  expect(reviewSentence(rules)).toBe('an administrator');
  expect(reviewSentence({ ...rules, reviewerGroups: ['ops'], reviewerIds: ['a'] })).toBe(
    'an administrator or members of ops or one named person',
  );
  expect(reviewSentence({ ...rules, approvals: 2, reviewerGroups: ['ops', 'sre'], maxDuration: '4h' })).toBe(
    '2 of administrators or members of ops, sre, at most 4h',
  );
});
