/**
 * The rules by which requests for a role are decided, at the edge: read from a command, shown in an answer. It knows no
 * request. Whether a group or person exists is not asked: groups are the identity provider's, and a person may be named
 * before they ever signed in.
 */
import { create } from '@bufbuild/protobuf';
import { formatDuration, parseDuration } from '@clustral/schemas/duration.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { plainReview, type ReviewRules } from '@clustral/schemas/events/role.ts';
import {
  ReviewRulesSchema,
  type ReviewRules as ReviewRulesMessage,
} from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { parseUserId } from '@clustral/schemas/ids.ts';
import { ticketForm } from '../domain/review.ts';

const most = { approvals: 5, reviewers: 64, group: 320, ticketForms: 10 } as const;
/** As for the whole installation: what is longer than a year was mistyped. */
const longestSeconds = 366 * 86_400;

/** The rules of a command; undefined when it names none. Throws `VALIDATION_ERROR` and `INVALID_DURATION`. */
export function parseReview(message: ReviewRulesMessage | undefined): ReviewRules | undefined {
  if (message === undefined) return undefined;
  const { approvals, reviewerGroups, reviewerIds, maxDuration, reasonRequired, ticketForms } = message;
  const rules: ReviewRules = {
    approvals: approvals === 0 ? plainReview.approvals : approvals,
    reviewerGroups: distinct('reviewerGroups', reviewerGroups.map(parseGroup)),
    reviewerIds: distinct('reviewerIds', reviewerIds.map(parseUserId)),
    maxSeconds:
      maxDuration === ''
        ? null
        : parseDuration(maxDuration, { field: 'review.maxDuration', maxSeconds: longestSeconds }),
    isReasonRequired: reasonRequired,
    ticketForms: distinct('ticketForms', ticketForms.map(parseTicketForm)),
  };
  if (rules.approvals < 1 || rules.approvals > most.approvals)
    throw invalid('approvals', `A role can ask for 1 to ${most.approvals} approvals; ${rules.approvals} is neither.`);
  return rules;
}

/** The rules as they are shown. */
export const reviewAnswer = (rules: ReviewRules): ReviewRulesMessage =>
  create(ReviewRulesSchema, {
    approvals: rules.approvals,
    reviewerGroups: [...rules.reviewerGroups],
    reviewerIds: [...rules.reviewerIds],
    maxDuration: rules.maxSeconds === null ? '' : formatDuration(rules.maxSeconds),
    reasonRequired: rules.isReasonRequired,
    ticketForms: [...rules.ticketForms],
  });

function parseGroup(group: string): string {
  if (group !== '' && group.length <= most.group && group.isWellFormed() && !/\p{Cc}/u.test(group)) return group;
  throw invalid('reviewerGroups', `${shown(group)} cannot be a group: 1 to ${most.group} characters of text.`);
}

function parseTicketForm(form: string): string {
  if (ticketForm.test(form)) return form;
  throw invalid(
    'ticketForms',
    `${shown(form)} cannot be the form of a ticket: 1 to 64 letters, digits, '-', '_', '/' and '#', as in 'OPS-#'. '#' stands for a whole number and touches no digit and no other '#'.`,
  );
}

type ListField = 'reviewerGroups' | 'reviewerIds' | 'ticketForms';

function distinct<Item extends string>(field: ListField, items: readonly Item[]): readonly Item[] {
  const limit = field === 'ticketForms' ? most.ticketForms : most.reviewers;
  if (items.length > limit) throw invalid(field, `There can be at most ${limit} of them; these are ${items.length}.`);
  return [...new Set(items)];
}

const invalid = (field: 'approvals' | ListField, message: string): Refusal =>
  new Refusal('VALIDATION_ERROR', message, { field: `review.${field}` });

const shown = (text: string): string => JSON.stringify(text.slice(0, 60));
