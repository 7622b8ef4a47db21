/**
 * A person, keyed by issuer and subject (D14): what the identity provider last said of them, and whether they may act.
 * It knows nothing of roles on clusters (`access.ts`), and it never decides from an e-mail. The rule it lives by:
 * disabling is felt at once and for ever by whatever hung on the person before it (D32).
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { displayName, type PersonClaims } from '@clustral/schemas/events/person.ts';
import type { UserFact } from '@clustral/schemas/events/user.ts';
import type { UserId } from '@clustral/schemas/ids.ts';
import { foldName, type KubernetesName, type NameClass } from './kubernetes-name.ts';

type Person = {
  readonly userId: UserId;
  readonly claims: PersonClaims;
  readonly kubernetesName: string | null;
  readonly nameClass: NameClass;
  /** ISO 8601, as the provider said it; null when it does not say. */
  readonly signedInAt: string | null;
  /** Where in the log the claim to the present name in its present class began. */
  readonly namedAtPosition: bigint;
  /** Position of the newest `user.disabled`: credentials, grants and requests from before it are dead (D32). */
  readonly endedBefore: bigint;
  /** Revision of the last fact. */
  readonly revision: number;
};

export type UserState =
  | { readonly status: 'absent' }
  | (Person & { readonly status: 'active' })
  | (Person & { readonly status: 'disabled'; readonly disabledAt: Date });

/** Somebody who has signed in at least once. */
export type KnownUser = Exclude<UserState, { status: 'absent' }>;

export const initialUser: UserState = { status: 'absent' };

const neverEnded = -1n;

/** Folds one fact of the stream `user-{id}`. */
export function evolveUser(state: UserState, fact: Recorded<UserFact>): UserState {
  switch (fact.type) {
    case 'user.synced':
      return synced(state, fact);
    case 'user.disabled':
      if (state.status === 'absent') return state;
      return {
        ...state,
        status: 'disabled',
        disabledAt: fact.recordedAt,
        endedBefore: fact.position,
        revision: fact.revision,
      };
    case 'user.enabled': {
      if (state.status === 'absent') return state;
      const { status: _status, ...person } = state;
      // Whoever took the name meanwhile keeps it: the claim begins anew.
      return {
        ...withoutDisabledAt(person),
        status: 'active',
        namedAtPosition: fact.position,
        revision: fact.revision,
      };
    }
    default:
      return fact satisfies never;
  }
}

type Synced = Recorded<Extract<UserFact, { type: 'user.synced' }>>;

function synced(state: UserState, { data, position, revision }: Synced): UserState {
  const { userId, claims, kubernetesName, nameClass, signedInAt } = data;
  const told = { userId, claims, kubernetesName, nameClass, signedInAt, revision };
  if (state.status === 'absent')
    return { ...told, status: 'active', namedAtPosition: position, endedBefore: neverEnded };
  const sameName = folded(state.kubernetesName) === folded(kubernetesName) && state.nameClass === nameClass;
  return { ...state, ...told, namedAtPosition: sameName ? state.namedAtPosition : position };
}

const folded = (name: string | null): string | null => (name === null ? null : foldName(name));

function withoutDisabledAt(person: Person & { disabledAt?: Date }): Person {
  const { disabledAt: _disabledAt, ...rest } = person;
  return rest;
}

/** What a sign-in or an API call tells of a person. */
export type SyncUser = {
  readonly userId: UserId;
  readonly claims: PersonClaims;
  readonly kubernetesName: KubernetesName;
  readonly signedInAt: string | null;
};

/**
 * A fact at first sight, at changed claims and at a newer sign-in; none otherwise, and none from an older sign-in's
 * token.
 */
export function syncUser(command: SyncUser, state: UserState): readonly UserFact[] {
  if (state.status !== 'absent' && !isNews(command, state)) return [];
  const { userId, claims, kubernetesName, signedInAt } = command;
  const { name, nameClass } = kubernetesName;
  return [{ type: 'user.synced', data: { userId, claims, kubernetesName: name, nameClass, signedInAt } }];
}

