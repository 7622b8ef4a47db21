/**
 * Facts of one person's access to one cluster: stream `access-{userId}.{clusterId}`, so that "one static role per user
 * and cluster, at most one pending request and one active grant" is decided on one stream. The facts of requests are
 * shaped for D39 and D40 from the start: the role's revision that was shown, a later start, an extension.
 */
import type { ClusterId, RoleId, UserId } from '../ids.ts';
import type { ReasonText } from './person.ts';

type Pair = { readonly userId: UserId; readonly clusterId: ClusterId };
type Request = Pair & { readonly accessRequestId: string };

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
      };
    }
  | {
      readonly type: 'access_request.approved';
      readonly data: Request & {
        readonly roleId: RoleId;
        readonly roleRevision: number;
        readonly reviewerId: UserId;
        readonly durationSeconds: number;
        readonly grantStartsAt: string;
        readonly grantExpiresAt: string;
      };
    }
  | {
      readonly type: 'access_request.denied';
      readonly data: Request & {
        readonly roleId: RoleId;
        readonly roleRevision: number;
        readonly reviewerId: UserId;
        readonly reason: ReasonText;
      };
    }
  | { readonly type: 'access_request.revoked'; readonly data: Request & { readonly reason: ReasonText } }
  | { readonly type: 'access_request.expired'; readonly data: Request & { readonly expiredAt: string } }
  | { readonly type: 'access_request.withdrawn'; readonly data: Request };

export const accessStream = (userId: UserId, clusterId: ClusterId): string => `access-${userId}.${clusterId}`;
