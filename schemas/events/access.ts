/**
 * Facts of one person's access to one cluster: stream `access-{userId}.{clusterId}`, so that "one static role per user
 * and cluster, at most one pending request and one active grant" is decided on one stream. The facts of requests are
 * shaped for D39 and D40: the role's revision that was shown, the rules in force, a later start, an extension.
 */
import type { ClusterId, RoleId, UserId } from '../ids.ts';
import type { ReasonText } from './person.ts';
import type { ReviewRules } from './role.ts';

type Pair = { readonly userId: UserId; readonly clusterId: ClusterId };
type Request = Pair & { readonly accessRequestId: string };
/** What a reviewer decided on: the role's revision that was shown, and when it was, as far as that is known. */
type Reviewed = Request & {
  readonly roleId: RoleId;
  readonly roleRevision: number;
  readonly reviewerId: UserId;
  readonly shownAt?: string;
};

export type AccessFact =
  | {
      readonly type: 'user.role_assigned';
      readonly data: Pair & { readonly assignmentId: string; readonly roleId: RoleId };
    }
  | {
      readonly type: 'user.role_unassigned';
      readonly data: Pair & { readonly assignmentId: string; readonly roleId: RoleId };
    }
  | {
      readonly type: 'access_request.created';
      readonly data: Request & {
        readonly roleId: RoleId;
        readonly roleRevision: number;
        readonly reason: ReasonText;
        readonly durationSeconds: number;
        readonly startsAt: string | null;
        readonly extends: string | null;
        readonly suggestedReviewerEmails: readonly string[];
        readonly expiresAt: string;
        /** The role's rules when it was asked for: they decide, whatever becomes of the role's. Absent = `plainReview`. */
        readonly review?: ReviewRules;
      };
    }
  | {
      /** An approval that more must follow before anything is granted. */
      readonly type: 'access_request.approval_given';
      readonly data: Reviewed & { readonly durationSeconds: number };
    }
  | {
      /** The last approval that was needed: the grant. */
      readonly type: 'access_request.approved';
      readonly data: Reviewed & {
        /** Everybody whose approval it rests on, the reviewer last. Absent = the reviewer alone. */
        readonly approverIds?: readonly UserId[];
        readonly durationSeconds: number;
        readonly grantStartsAt: string;
        readonly grantExpiresAt: string;
      };
    }
  | { readonly type: 'access_request.denied'; readonly data: Reviewed & { readonly reason: ReasonText } }
  | { readonly type: 'access_request.revoked'; readonly data: Request & { readonly reason: ReasonText } }
  | { readonly type: 'access_request.expired'; readonly data: Request & { readonly expiredAt: string } }
  | { readonly type: 'access_request.withdrawn'; readonly data: Request };

export const accessStream = (userId: UserId, clusterId: ClusterId): string => `access-${userId}.${clusterId}`;