function isNews(command: SyncUser, known: KnownUser): boolean {
  const before = instant(known.signedInAt);
  const now = instant(command.signedInAt);
  // Two sessions may carry different claims for a while; without this they would overwrite each other on every call.
  if (now < before) return false;
  return (
    now > before ||
    command.kubernetesName.name !== known.kubernetesName ||
    command.kubernetesName.nameClass !== known.nameClass ||
    !sameClaims(command.claims, known.claims)
  );
}

const instant = (text: string | null): number => (text === null ? 0 : Date.parse(text));

function sameClaims(one: PersonClaims, other: PersonClaims): boolean {
  return (
    one.email === other.email &&
    one.emailVerified === other.emailVerified &&
    one.preferredUsername === other.preferredUsername &&
    one.name === other.name &&
    sameSet(one.roles, other.roles) &&
    sameSet(one.groups, other.groups)
  );
}

const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  new Set(one).size === new Set([...one, ...other]).size && new Set(other).size === new Set(one).size;

/** Keeps the person out; no fact when they are. Refuses with `USER_NOT_FOUND`, and whoever means themselves (AZ-04). */
export function disableUser(
  { userId, byUserId }: { readonly userId: UserId; readonly byUserId: UserId },
  state: UserState,
): readonly UserFact[] {
  if (userId === byUserId)
    throw new Refusal(
      'FORBIDDEN',
      'Nobody disables themselves: whoever is left could not undo it. Ask another administrator.',
    );
  return requireUser(userId, state).status === 'disabled' ? [] : [{ type: 'user.disabled', data: { userId } }];
}

/** Lets the person in again; no fact when they may. Refuses with `USER_NOT_FOUND`. */
export function enableUser({ userId }: { readonly userId: UserId }, state: UserState): readonly UserFact[] {
  return requireUser(userId, state).status === 'active' ? [] : [{ type: 'user.enabled', data: { userId } }];
}

/** The person, or `USER_NOT_FOUND`. */
export function requireUser(userId: UserId, state: UserState | undefined): KnownUser {
  if (state !== undefined && state.status !== 'absent') return state;
  throw new Refusal(
    'USER_NOT_FOUND',
    `Nobody with id ${userId} has signed in here. 'clustral users list' shows who has.`,
    { userId },
  );
}

const strength: Readonly<Record<NameClass, number>> = { verified: 0, claimed: 1, subject: 2 };

/**
 * Of people with one folded name, the one whose it is: the strongest class, and in it whoever claimed it first (D14).
 */
export function ownerOfName(people: readonly UserState[]): KnownUser | undefined {
  const claimants = people.filter((person) => person.status === 'active' && person.kubernetesName !== null);
  return (claimants as KnownUser[]).toSorted(
    (one, other) =>
      strength[one.nameClass] - strength[other.nameClass] || (one.namedAtPosition < other.namedAtPosition ? -1 : 1),
  )[0];
}

/**
 * The name under which the person's requests go out, or `RESERVED_USER_NAME` / `USER_NAME_TAKEN` (D14). `namesakes` are
 * all people with the same folded name, the person among them.
 */
export function usableName(person: KnownUser, namesakes: readonly UserState[]): string {
  const { kubernetesName, userId } = person;
  const shown = displayName(person.claims);
  if (kubernetesName === null) {
    throw new Refusal(
      'RESERVED_USER_NAME',
      `${shown} has no name that Kubernetes may be told: names starting with 'system:' are its own. Ask whoever runs the identity provider to change it.`,
      { user: shown },
    );
  }
  const owner = ownerOfName(namesakes);
  if (owner !== undefined && owner.userId !== userId) {
    throw new Refusal(
      'USER_NAME_TAKEN',
      `The Kubernetes user name '${kubernetesName}' belongs to another person who claimed it first. An administrator can disable that person, or have the people of ${person.claims.issuer} named by issuer and subject (OIDC_SUBJECT_NAMED_ISSUERS).`,
      { user: shown, ownerId: owner.userId },
    );
  }
  return kubernetesName;
}
