/** Access requests in memory, with as much of their rules as the command line shows: who sees what, which state follows which, the role that changed. */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter } from '@connectrpc/connect';
import { parseDuration } from '@clustral/schemas/duration.ts';
import {
  AccessApprovalSchema,
  AccessRequestSchema,
  AccessRequestStatus,
  AccessService,
  type AccessRequest,
  type ApproveAccessRequestRequest,
  type ListAccessRequestsRequest,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { refusal, type ApiState } from './api.ts';

const inSeconds = (seconds: number) => timestampFromDate(new Date(Date.now() + seconds * 1000));

/** A request of the example person for the example role; `given` says what is different. */
export function exampleRequest(given: Partial<Omit<AccessRequest, '$typeName'>> = {}): AccessRequest {
  return create(AccessRequestSchema, {
    id: '7f3c1a2b-0000-4000-8000-000000000001',
    status: AccessRequestStatus.PENDING,
    requesterId: '0198f7a0-0000-7000-8000-000000000009',
    requesterName: 'alice@example.com',
    clusterId: '0198f7a0-0000-7000-8000-000000000001',
    clusterName: 'prod',
    roleId: '0198f7a0-0000-7000-8000-000000000002',
    roleName: 'k8s-viewer',
    roleRevision: 1n,
    currentRoleRevision: 1n,
    roleK8sGroups: ['clustral:viewers'],
    reason: 'incident 4711',
    duration: '2h',
    createdAt: inSeconds(-240),
    expiresAt: inSeconds(3_365),
    ...given,
  });
}

export function exampleAccess(router: ConnectRouter, state: ApiState): void {
  const found = (id: string): AccessRequest => {
    const request = state.requests.find((one) => one.id === id);
    if (!request) throw refusal('REQUEST_NOT_FOUND', 'There is no such request.');
    return request;
  };
  const change = (id: string, from: AccessRequestStatus, given: Partial<AccessRequest>): AccessRequest => {
    const request = found(id);
    if (request.status !== from)
      throw from === AccessRequestStatus.PENDING
        ? refusal('REQUEST_NOT_PENDING', 'The request waits for no decision.')
        : refusal('GRANT_NOT_ACTIVE', 'The request gives no access.');
    return Object.assign(request, given);
  };
  router.service(AccessService, {
    requestAccess: ({ clusterId, roleId, reason, duration, suggestedReviewerEmails, startsAt, extends: extended }) => {
      const [me] = state.users;
      const request = exampleRequest({
        id: crypto.randomUUID(),
        requesterId: me?.id ?? '',
        requesterName: me?.email ?? '',
        clusterId,
        clusterName: state.clusters.find(({ id }) => id === clusterId)?.name ?? '',
        roleId,
        roleName: state.roles.find(({ id }) => id === roleId)?.name ?? '',
        reason,
        duration: duration || '1h',
        suggestedReviewerEmails,
        extends: extended,
        ...(startsAt === undefined ? {} : { startsAt }),
      });
      state.requests.unshift(request);
      return request;
    },
    listAccessRequests: (asked) => {
      const matching = state.requests.filter((one) => isAskedFor(one, asked, state));
      const { pageSize, pageToken } = asked;
      const end = Number(pageToken) + (pageSize || 50);
      return {
        requests: matching.slice(Number(pageToken), end),
        nextPageToken: matching.length > end ? String(end) : '',
      };
    },
    getAccessRequest: ({ id }) => found(id),
    approveAccessRequest: (asked) => {
      const request = found(asked.id);
      if (asked.roleRevision !== request.currentRoleRevision)
        throw refusal('ROLE_CHANGED', 'The role was changed meanwhile.');
      return change(asked.id, AccessRequestStatus.PENDING, approvedBy(state.users[0]?.email ?? '', request, asked));
    },
    denyAccessRequest: ({ id, reason }) =>
      change(id, AccessRequestStatus.PENDING, {
        status: AccessRequestStatus.DENIED,
        reviewerName: state.users[0]?.email ?? '',
        endReason: reason,
      }),
    revokeAccessRequest: ({ id, reason }) =>
      change(id, AccessRequestStatus.APPROVED, { status: AccessRequestStatus.REVOKED, endReason: reason }),
    withdrawAccessRequest: ({ id }) =>
      change(id, AccessRequestStatus.PENDING, { status: AccessRequestStatus.WITHDRAWN }),
  });
}

function isAskedFor(one: AccessRequest, asked: ListAccessRequestsRequest, { users: [me] }: ApiState): boolean {
  const { status, clusterId, requesterId, toDecide } = asked;
  return (
    (status === AccessRequestStatus.UNSPECIFIED || one.status === status) &&
    (clusterId === '' || one.clusterId === clusterId) &&
    (requesterId === '' || one.requesterId === requesterId) &&
    (!toDecide || (one.status === AccessRequestStatus.PENDING && one.requesterId !== me?.id))
  );
}

/** What an approval changes: the grant, or one approval more while others are missing. */
function approvedBy(
  reviewerName: string,
  { approvals, review, duration: wanted }: AccessRequest,
  { duration, roleRevision, shownAt }: ApproveAccessRequestRequest,
): Partial<AccessRequest> {
  const by = { reviewerName, roleRevision };
  const approval = create(AccessApprovalSchema, { ...by, ...(shownAt === undefined ? {} : { shownAt }) });
  const all = [...approvals, approval];
  const seconds = parseDuration(duration || wanted, { field: 'duration', maxSeconds: 86_400 });
  if (all.length < (review?.approvals ?? 1)) return { approvals: all };
  return {
    status: AccessRequestStatus.APPROVED,
    approvals: all,
    reviewerName,
    grantExpiresAt: inSeconds(seconds),
  };
}
