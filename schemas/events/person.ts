/**
 * The one module through which what an erasure must reach is written and read (D27): a person's claims, the source
 * address and user agent of a request, and reason texts. Everything else in the log is free of personal data.
 */

/** What the identity provider says of a person. Keyed by issuer and subject (D14); the rest may change. */
export type PersonClaims = {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  /** `true` only when the provider said so: an absent claim is not a verified e-mail (ID-17). */
  readonly emailVerified: boolean;
  readonly preferredUsername: string | null;
  readonly name: string | null;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
};

/** Where a request came from, as the trusted edge saw it. Cut to 256 characters each. */
export type Origin = { readonly sourceAddress?: string; readonly userAgent?: string };

const longest = 256;

/** The origin as it may be stored: only what is known, each at most 256 characters. */
export function storedOrigin(origin: { sourceAddress?: string | undefined; userAgent?: string | undefined }): Origin {
  return {
    ...(origin.sourceAddress ? { sourceAddress: origin.sourceAddress.slice(0, longest) } : {}),
    ...(origin.userAgent ? { userAgent: origin.userAgent.slice(0, longest) } : {}),
  };
}

/** A reason as it may be stored. The edge refuses longer ones; this only carries the type. */
export type ReasonText = string;

/** How a person is shown in answers and audit: e-mail, else user name, else issuer and subject. */
export function displayName(claims: Pick<PersonClaims, 'email' | 'preferredUsername' | 'issuer' | 'subject'>): string {
  return claims.email ?? claims.preferredUsername ?? `${claims.issuer}#${claims.subject}`;
}
