/**
 * What a fact changes, and for whom: only kinds of things, never what has changed in them. The rule it lives by: nobody is
 * told of what they could not read (deny by default), so that a change of somebody else's request cannot even be counted.
 */
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ReviewRules } from '@clustral/schemas/events/role.ts';
import { WatchTopic } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import type { UserId } from '@clustral/schemas/ids.ts';
import { mayReview, type Reviewer } from '../../domain/review.ts';
import type { PolicyFact } from '../../policy-facts.ts';

/** Whoever watches, by the token that they came with. */
export type Viewer = Reviewer & { readonly readsAll: boolean };

/** What one fact changed. Each is news for the audit too. */
export type Change = {
  readonly position: bigint;
  /** For everybody who has signed in. */
  readonly forAll: readonly WatchTopic[];
  /** For one person, and whoever reads all. */
  readonly forOne: { readonly userId: UserId; readonly topics: readonly WatchTopic[] } | undefined;
  /** For whoever may decide the request besides. */
  readonly forReviewers: ReviewRules | undefined;
};

/** By which rules a request is decided, which most facts of it do not say; undefined when nobody knows. */
export type ReviewOf = (accessRequestId: string) => ReviewRules | undefined;

const { CLUSTERS, AGENTS, ROLES, USERS, GRANTS, REQUESTS, CREDENTIALS, AUDIT } = WatchTopic;

/** The change that a fact of the policy streams is. */
export function changeOf(fact: Recorded<PolicyFact>, reviewOf: ReviewOf): Change {
  const nothing: Change = { position: fact.position, forAll: [], forOne: undefined, forReviewers: undefined };
  const forOne = (userId: UserId, ...topics: readonly WatchTopic[]): Change => ({
    ...nothing,
    forOne: { userId, topics },
  });
  switch (fact.type) {
    case 'cluster.registered':
    case 'cluster.updated':
    case 'cluster.deleted':
      return { ...nothing, forAll: [CLUSTERS] };
    case 'cluster.agent_enrolled':
    case 'cluster.agent_renewed':
    case 'cluster.agent_revoked':
    case 'cluster.connected':
    case 'cluster.disconnected':
      return { ...nothing, forAll: [AGENTS] };
    case 'role.created':
    case 'role.updated':
    case 'role.deleted':
      return { ...nothing, forAll: [ROLES] };
    case 'user.synced':
    case 'user.disabled':
    case 'user.enabled':
      return forOne(fact.data.userId, USERS);
    case 'user.role_assigned':
    case 'user.role_unassigned':
      return forOne(fact.data.userId, GRANTS);
    case 'access_request.created':
    case 'access_request.approval_given':
    case 'access_request.denied':
    case 'access_request.withdrawn':
    case 'access_request.approved':
    case 'access_request.revoked':
    case 'access_request.expired': {
      const { userId, accessRequestId } = fact.data;
      const topics = mayChangeGrants.has(fact.type) ? [REQUESTS, GRANTS] : [REQUESTS];
      return { ...forOne(userId, ...topics), forReviewers: reviewOf(accessRequestId) };
    }
    case 'credential.issued':
    case 'credential.revoked':
      return forOne(fact.data.userId, CREDENTIALS);
    case 'cluster.bootstrap_token_issued':
    case 'credential.revoke_denied':
    case 'credential.issue_failed':
    case 'control_plane.took_over':
      return nothing;
    default:
      return fact satisfies never;
  }
}

const mayChangeGrants: ReadonlySet<string> = new Set([
  'access_request.approved',
  'access_request.revoked',
  'access_request.expired',
]);

/** What of a change a viewer is told. */
export function topicsFor({ forAll, forOne, forReviewers }: Change, viewer: Viewer): readonly WatchTopic[] {
  if (viewer.readsAll) return [...forAll, ...(forOne?.topics ?? []), AUDIT];
  if (forOne?.userId === viewer.userId) return [...forAll, ...forOne.topics];
  if (forReviewers && mayReview(forReviewers, viewer)) return [...forAll, REQUESTS];
  return forAll;
}
