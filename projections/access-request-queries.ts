/**
 * What is asked of the access requests: pages of them, one of them, with the names that they are shown with. Who may see
 * which is decided by whoever asks.
 */
import {
  accessRequestCollection,
  reviewerKeys,
  type AccessRequestDocument,
  type AccessRequestStatus,
  type Approval,
} from './access-requests.ts';
import { clusterCollection } from './clusters.ts';
import { pageOf, type Page, type PageRequest } from './page.ts';
import type { Collection, Document, Filter, ReadStoreReader } from './read-store.ts';
import { roleCollection } from './roles.ts';
import { userCollection } from './users.ts';

/** A request with the names it is shown with, and its role as it is now; a name is empty when it was never known. */
export type AccessRequest = Omit<AccessRequestDocument, 'approvals'> & {
  readonly approvals: readonly (Approval & { readonly reviewerName: string })[];
  readonly requesterName: string;
  readonly clusterName: string;
  readonly roleName: string;
  readonly reviewerName: string;
  /** Undefined when it was deleted. */
  readonly role: { readonly k8sGroups: readonly string[]; readonly revision: number } | undefined;
};

/** Somebody who would decide: as themselves and as a member of groups; administrators decide everything. */
export type Deciding = { readonly id: string; readonly groups: readonly string[]; readonly isAdmin: boolean };

export type AccessRequestQuery = {
  readonly userId?: string;
  readonly clusterId?: string;
  readonly status?: AccessRequestStatus;
  /** Only what waits for this person's decision: not what they ask for themselves. */
  readonly toDecide?: Deciding;
};

/** Requests, newest first. */
export async function listAccessRequests(
  models: ReadStoreReader,
  query: PageRequest & AccessRequestQuery,
): Promise<Page<AccessRequest>> {
  const { userId, clusterId, status, toDecide, ...page } = query;
  const filter: Filter = {
    ...(toDecide === undefined ? {} : { $and: waitingFor(toDecide) }),
    ...(userId === undefined ? {} : { userId: { $eq: userId } }),
    ...(clusterId === undefined ? {} : { clusterId: { $eq: clusterId } }),
    ...(status === undefined ? {} : { status: { $eq: status } }),
  };
  const { items, ...rest } = await pageOf(models, accessRequestCollection, {
    filter,
    sort: { fields: ['createdAt', '_id'], direction: 'descending' },
    ...page,
  });
  return { ...rest, items: await withNames(models, items) };
}

function waitingFor({ id, groups, isAdmin }: Deciding): readonly Filter[] {
  const waiting: readonly Filter[] = [{ status: { $eq: 'pending' } }, { userId: { $ne: id } }];
  if (isAdmin) return waiting;
  const named = reviewerKeys({ ids: [id], groups }).map((key): Filter => ({ reviewers: { $contains: key } }));
  return [...waiting, { $or: named }];
}

/** One request; undefined when there never was one of that id. */
export async function getAccessRequest(models: ReadStoreReader, id: string): Promise<AccessRequest | undefined> {
  const found = await models.get(accessRequestCollection, id);
  return found && (await withNames(models, [found]))[0];
}

async function withNames(
  models: ReadStoreReader,
  requests: readonly AccessRequestDocument[],
): Promise<readonly AccessRequest[]> {
  const users = await byId(models, userCollection, [
    ...requests.map(({ userId }) => userId),
    ...requests.flatMap(({ reviewerId }) => reviewerId ?? []),
    ...requests.flatMap(({ approvals }) => approvals.map(({ reviewerId }) => reviewerId)),
  ]);
  const clusters = await byId(
    models,
    clusterCollection,
    requests.map(({ clusterId }) => clusterId),
  );
  const roles = await byId(
    models,
    roleCollection,
    requests.map(({ roleId }) => roleId),
  );
  return requests.map((request) => {
    const role = roles.get(request.roleId);
    return {
      ...request,
      approvals: request.approvals.map((approval) => ({
        ...approval,
        reviewerName: users.get(approval.reviewerId)?.displayName ?? '',
      })),
      requesterName: users.get(request.userId)?.displayName ?? '',
      clusterName: clusters.get(request.clusterId)?.name ?? '',
      roleName: role?.name ?? '',
      reviewerName: users.get(request.reviewerId ?? '')?.displayName ?? '',
      role: role === undefined || role.deleted ? undefined : { k8sGroups: role.k8sGroups, revision: role.revision },
    };
  });
}

async function byId<D extends Document>(
  models: ReadStoreReader,
  collection: Collection<D>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, D>> {
  const found = await Promise.all([...new Set(ids)].map((id) => models.get(collection, id)));
  return new Map(found.flatMap((document) => (document ? [[document._id, document]] : [])));
}
