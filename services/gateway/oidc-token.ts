/**
 * Access tokens of people, from any OpenID Connect provider. Issuers, audiences and the allowed algorithms are ours, never
 * the token's (ID-01, ID-02, ID-06; RFC 8725): the issuer that a token names only picks one of ours. From the claims it takes who the person is and, from
 * the configured places only, roles and groups; `kind`, `cluster_id` and everything else that a token may carry is nothing
 * to us (ID-04). A person whose groups the provider left out is refused: without them nobody knows what they may do.
 */
import { decodeJwt, decodeProtectedHeader, jwtVerify, type CryptoKey, type JWTPayload } from 'jose';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { InternalClaims } from '@clustral/schemas/tokens.ts';
import { clockSkewSeconds, tokenProblem } from '@clustral/kernel/jwt.ts';
import { isLeftOut, textsAt } from './claims.ts';
import type { IdentityKeys } from './identity-keys.ts';
import type { RoleMapping } from './role-mapping.ts';

/** A person as the provider knows them, in the words of the internal token. */
export type Person = Omit<InternalClaims, 'kind' | 'iat' | 'exp' | 'cluster_id' | 'credential_id'> & {
  readonly issuer: string;
};

export type OidcTokens = {
  /** The person and the end of the token (seconds since the epoch). Throws `INVALID_TOKEN`, `FORBIDDEN` or `UPSTREAM_UNAVAILABLE`. */
  verify(token: string): Promise<{ readonly person: Person; readonly exp: number }>;
};

/** Where roles and groups stand in a token, and what they mean. */
export type ClaimPlaces = {
  readonly rolesClaims: readonly string[];
  readonly groupsClaims: readonly string[];
  readonly roleMapping: RoleMapping;
};

export type OidcTokensOptions = ClaimPlaces & {
  /** The issuers whose tokens are taken, byte for byte, each with its keys. */
  readonly issuers: ReadonlyMap<string, Pick<IdentityKeys, 'candidates'>>;
  /** A token must name one of them. */
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

const algorithms = ['RS256', 'ES256', 'PS256'];

/** Keycloak says in `typ` what a token is for; only an access token opens an API. */
const otherUses = new Set(['id', 'refresh', 'offline', 'logout']);

/** What fits into the internal token beside a request's own headers; a person in more groups than that is cut short. */
const mostListBytes = 12 * 1024;

/** A verifier of access tokens. */
export function createOidcTokens(options: OidcTokensOptions): OidcTokens {
  return {
    async verify(token) {
      const issuer = issuerOf(token);
      const keys = options.issuers.get(issuer);
      if (!keys) throw refused('its issuer is not one whose people are known here');
      const header = headerOf(token);
      const { payload } = await verifyWithAny(token, await keys.candidates(header), { ...options, issuer });
      if (typeof payload['typ'] === 'string' && otherUses.has(payload['typ'].toLowerCase()))
        throw refused('it is not an access token');
      return { person: personOf(payload, { ...options, issuer }), exp: payload.exp ?? 0 };
    },
  };
}

type Checks = Pick<OidcTokensOptions, 'audiences' | 'now'> & { readonly issuer: string };

async function verifyWithAny(
  token: string,
  keys: readonly CryptoKey[],
  checks: Checks,
): Promise<{ payload: JWTPayload }> {
  let problem: unknown = new Error('it is signed with a key that its issuer does not publish');
  for (const key of keys) {
    try {
      return await verifyWith(token, key, checks);
    } catch (cause) {
      problem = cause;
    }
  }
  throw refused(tokenProblem(problem, checks.now()));
}

const verifyWith = (
  token: string,
  key: CryptoKey,
  { issuer, audiences, now }: Checks,
): Promise<{ payload: JWTPayload }> =>
  jwtVerify(token, key, {
    algorithms,
    issuer,
    audience: [...audiences],
    requiredClaims: ['sub', 'exp'],
    clockTolerance: clockSkewSeconds,
    currentDate: new Date(now()),
  });

/** The issuer that the token claims to be of; whether it is, its signature decides. */
function issuerOf(token: string): string {
  try {
    return String(decodeJwt(token).iss);
  } catch {
    throw refused('it cannot be read');
  }
}

function headerOf(token: string): { alg: string; kid?: string } {
  let header: { alg?: unknown; kid?: unknown };
  try {
    header = decodeProtectedHeader(token);
  } catch {
    throw refused('it cannot be read');
  }
  const { alg, kid } = header;
  // Before any key is looked for: a token must not make us fetch keys for an algorithm that is never taken.
  if (typeof alg !== 'string' || !algorithms.includes(alg)) throw refused(`only ${algorithms.join(', ')} are taken`);
  return { alg, ...(typeof kid === 'string' ? { kid } : {}) };
}

const refused = (reason: string): Refusal =>
  new Refusal('INVALID_TOKEN', `The token is not valid: ${reason}. Sign in again with 'clustral login'.`);

function personOf(payload: JWTPayload, places: ClaimPlaces & { readonly issuer: string }): Person {
  const { sub, auth_time: authTime } = payload as { sub?: string; auth_time?: unknown };
  if (sub === undefined || sub === '' || sub.length > 256) throw refused('its subject is empty or too long');
  return {
    sub,
    issuer: places.issuer,
    ...text('email', payload['email']),
    // Only a boolean `true` says that the provider checked (ID-17); the word 'true' is somebody's attribute. A claim that is
    // not there stays so: what silence means is the control plane's to say, issuer by issuer (D14).
    ...(payload['email_verified'] === undefined ? {} : { email_verified: payload['email_verified'] === true }),
    ...text('preferred_username', payload['preferred_username']),
    ...text('name', payload['name']),
    ...rightsOf(payload, places),
    ...(typeof authTime === 'number' && Number.isFinite(authTime) ? { auth_time: authTime } : {}),
  };
}

function rightsOf(
  payload: JWTPayload,
  { rolesClaims, groupsClaims, roleMapping }: ClaimPlaces,
): Required<Pick<Person, 'roles' | 'groups'>> {
  for (const place of [...rolesClaims, ...groupsClaims]) if (isLeftOut(payload, place)) throw leftOut(place);
  const roles = rolesClaims.flatMap((place) => textsAt(payload, place));
  const groups = groupsClaims.flatMap((place) => textsAt(payload, place));
  const mapped = [...roles, ...groups].flatMap((name) => roleMapping.get(name) ?? []);
  return {
    // Clustral's own roles begin so; a provider's many others mean nothing here.
    roles: fitting([...roles.filter((role) => role.startsWith('clustral-')), ...mapped]),
    groups: fitting(groups),
  };
}

const leftOut = (place: string): Refusal =>
  new Refusal(
    'FORBIDDEN',
    `Your identity provider left the claim '${place}' out of your token because it has too many entries. ` +
      'Whoever runs the provider can have it send only those that are assigned to Clustral (in Entra ID: ' +
      "'Groups assigned to the application', or app roles). Then sign in again with 'clustral login'.",
  );

function fitting(items: readonly string[]): string[] {
  const taken: string[] = [];
  let bytes = 0;
  for (const item of new Set(items)) {
    bytes += Buffer.byteLength(item) + 3;
    if (bytes > mostListBytes) break;
    taken.push(item);
  }
  return taken;
}

function text<Name extends 'email' | 'preferred_username' | 'name'>(
  name: Name,
  value: unknown,
): { [N in Name]?: string } {
  const taken = typeof value === 'string' && value !== '' && value.length <= 256 ? { [name]: value } : {};
  return taken as { [N in Name]?: string };
}
