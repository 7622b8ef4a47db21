import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { ReviewRulesSchema } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { reviewWords } from './review-words.ts';

it.each<[string, MessageInitShape<typeof ReviewRulesSchema>]>([
  ['-', { approvals: 1 }],
  ['2 approvals', { approvals: 2 }],
  ['oncall or 1 person', { reviewerGroups: ['oncall'], reviewerIds: ['a'] }],
  ['2 people; at most 4h; a reason', { reviewerIds: ['a', 'b'], maxDuration: '4h', reasonRequired: true }],
  ['OPS-# or CHG#', { reasonRequired: true, ticketForms: ['OPS-#', 'CHG#'] }],
])('rules in a few words: %s', (words, rules) => expect(reviewWords(create(ReviewRulesSchema, rules))).toBe(words));
