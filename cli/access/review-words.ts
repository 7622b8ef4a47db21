/** How requests for a role are decided, in words. Pure. */
import type { ReviewRules } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';

/** The rules in a few words for a list: `2 approvals; oncall or 1 person; at most 4h; OPS-#`. */
export function reviewWords(review: ReviewRules | undefined): string {
  if (review === undefined) return '-';
  const { approvals, reviewerGroups, reviewerIds, maxDuration, reasonRequired, ticketForms } = review;
  const people =
    reviewerIds.length === 0 ? [] : [`${reviewerIds.length} ${reviewerIds.length === 1 ? 'person' : 'people'}`];
  const named = [...reviewerGroups, ...people];
  const parts = [
    ...(approvals > 1 ? [`${approvals} approvals`] : []),
    ...(named.length === 0 ? [] : [named.join(' or ')]),
    ...(maxDuration === '' ? [] : [`at most ${maxDuration}`]),
    ...(reasonRequired && ticketForms.length === 0 ? ['a reason'] : []),
    ...(ticketForms.length === 0 ? [] : [ticketForms.join(' or ')]),
  ];
  return parts.join('; ') || '-';
}
