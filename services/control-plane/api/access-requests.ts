/**
 * `AccessService`: access for a while. Commands are in `access-request-commands.ts`; lists come from the read models. The
 * rule it lives by: somebody else's request does not exist for whoever may not see it.
 */
import { create } from '@bufbuild/protobuf';
import {
  getAccessRequest,
  listAccessRequests,
  type AccessRequestQuery,
} from '@clustral/projections/access-request-queries.ts';
import type { AccessRequestStatus } from '@clustral/projections/access-requests.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ReviewRules } from '@clustral/schemas/events/role.ts';
import {
  AccessRequestStatus as Status,
  AccessService,
  ListAccessRequestsResponseSchema,
  type ListAccessRequestsRequest,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { parseClusterId, parseUserId } from '@clustral/schemas/ids.ts';
import { implement, type Call, type Implementation } from '@clustral/kernel/api.ts';
import { mayReview } from '../domain/review.ts';
import { accessRequestShown, statuses } from './access-request-answer.ts';
import { approve, deny, requestAccess, revoke, withdraw } from './access-request-commands.ts';
import { actingCaller, requestNotFound, reviewerOf, type AccessDeps } from './access-request-running.ts';
import { callerOf } from './caller.ts';
import { modelsFor } from './deps.ts';
import { parseAccessRequestId, parsePage } from './input.ts';

/** The service. */
export function accessService(deps: AccessDeps): Implementation {
  return implement(AccessService, {
    listAccessRequests: (request, call) => list(deps, request, call),
    async getAccessRequest(request, call) {
      const caller = callerOf(call);
      const id = parseAccessRequestId(request.id);
      const found = await getAccessRequest(await modelsFor(deps, call), id);
      const maySee = (review: ReviewRules) => caller.readsAll || mayReview(review, reviewerOf(call, caller));
      if (!found || (found.userId !== caller.userId && !maySee(found.review))) throw requestNotFound(id);
      return accessRequestShown(found, deps.now());
    },
    requestAccess: (request, call) => requestAccess(deps, request, call),
    approveAccessRequest: (request, call) => approve(deps, request, call),
    denyAccessRequest: (request, call) => deny(deps, request, call),
    revokeAccessRequest: (request, call) => revoke(deps, request, call),
    withdrawAccessRequest: (request, call) => withdraw(deps, request, call),
  });
}

async function list(deps: AccessDeps, request: ListAccessRequestsRequest, call: Call) {
  const query = {
    ...parsePage(request),
    ...whose(request, call),
    ...(request.clusterId === '' ? {} : { clusterId: parseClusterId(request.clusterId) }),
    ...inStatus(request.status),
  };
  const { items, next = '' } = await listAccessRequests(await modelsFor(deps, call), query);
  const requests = items.map((item) => accessRequestShown(item, deps.now()));
  return create(ListAccessRequestsResponseSchema, { requests, nextPageToken: next });
}

function whose({ requesterId, toDecide }: ListAccessRequestsRequest, call: Call): AccessRequestQuery {
  const asked = requesterId === '' ? undefined : parseUserId(requesterId);
  const requester = asked === undefined ? {} : { userId: asked };
  if (toDecide) {
    const { userId: id, groups, isAdmin } = reviewerOf(call, actingCaller(call));
    return { ...requester, toDecide: { id, groups, isAdmin } };
  }
  const { userId, readsAll } = callerOf(call);
  if (readsAll) return requester;
  if (asked === undefined || asked === userId) return { userId };
  throw new Refusal('FORBIDDEN', 'Only administrators and auditors see the access requests of others.');
}

function inStatus(asked: Status): { readonly status?: AccessRequestStatus } {
  if (asked === Status.UNSPECIFIED) return {};
  const [status] = (Object.keys(statuses) as AccessRequestStatus[]).filter((word) => statuses[word] === asked);
  if (status) return { status };
  throw new Refusal('VALIDATION_ERROR', `${asked} is the number of no status.`, { field: 'status' });
}
