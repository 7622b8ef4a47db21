/**
 * Who is calling, from the internal token of a person who signed in at the provider. A person is issuer and subject,
 * nothing else (D14, ID-08): the id follows from those two. Claims are cut to what may be stored; nothing here is
 * trusted to name anybody until `domain/kubernetes-name.ts` has looked at it.
 */
import type { PersonClaims } from '@clustral/schemas/events/person.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { UserId } from '@clustral/schemas/ids.ts';
import type { InternalClaims } from '@clustral/schemas/tokens.ts';
import { derivedUuid } from './derived-id.ts';
import { kubernetesNameOf, type NameRule } from './domain/kubernetes-name.ts';
import type { SyncUser } from './domain/user.ts';

const longestText = 320;
const mostGroups = 200;

/** The id of a person: the same on every machine and after every rebuild. */
export const userIdOf = (issuer: string, subject: string): UserId => derivedUuid(issuer, subject) as UserId;

/** The id of the caller. Throws `INVALID_TOKEN` for a token that names no issuer. */
export function callerId({ sub, issuer }: InternalClaims): UserId {
  if (issuer === undefined || issuer === '')
    throw new Refusal('INVALID_TOKEN', "The token does not say who issued it. Sign in again with 'clustral login'.");
  return userIdOf(issuer, sub);
}

/** What the token says of the caller, in the form in which it is kept. */
export function callerAsTold(token: InternalClaims, rule: NameRule): SyncUser {
  const claims: PersonClaims = {
    issuer: token.issuer ?? '',
    subject: token.sub,
    email: stored(token.email),
    emailVerified: token.email_verified === true,
    preferredUsername: stored(token.preferred_username),
    name: stored(token.name),
    roles: storedList(token.roles),
    groups: storedList(token.groups),
  };
  return {
    userId: callerId(token),
    claims,
    kubernetesName: kubernetesNameOf(claims, token.email_verified, rule),
    signedInAt: instantOf(token.auth_time),
  };
}

// A text that is cut could be somebody else's, so one that is too long is as good as none.
const stored = (text: string | undefined): string | null =>
  text === undefined || text === '' || text.length > longestText ? null : text.toWellFormed();

const storedList = (items: readonly string[] = []): readonly string[] =>
  [...new Set(items.filter((item) => item.length <= longestText))].toSorted().slice(0, mostGroups);

function instantOf(seconds: number | undefined): string | null {
  if (seconds === undefined || !(seconds > 0 && seconds < 1e11)) return null;
  return new Date(seconds * 1000).toISOString();
}
