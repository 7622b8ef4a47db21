/**
 * The rules by which requests for a role are decided, applied: who may review, for how long at most, what a reason must
 * say. It counts no approvals and knows no request. A ticket's form is no regular expression: `#` stands for a number
 * and everything else for itself, so that matching takes no longer than reading, whoever wrote the form and whoever the
 * reason.
 */
import { formatDuration } from '@clustral/schemas/duration.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ReviewRules } from '@clustral/schemas/events/role.ts';
import type { UserId } from '@clustral/schemas/ids.ts';

/** Whoever would decide, by what the identity provider says of them now. */
export type Reviewer = {
  readonly userId: UserId;
  readonly isAdmin: boolean;
  readonly groups: readonly string[];
};

/** True for administrators and for whoever the rules name, by group or in person (D39). */
export const mayReview = ({ reviewerIds, reviewerGroups }: ReviewRules, reviewer: Reviewer): boolean =>
  reviewer.isAdmin ||
  reviewerIds.includes(reviewer.userId) ||
  reviewer.groups.some((group) => reviewerGroups.includes(group));

/** The longest that may be granted, in seconds. `maxSeconds` = what the installation allows. */
export const longestGrant = ({ maxSeconds: ofRole }: ReviewRules, maxSeconds: number): number =>
  ofRole === null ? maxSeconds : Math.min(ofRole, maxSeconds);

/** Throws `INVALID_DURATION` for what is longer than the longest grant. */
export function refuseTooLong(durationSeconds: number, longest: number): void {
  if (durationSeconds <= longest) return;
  throw new Refusal(
    'INVALID_DURATION',
    `${formatDuration(durationSeconds)} is longer than the maximum of ${formatDuration(longest)} for this role. Take less.`,
    { field: 'duration', maximum: formatDuration(longest) },
  );
}

/** Throws `VALIDATION_ERROR` for a reason that does not say what the rules ask for. */
export function refuseReason(reason: string, { isReasonRequired, ticketForms }: ReviewRules): void {
  if (isReasonRequired && reason.trim() === '')
    throw new Refusal('VALIDATION_ERROR', 'This role is given for a reason only. Say why you need it.', {
      field: 'reason',
    });
  if (ticketForms.length === 0 || namesTicket(reason, ticketForms)) return;
  throw new Refusal(
    'VALIDATION_ERROR',
    `The reason for this role must name a ticket like ${ticketForms.join(' or ')}, where # is a number.`,
    { field: 'reason', ticketForms: ticketForms.join(' ') },
  );
}

/** What a form may be made of. Digits may not touch a `#`: where one number ends would then be anybody's guess. */
export const ticketForm = /^(?!.*(?:##|#\d|\d#))[A-Za-z0-9_/#-]{1,64}$/;
const betweenWords = /[^A-Za-z0-9_/-]+/;

/** True when a word of the reason is of one of the forms; letters count in either case. */
export function namesTicket(reason: string, forms: readonly string[]): boolean {
  const words = new Set(reason.toUpperCase().split(betweenWords));
  const expressions = forms.map((form) => new RegExp(`^${form.toUpperCase().replaceAll('#', '[0-9]+')}$`));
  return [...words].some((word) => expressions.some((expression) => expression.test(word)));
}
