/** A role as the fields of its form hold it, and as the API takes it. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ReviewRulesSchema, Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';

export type RoleDraft = {
  name: string;
  description: string;
  /** One group in a line: commas and inner blanks are part of a name. */
  groups: string;
  approvals: string;
  reviewerGroups: string;
  reviewerIds: readonly string[];
  maxDuration: string;
  reasonRequired: boolean;
  ticketForms: string;
};

export const emptyRole: RoleDraft = {
  name: '',
  description: '',
  groups: '',
  approvals: '1',
  reviewerGroups: '',
  reviewerIds: [],
  maxDuration: '',
  reasonRequired: false,
  ticketForms: '',
};

export function draftOf(role: Role): RoleDraft {
  const { review } = role;
  return {
    name: role.name,
    description: role.description,
    groups: role.k8sGroups.join('\n'),
    approvals: String(review?.approvals || 1),
    reviewerGroups: review?.reviewerGroups.join('\n') ?? '',
    reviewerIds: review?.reviewerIds ?? [],
    maxDuration: review?.maxDuration ?? '',
    reasonRequired: review?.reasonRequired ?? false,
    ticketForms: review?.ticketForms.join('\n') ?? '',
  };
}

export type RoleMessage = {
  readonly name: string;
  readonly description: string;
  readonly k8sGroups: string[];
  readonly review: MessageInitShape<typeof ReviewRulesSchema>;
};

export function messageOf(draft: RoleDraft): RoleMessage {
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    k8sGroups: linesOf(draft.groups),
    review: {
      approvals: Number(draft.approvals),
      reviewerGroups: linesOf(draft.reviewerGroups),
      reviewerIds: [...draft.reviewerIds],
      maxDuration: draft.maxDuration.trim(),
      reasonRequired: draft.reasonRequired,
      ticketForms: linesOf(draft.ticketForms),
    },
  };
}

/** Lines that are not empty. Blanks at their ends are kept from becoming part of a group, which the server would refuse. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Groups that do not agree between two drafts: what a change gives and takes. */
export function groupChange(
  before: string,
  after: string,
): { readonly given: readonly string[]; readonly taken: readonly string[] } {
  const [old, fresh] = [linesOf(before), linesOf(after)];
  return {
    given: fresh.filter((group) => !old.includes(group)),
    taken: old.filter((group) => !fresh.includes(group)),
  };
}
