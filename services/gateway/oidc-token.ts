/**
 * Access tokens of people, from any OpenID Connect provider. Issuer, audience and the allowed algorithms are ours, never
 * the token's (ID-01, ID-02, ID-06; RFC 8725). From the claims it takes who the person is and, from the two configured
 * places only, roles and groups; `kind`, `cluster_id` and everything else that a token may carry is nothing to us (ID-04).
 */
import { decodeProtectedHeader, jwtVerify, type CryptoKey, type JWTPayload } from 'jose';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { InternalClaims } from '@clustral/schemas/tokens.ts';
import { clockSkewSeconds, tokenProblem } from '@clustral/kernel/jwt.ts';
import type { IdentityKeys } from './identity-keys.ts';

/** A person as the provider knows them, in the words of the internal token. */
export type Person = Omit<InternalClaims, 'kind' | 'iat' | 'exp' | 'cluster_id' | 'credential_id'> & {
  readonly issuer: string;
};

export type OidcTokens = {
  /** The person and the end of the token (seconds since the epoch). Throws `INVALID_TOKEN` or `UPSTREAM_UNAVAILABLE`. */
  verify(token: string): Promise<{ readonly person: Person; readonly exp: number }>;
};

export type OidcTokensOptions = {
  readonly keys: Pick<IdentityKeys, 'candidates'>;
  readonly authority: string;
  readonly audience: string;
  readonly rolesClaim: string;
  readonly groupsClaim: string;
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
      const { payload } = await verifyWithAny(token, options);
      if (typeof payload['typ'] === 'string' && otherUses.has(payload['typ'].toLowerCase()))
        throw refused('it is not an access token');
      return { person: personOf(payload, options), exp: payload.exp ?? 0 };
    },
  };
}

async function verifyWithAny(token: string, options: OidcTokensOptions): Promise<{ payload: JWTPayload }> {
  let problem: unknown = new Error('it is signed with a key that its issuer does not publish');
  for (const key of await options.keys.candidates(headerOf(token))) {
    try {
      return await verifyWith(token, key, options);
    } catch (cause) {
      problem = cause;
    }
  }
  throw refused(tokenProblem(problem, options.now()));
}

const verifyWith = (token: string, key: CryptoKey, options: OidcTokensOptions): Promise<{ payload: JWTPayload }> =>
  jwtVerify(token, key, {
    algorithms,
    issuer: options.authority,
    audience: options.audience,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: clockSkewSeconds,
    currentDate: new Date(options.now()),
  });

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

function personOf(payload: JWTPayload, options: OidcTokensOptions): Person {
  const { sub, auth_time: authTime } = payload as { sub?: string; auth_time?: unknown };
  if (sub === undefined || sub === '' || sub.length > 256) throw refused('its subject is empty or too long');
  return {
    sub,
    issuer: options.authority,
    ...text('email', payload['email']),
    // Only a boolean `true` says that the provider checked (ID-17); the word 'true' is somebody's attribute. A claim that is
    // not there stays so: what silence means is the control plane's to say, issuer by issuer (D14).
    ...(payload['email_verified'] === undefined ? {} : { email_verified: payload['email_verified'] === true }),
    ...text('preferred_username', payload['preferred_username']),
    ...text('name', payload['name']),
    // Clustral's own roles begin so; a provider's many others mean nothing here.
    roles: strings(claimAt(payload, options.rolesClaim), (role) => role.startsWith('clustral-')),
    groups: strings(claimAt(payload, options.groupsClaim), () => true),
    ...(typeof authTime === 'number' && Number.isFinite(authTime) ? { auth_time: authTime } : {}),
  };
}

/**
 * The claim at a path: `realm_access.roles` goes down by dots, and a name that is a URL (as some providers must name
 * their own claims) is taken as it is, so that which of the two is meant never hangs on the token.
 */
function claimAt(payload: JWTPayload, path: string): unknown {
  const names = path.includes('/') ? [path] : path.split('.');
  return names.reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, name)
        ? (at as Record<string, unknown>)[name]
        : undefined,
    payload,
  );
}

function strings(claim: unknown, wanted: (item: string) => boolean): string[] {
  if (!Array.isArray(claim)) return [];
  const taken: string[] = [];
  let bytes = 0;
  for (const item of claim) {
    if (typeof item !== 'string' || item === '' || item.length > 256 || !wanted(item)) continue;
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
