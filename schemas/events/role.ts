/**
 * Facts of a role, which names the Kubernetes groups its holders are given and how requests for it are decided: stream
 * `role-{id}`.
 */
import type { RoleId, UserId } from '../ids.ts';

/** How requests for a role are decided (D39). Administrators may always review, whoever is named here. */
export type ReviewRules = {
  /** How many different people must approve; whoever asked is never one of them. At least 1. */
  readonly approvals: number;
  /** Groups from the identity provider whose members may review. */
  readonly reviewerGroups: readonly string[];
  /** People who may review. */
  readonly reviewerIds: readonly UserId[];
  /** The longest that is granted; null = as long as the installation allows. */
  readonly maxSeconds: number | null;
  readonly isReasonRequired: boolean;
  /** Forms of tickets, one of which the reason must name when there are any: `OPS-#`, where `#` is a number. */
  readonly ticketForms: readonly string[];
};

/** The rules of a role that names none, and of every fact from before there were any. */
export const plainReview: ReviewRules = {
  approvals: 1,
  reviewerGroups: [],
  reviewerIds: [],
  maxSeconds: null,
  isReasonRequired: false,
  ticketForms: [],
};

export type RoleFact =
  | {
      readonly type: 'role.created' | 'role.updated';
      readonly data: {
        readonly roleId: RoleId;
        readonly name: string;
        readonly description: string;
        readonly k8sGroups: readonly string[];
        /** Absent = `plainReview`. */
        readonly review?: ReviewRules;
      };
    }
  | { readonly type: 'role.deleted'; readonly data: { readonly roleId: RoleId; readonly name: string } };

export const roleStream = (id: RoleId): string => `role-${id}`;
