/** How requests for a role are decided, in words. */
import type { ReviewRules } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';

type Rules = Pick<ReviewRules, 'approvals' | 'reviewerGroups' | 'reviewerIds' | 'maxDuration'>;

/** `an administrator`, `2 of administrators or members of ops, at most 4h`. */
export function reviewSentence(rules: Rules | undefined): string {
  if (!rules) return 'an administrator';
  const others = [
    ...(rules.reviewerGroups.length > 0 ? [`members of ${rules.reviewerGroups.join(', ')}`] : []),
    ...(rules.reviewerIds.length > 0
      ? [rules.reviewerIds.length === 1 ? 'one named person' : `${rules.reviewerIds.length} named people`]
      : []),
  ];
  const who = rules.approvals > 1 ? ['administrators', ...others] : ['an administrator', ...others];
  const head = rules.approvals > 1 ? `${rules.approvals} of ` : '';
  return `${head}${who.join(' or ')}${rules.maxDuration === '' ? '' : `, at most ${rules.maxDuration}`}`;
}
