/**
 * What tokens say about a person, in the words Keycloak uses, so that everything which reads tokens sees no difference.
 * As there, roles stand in access tokens only, and the profile comes whether the scope was asked for or not.
 */
import type { Person } from './people.ts';

/** The claims of id tokens and of the userinfo endpoint, all under the scope `openid`. */
export const identityClaimNames = [
  'sub',
  'preferred_username',
  'name',
  'given_name',
  'family_name',
  'email',
  'email_verified',
  'groups',
] as const;

export type IdentityClaims = Record<(typeof identityClaimNames)[number], unknown>;

export function identityClaims(person: Person): IdentityClaims {
  return {
    sub: person.subject,
    preferred_username: person.username,
    name: `${person.givenName} ${person.familyName}`,
    given_name: person.givenName,
    family_name: person.familyName,
    email: person.email,
    email_verified: true,
    groups: [...person.groups],
  };
}

/** What an access token carries besides the registered claims (`iss sub aud exp iat jti`), `scope` and `client_id`. */
export function accessTokenClaims(
  person: Person,
  token: {
    readonly clientId: string;
    readonly authTimeSeconds: number | undefined;
    readonly sessionId: string | undefined;
  },
): Record<string, unknown> {
  return {
    ...identityClaims(person),
    typ: 'Bearer',
    azp: token.clientId,
    auth_time: token.authTimeSeconds,
    sid: token.sessionId,
    realm_access: { roles: [...person.roles] },
  };
}
