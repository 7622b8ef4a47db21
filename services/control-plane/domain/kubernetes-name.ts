/**
 * Under which name Kubernetes knows a person (D14): the e-mail only when it is verified, else a plain user name, else
 * issuer and subject. It refuses names that a header would change or that Kubernetes keeps for itself. The rule it
 * lives by: whoever cannot be told apart from somebody else by that name gets no name.
 */
import type { PersonClaims } from '@clustral/schemas/events/person.ts';
import type { UserFact } from '@clustral/schemas/events/user.ts';

export type NameClass = Extract<UserFact, { type: 'user.synced' }>['data']['nameClass'];

/** The name and how strong the claim to it is; null when none may be used. */
export type KubernetesName = { readonly name: string | null; readonly nameClass: NameClass };

/** What the operator says of issuers. */
export type NameRule = {
  /** Issuers whose e-mails count as verified though they send no `email_verified` (Entra ID). */
  readonly emailTrustedIssuers: readonly string[];
  /** Issuers whose people are named `issuer#subject`, whatever else they claim: the way out of a taken name. */
  readonly subjectNamedIssuers: readonly string[];
};

const longestName = 256;

/** The name that follows from the claims. `emailVerifiedClaim` is the claim as it came: absent differs from `false`. */
export function kubernetesNameOf(
  claims: PersonClaims,
  emailVerifiedClaim: boolean | undefined,
  rule: NameRule,
): KubernetesName {
  if (!rule.subjectNamedIssuers.includes(claims.issuer)) {
    // A provider that says "not verified" is believed, trusted issuer or not (ID-17).
    const verified = emailVerifiedClaim ?? rule.emailTrustedIssuers.includes(claims.issuer);
    if (verified && claims.email !== null && isCarried(claims.email)) return named(claims.email, 'verified');
    const { preferredUsername } = claims;
    if (preferredUsername !== null && isCarried(preferredUsername) && !/[@:#/]/.test(preferredUsername))
      return named(preferredUsername, 'claimed');
  }
  const full = `${claims.issuer}#${claims.subject}`;
  return isCarried(full) ? named(full, 'subject') : { name: null, nameClass: 'subject' };
}

/** Two names with one folded form are one name: NFC, letter case ignored (D14). */
export function foldName(name: string): string {
  // By way of upper case, because lower case alone keeps letters apart that share a capital (ſ and s, ß and ss), and lower
  // case before it, because the capital ẞ is its own upper case.
  return name.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

const named = (name: string, nameClass: NameClass): KubernetesName => ({
  name: foldName(name).startsWith('system:') ? null : name,
  nameClass,
});

// A header loses blanks at its ends and cannot carry control characters: either would make it somebody else's name.
const isCarried = (name: string): boolean =>
  name !== '' && name.length <= longestName && name.isWellFormed() && name.trim() === name && !/\p{Cc}/u.test(name);
