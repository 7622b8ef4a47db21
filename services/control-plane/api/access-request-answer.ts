/**
 * An access request as `AccessService` shows it: the same whether it comes from the read model or, after a command, from
 * the folded state.
 */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { AccessRequest } from '@clustral/projections/access-request-queries.ts';
import { reviewerKeys, type AccessRequestStatus } from '@clustral/projections/access-requests.ts';
import { formatDuration } from '@clustral/schemas/duration.ts';
import { displayName } from '@clustral/schemas/events/person.ts';
import {
  AccessApprovalSchema,
  AccessRequestSchema,
  AccessRequestStatus as Status,
  type AccessApproval,
  type AccessRequest as AccessRequestAnswer,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import type { RoleId, UserId } from '@clustral/schemas/ids.ts';
import type { AccessState, Approved, EndedRequest, Grant, KnownAccess, PendingRequest } from '../domain/access.ts';
import { liveRole, type StandingView } from '../domain/standing.ts';
import { reviewAnswer } from './role-review.ts';

type Shown = Omit<AccessRequest, 'position'>;

export const statuses: Readonly<Record<AccessRequestStatus, Status>> = {
  pending: Status.PENDING,
  approved: Status.APPROVED,
  denied: Status.DENIED,
  revoked: Status.REVOKED,
  expired: Status.EXPIRED,
  withdrawn: Status.WITHDRAWN,
};

/** The answer about a request that was asked to be shown: one that waits says when it was. */
export function accessRequestShown(request: Shown, now: Date): AccessRequestAnswer {
  const answer = accessRequestAnswer(request);
  return answer.status === Status.PENDING ? { ...answer, shownAt: timestampFromDate(now) } : answer;
}

/** The answer about a request. */
export function accessRequestAnswer(request: Shown): AccessRequestAnswer {
  const { role, endReason } = request;
  return create(AccessRequestSchema, {
    id: request._id,
    status: statuses[request.status],
    requesterId: request.userId,
    requesterName: request.requesterName,
    clusterId: request.clusterId,
    clusterName: request.clusterName,
    roleId: request.roleId,
    roleName: request.roleName,
    roleRevision: BigInt(request.roleRevision),
    reason: request.reason,
    duration: formatDuration(request.durationSeconds),
    reviewerId: request.reviewerId ?? '',
    reviewerName: request.reviewerName,
    endReason: endReason ?? '',
    suggestedReviewerEmails: [...request.suggestedReviewerEmails],
    extends: request.extendsRequestId ?? '',
    review: reviewAnswer(request.review),
    approvals: request.approvals.map(approvalAnswer),
    ...(role ? { roleK8sGroups: [...role.k8sGroups], currentRoleRevision: BigInt(role.revision) } : {}),
    ...instants(request),
  });
}

function instants(request: Shown) {
  const { createdAt, expiresAt, startsAt, decidedAt, grantStartsAt, grantExpiresAt, endedAt } = request;
  const known = Object.entries({ createdAt, expiresAt, startsAt, decidedAt, grantStartsAt, grantExpiresAt, endedAt });
  return Object.fromEntries(known.flatMap(([name, at]) => (at === null ? [] : [[name, timestampFromMs(at)]])));
}

function approvalAnswer(approval: Shown['approvals'][number]): AccessApproval {
  const { reviewerId, reviewerName, approvedAt, durationSeconds, roleRevision, shownAt } = approval;
  return create(AccessApprovalSchema, {
    reviewerId,
    reviewerName,
    approvedAt: timestampFromMs(approvedAt),
    duration: formatDuration(durationSeconds),
    roleRevision: BigInt(roleRevision),
    ...(shownAt === null ? {} : { shownAt: timestampFromMs(shownAt) }),
  });
}

/** The request as the state has it: pending, granted or the last one that ended; undefined for any other. */
export function requestOfState(view: StandingView, access: AccessState, accessRequestId: string): Shown | undefined {
  if (access.status !== 'known') return undefined;
  const found = [access.pending, access.grant, access.endedRequest].find(
    (part) => part?.accessRequestId === accessRequestId,
  );
  if (!found) return undefined;
  if ('how' in found) return withNames(view, access, { ...ofRequest(found.request, found.grant), ...endOf(found) });
  return withNames(view, access, 'request' in found ? ofRequest(found.request, found) : ofRequest(found, null));
}

type Nameless = Omit<
  Shown,
  | 'roleId'
  | 'userId'
  | 'clusterId'
  | 'requesterName'
  | 'clusterName'
  | 'roleName'
  | 'reviewerName'
  | 'role'
  | 'approvals'
> & {
  readonly roleId: RoleId;
  readonly approvals: readonly Approved[];
};

function ofRequest(request: PendingRequest, grant: Grant | null): Nameless {
  const { accessRequestId, startsAt, extends: extended, createdAt, expiresAt, roleId, reason } = request;
  const { suggestedReviewerEmails, review, approvals } = request;
  return {
    _id: accessRequestId,
    status: grant ? 'approved' : 'pending',
    roleId,
    reason,
    suggestedReviewerEmails,
    review,
    reviewers: reviewerKeys({ ids: review.reviewerIds, groups: review.reviewerGroups }),
    approvals,
    roleRevision: (grant ?? request).roleRevision,
    durationSeconds: (grant ?? request).durationSeconds,
    startsAt: startsAt === null ? null : Date.parse(startsAt),
    extendsRequestId: extended,
    createdAt: createdAt.getTime(),
    expiresAt: expiresAt.getTime(),
    reviewerId: grant?.reviewerId ?? null,
    decidedAt: grant?.decidedAt.getTime() ?? null,
    grantStartsAt: grant?.startsAt.getTime() ?? null,
    grantExpiresAt: grant?.expiresAt.getTime() ?? null,
    endedAt: null,
    endReason: null,
  };
}

function endOf({ how, reviewerId, endedAt, reason }: EndedRequest) {
  const at = endedAt.getTime();
  return {
    status: how,
    reviewerId,
    endedAt: at,
    endReason: reason,
    ...(how === 'denied' ? { decidedAt: at } : {}),
  };
}

function withNames(view: StandingView, { userId, clusterId }: KnownAccess, request: Nameless): Shown {
  const { roleId, reviewerId } = request;
  const role = liveRole(view, roleId);
  return {
    ...request,
    userId,
    clusterId,
    requesterName: personName(view, userId),
    clusterName: nameOf(view.cluster(clusterId)),
    roleName: nameOf(view.role(roleId)),
    reviewerName: reviewerId === null ? '' : personName(view, reviewerId as UserId),
    approvals: request.approvals.map(({ approvedAt, shownAt, ...approval }) => ({
      ...approval,
      reviewerName: personName(view, approval.reviewerId),
      approvedAt: approvedAt.getTime(),
      shownAt: shownAt?.getTime() ?? null,
    })),
    role,
  };
}

function personName(view: StandingView, id: UserId): string {
  const user = view.user(id);
  return user === undefined || user.status === 'absent' ? '' : displayName(user.claims);
}

const nameOf = (named: { readonly status: string; readonly name?: string } | undefined): string => named?.name ?? '';
