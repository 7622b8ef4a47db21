/**
 * Who is calling. The path picks the verifier and no claim ever does (D38, ID-03): people's access tokens on the admin
 * surfaces, kubeconfig tokens on the kubectl path. A token is taken from the `Authorization` header only, never from a URL
 * or a cookie (PX-22). What was verified is remembered for 30 s under its SHA-256, with the internal token that goes with it.
 */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { KubeconfigClaims } from '@clustral/schemas/tokens.ts';
import { clockSkewSeconds, type KeyedVerifier } from '@clustral/kernel/jwt.ts';
import type { InternalTokens, TokenSource } from './internal-tokens.ts';
import type { OidcTokens } from './oidc-token.ts';

/** A recognised caller. */
export type Session = {
  /** What the caller is counted by: issuer and subject of a person, the id of a credential. */
  readonly key: string;
  /** The credential on the kubectl path; nothing for a person. */
  readonly credentialId: string | null;
  readonly roles: readonly string[];
  readonly internalToken: TokenSource;
};

export type Authenticator = {
  /** The person behind a request to an admin surface. Throws `AUTHENTICATION_REQUIRED`, `INVALID_TOKEN` or `StrayKubeconfigToken`. */
  person(request: IncomingMessage): Promise<Session>;
  /** The credential behind a request on the kubectl path. Throws `AUTHENTICATION_REQUIRED` or `INVALID_TOKEN`. */
  credential(request: IncomingMessage): Promise<Session>;
  /** Throws `StrayKubeconfigToken` when a request that needs nobody's token carries a kubeconfig token. */
  refuseStray(request: IncomingMessage): Promise<void>;
};

/** A kubeconfig token on a path that is not kubectl's: told in plain text, because kubectl is reading (D38). */
export class StrayKubeconfigToken extends Refusal {}

export type AuthenticatorOptions = {
  readonly oidc: OidcTokens;
  readonly kubeconfig: KeyedVerifier<KubeconfigClaims>;
  readonly internalTokens: InternalTokens;
  /** Rises when the provider's keys were fetched anew: sessions of people are then verified again. */
  readonly keyGeneration: () => number;
  readonly publicOrigin: string;
  readonly now: () => number;
};

const remembered = { max: 10_000, ms: 30_000 };
const longestToken = 16_384;

type Verified = {
  readonly session: Session;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly generation: number;
};

/** The gateway's authenticator. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const people = new LRUCache<string, Verified>({ max: remembered.max });
  const credentials = new LRUCache<string, Verified>({ max: remembered.max });

  const recall = (cache: LRUCache<string, Verified>, key: string, generation: number): Session | undefined => {
    const known = cache.get(key);
    if (known?.generation !== generation) return undefined;
    const now = options.now();
    // A clock that was set back would have it remembered for longer (F-24).
    return known.sinceMs <= now && now < known.untilMs ? known.session : undefined;
  };
  const remember = (session: Session, exp: number, generation: number): Verified => {
    const sinceMs = options.now();
    const untilMs = Math.min(sinceMs + remembered.ms, (exp + clockSkewSeconds) * 1000);
    return { session, generation, sinceMs, untilMs };
  };

  return {
    async person(request) {
      const token = bearerOf(request, "Sign in with 'clustral login'.");
      const key = digest(token);
      const generation = options.keyGeneration();
      const known = recall(people, key, generation);
      if (known) return known;
      const { session, exp } = await verifyPerson(token, options);
      people.set(key, remember(session, exp, generation));
      return session;
    },
    async credential(request) {
      const token = bearerOf(request, "Get a kubeconfig with 'clustral kube login'.");
      const key = digest(token);
      const looked = options.kubeconfig.generation();
      const generation = typeof looked === 'number' ? looked : await looked;
      const known = recall(credentials, key, generation);
      if (known) return known;
      const claims = await options.kubeconfig.verify(token);
      const session = credentialSession(claims, options.internalTokens);
      credentials.set(key, remember(session, claims.exp, generation));
      return session;
    },
    async refuseStray(request) {
      const token = tokenOf(request);
      if (token !== undefined) await refuseKubeconfigToken(token, options);
    },
  };
}

async function verifyPerson(
  token: string,
  options: AuthenticatorOptions,
): Promise<{ readonly session: Session; readonly exp: number }> {
  const { person, exp } = await options.oidc.verify(token).catch(async (refusal: unknown) => {
    await refuseKubeconfigToken(token, options);
    throw refusal;
  });
  return {
    exp,
    session: {
      key: `${person.issuer}#${person.sub}`,
      credentialId: null,
      roles: person.roles ?? [],
      internalToken: options.internalTokens.forCaller({ ...person, token_exp: exp }),
    },
  };
}

function credentialSession(claims: KubeconfigClaims, internalTokens: InternalTokens): Session {
  const { sub, cluster_id: clusterId, jti } = claims;
  if (typeof clusterId !== 'string' || typeof jti !== 'string' || jti === '')
    throw new Refusal('INVALID_TOKEN', "The token names no cluster or no credential. Run 'clustral kube login' again.");
  return {
    key: jti,
    credentialId: jti,
    roles: [],
    internalToken: internalTokens.forCaller({ sub, cluster_id: clusterId, credential_id: jti }),
  };
}

async function refuseKubeconfigToken(token: string, options: AuthenticatorOptions): Promise<void> {
  const claims = await options.kubeconfig.verify(token).catch((thrown: unknown) => {
    if (thrown instanceof Refusal) return undefined;
    throw thrown;
  });
  if (claims === undefined) return;
  throw new StrayKubeconfigToken(
    'INVALID_TOKEN',
    `This is a kubeconfig token, which is good below ${options.publicOrigin}/api/proxy/${claims.cluster_id}/ only. ` +
      "Ask there, or sign in with 'clustral login' for everything else.",
  );
}

function bearerOf(request: IncomingMessage, advice: string): string {
  const token = tokenOf(request);
  if (token === undefined) throw new Refusal('AUTHENTICATION_REQUIRED', `No bearer token was sent. ${advice}`);
  if (token.length > longestToken) throw new Refusal('INVALID_TOKEN', `The token is too long. ${advice}`);
  return token;
}

// RFC 9110, section 11.1: the scheme's case does not matter; RFC 6750, section 2.1: what a bearer token may hold.
function tokenOf(request: IncomingMessage): string | undefined {
  return /^bearer +([\w.~+/-]+=*) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

const digest = (token: string): string => hash('sha256', token, 'base64');
