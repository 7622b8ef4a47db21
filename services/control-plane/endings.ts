/**
 * What has ended and no fact says yet: what a deleted role, a deleted cluster or a disabled person has ended (D32), and
 * requests and grants that have run out (JT-11). Pure: it looks at the policy fold as it is, so it gives the same after
 * a restart, and nothing once everything is said.
 */
import { accessStream, type AccessFact } from '@clustral/schemas/events/access.ts';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import { credentialStream, type CredentialFact } from '@clustral/schemas/events/credential.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ClusterId, CredentialId, UserId } from '@clustral/schemas/ids.ts';
import { endsOf, endRequest, expireRequest, hasRunOut, type End } from './domain/access-ends.ts';
import type { AccessState, Grant, KnownAccess, PendingRequest, SaidBy } from './domain/access.ts';
import { endAssignment } from './domain/assignment.ts';
import { revokeCredential, type CredentialState, type KnownCredential } from './domain/credential.ts';
import { clusterExists } from './domain/standing.ts';
import type { PolicyFold } from './policy-fold.ts';

export type EndingsView = Pick<
  PolicyFold,
  'allAccess' | 'openAccess' | 'access' | 'liveCredentials' | 'credential' | 'user' | 'cluster' | 'role' | 'ending'
>;

type EndedPart<State, F> = {
  /** Where the explicit fact belongs. */
  readonly stream: string;
  /** The fact that ended it, or that what has run out began with; unknown for a person who never was there. */
  readonly cause: SaidBy | undefined;
  /** Decides the explicit fact; none when the state has moved on. */
  readonly decide: (state: State, now: Date) => readonly F[];
};

/** One explicit fact that is still to be appended. */
export type Ended =
  | ({ readonly of: 'access' } & EndedPart<AccessState, AccessFact>)
  | ({ readonly of: 'credential' } & EndedPart<CredentialState, CredentialFact>);

/** All that has ended and is not yet said, at `now`. Looks at everybody. */
export function endedUnsaid(view: EndingsView, now: Date): readonly Ended[] {
  return [
    ...[...view.allAccess()].flatMap((access) => endedOfAccess(view, access, now)),
    ...[...view.liveCredentials()].flatMap((credential) => endedOfCredential(view, credential)),
  ];
}

/** What a fact has just given somebody: a standing role, or a credential. */
export type Given =
  | { readonly of: 'access'; readonly userId: UserId; readonly clusterId: ClusterId }
  | { readonly of: 'credential'; readonly credentialId: CredentialId };

/**
 * The same, when everything had been said before these were given and nothing that ends much has come since: looks at
 * them, and at the requests and grants that are open.
 */
export function endedUnsaidOf(view: EndingsView, given: readonly Given[], now: Date): readonly Ended[] {
  return [
    ...[...view.openAccess()].flatMap((access) => endedOfAccess(view, access, now)),
    ...given.flatMap((one) =>
      one.of === 'access'
        ? endedOfAccess(view, one, now)
        : skipUnreadable(() => {
            const credential = view.credential(one.credentialId);
            return credential?.status === 'issued' ? endedOfCredential(view, credential) : [];
          }),
    ),
  ];
}

/** When the next request or grant runs out after `now`, if any does. */
export function nextRunsOut(view: Pick<EndingsView, 'openAccess'>, now: Date): Date | undefined {
  const parts = [...view.openAccess()].flatMap(({ pending, grant }) => [pending, grant]);
  const ends = parts.flatMap((part) => (part && part.expiresAt > now ? [part.expiresAt.getTime()] : []));
  return ends.length === 0 ? undefined : new Date(ends.reduce((one, other) => Math.min(one, other)));
}

// A subject with a fact that cannot be read is denied anyway, and must not keep the others waiting.
function skipUnreadable(find: () => readonly Ended[]): readonly Ended[] {
  try {
    return find();
  } catch (cause) {
    if (cause instanceof Refusal) return [];
    throw cause;
  }
}

type Place = Pick<KnownAccess, 'userId' | 'clusterId'>;

function endedOfAccess(view: EndingsView, place: Place, now: Date): readonly Ended[] {
  return skipUnreadable(() => {
    // Asked for by its subject, because that asks whether its facts can be read.
    const access = view.access(place.userId, place.clusterId);
    return access?.status === 'known' ? endedParts(view, access, now) : [];
  });
}

function endedParts(view: EndingsView, access: KnownAccess, now: Date): readonly Ended[] {
  const { userId, clusterId, assignment, pending, grant } = access;
  const ends = endsOf(view, access);
  const saying = (cause: SaidBy | undefined, decide: (state: AccessState, at: Date) => readonly AccessFact[]) =>
    ({ of: 'access', stream: accessStream(userId, clusterId), cause, decide }) as const;
  const request = (part: PendingRequest | Grant | null, end: End | undefined): readonly Ended[] => {
    if (part === null) return [];
    const { accessRequestId } = part;
    if (hasRunOut(part, now))
      return [saying(part.saidBy, (state, at) => expireRequest({ accessRequestId }, state, at))];
    if (!end) return [];
    return [saying(view.ending(end.stream), (state) => endRequest({ accessRequestId, reason: end.reason }, state))];
  };
  return [
    ...(assignment && ends.assignment
      ? [saying(view.ending(ends.assignment.stream), (state) => endAssignment(assignment.assignmentId, state))]
      : []),
    ...request(pending, ends.pending),
    ...request(grant, ends.grant),
  ];
}

function endedOfCredential(view: EndingsView, credential: KnownCredential): readonly Ended[] {
  return skipUnreadable(() => endedCredential(view, credential));
}

function endedCredential(
  view: EndingsView,
  { credentialId, userId, clusterId, position }: KnownCredential,
): readonly Ended[] {
  const user = view.user(userId);
  const byUser = user !== undefined && user.status !== 'absent' && position <= user.endedBefore;
  const byCluster = !clusterExists(view.cluster(clusterId));
  if (!byUser && !byCluster) return [];
  const reason = byCluster ? 'cluster deleted' : 'person disabled';
  const cause = view.ending(byCluster ? clusterStream(clusterId) : userStream(userId));
  const decide = (state: CredentialState) => revokeCredential({ credentialId, reason }, state);
  return [{ of: 'credential', stream: credentialStream(credentialId), cause, decide }];
}
