/**
 * Signing and verifying the product's own tokens with jose. One verifier is one kind of token: algorithm, issuer, audience
 * and kind are fixed when it is made and never read from the token (D9, ID-01, RFC 8725). Verified tokens are remembered for
 * a short while under the SHA-256 of the token, never longer than they live.
 */
import { hash } from 'node:crypto';
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { Refusal } from '@clustral/schemas/errors.ts';
import {
  fixedPublicKeys,
  fixedSigningKey,
  type KeyPairPem,
  type PublicKeys,
  type SigningKeys,
  type TokenAlgorithm,
} from './keys.ts';

type TokenKind = { readonly algorithm: TokenAlgorithm; readonly issuer: string; readonly audience: string };

/** A pair in PEM that stays as it is, or keys that may be replaced (F-32). */
export type SignerOptions = TokenKind & (KeyPairPem | { readonly signingKeys: SigningKeys });

/** Signs the claims as they are, with issuer and audience added; `iat` and `exp` (seconds) are the caller's. */
export type Signer = {
  /** The `kid` of a token that is signed now. */
  keyId(): Promise<string>;
  sign(claims: JWTPayload & { iat: number; exp: number }): Promise<string>;
};

/** A signer whose `kid` is the thumbprint of the key (RFC 7638). */
export async function createSigner(options: SignerOptions): Promise<Signer> {
  const { algorithm, issuer, audience } = options;
  const keys = 'signingKeys' in options ? options.signingKeys : await fixedSigningKey(options, algorithm);
  return {
    keyId: async () => (await keys.current()).keyId,
    async sign(claims) {
      const { key, keyId } = await keys.current();
      return new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid: keyId })
        .setIssuer(issuer)
        .setAudience(audience)
        .sign(key);
    },
  };
}

export type VerifierOptions = TokenKind &
  ({ readonly publicKeysPem: readonly string[] } | { readonly publicKeys: PublicKeys }) & {
    readonly kinds: readonly string[];
    readonly now: () => number;
  };

/** Clock difference between two machines that is tolerated, in seconds (F-25). */
export const clockSkewSeconds = 30;

const remembered = { max: 10_000, ms: 30_000 };

type Remembered<Claims> = {
  readonly claims: Claims;
  readonly generation: number;
  readonly sinceMs: number;
  readonly untilMs: number;
};

/** Verifies one kind of token. */
export type Verifier<Claims> = {
  /** The claims, or `INVALID_TOKEN` with the reason in words. `exp` is honoured with 30 s of skew (ID-02). */
  verify(token: string): Promise<Claims>;
};

/** A verifier that also says when its keys have changed. */
export type KeyedVerifier<Claims> = Verifier<Claims> & Pick<PublicKeys, 'generation'>;

/** A verifier of one kind. `now` is in milliseconds. */
export async function createVerifier<Claims extends { readonly kind: string; readonly exp: number }>(
  options: VerifierOptions,
): Promise<KeyedVerifier<Claims>> {
  const keys =
    'publicKeys' in options ? options.publicKeys : await fixedPublicKeys(options.publicKeysPem, options.algorithm);
  // The cache's own `ttl` sets a timer of a millisecond with nearly every look.
  const verified = new LRUCache<string, Remembered<Claims>>({ max: remembered.max });
  return {
    generation: () => keys.generation(),
    async verify(token) {
      const looked = keys.generation();
      const generation = typeof looked === 'number' ? looked : await looked;
      const key = hash('sha256', token, 'base64');
      const now = options.now();
      const known = verified.get(key);
      // A clock that was set back would have it remembered for longer.
      if (known?.generation === generation && known.sinceMs <= now && now < known.untilMs) return known.claims;
      const claims = await verifyOnce<Claims>(token, keys, options);
      const untilMs = Math.min(now + remembered.ms, (claims.exp + clockSkewSeconds) * 1000);
      verified.set(key, { claims, generation, sinceMs: now, untilMs });
      return claims;
    },
  };
}

async function verifyOnce<Claims extends { readonly kind: string }>(
  token: string,
  keys: PublicKeys,
  options: VerifierOptions,
): Promise<Claims> {
  const { payload } = await jwtVerify(
    token,
    async ({ kid }) => {
      const key = kid === undefined ? undefined : await keys.find(kid);
      if (!key) throw new Error('it is signed with a key that is not known here');
      return key;
    },
    {
      algorithms: [options.algorithm],
      issuer: options.issuer,
      audience: options.audience,
      requiredClaims: ['sub', 'iat', 'exp', 'kind'],
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(options.now()),
    },
  ).catch((cause: unknown) => {
    throw new Refusal('INVALID_TOKEN', `The token is not valid: ${tokenProblem(cause, options.now())}. Sign in again.`);
  });
  if (!options.kinds.includes(String(payload['kind'])))
    throw new Refusal('INVALID_TOKEN', 'The token is not valid: it is of another kind. Sign in again.');
  return payload as unknown as Claims;
}

/**
 * Why jose refused a token, in words that hold no part of it: its sentences name claims and algorithms only. Both times
 * are named when the clock decided, so that a wrong clock is seen at once (F-25). `nowMs` is the clock that was used.
 */
export function tokenProblem(cause: unknown, nowMs: number): string {
  const here = `the clock here says ${new Date(nowMs).toISOString()}`;
  if (cause instanceof errors.JWTExpired) return `it ended at ${instant(cause.payload.exp)} and ${here}`;
  if (cause instanceof errors.JWTClaimValidationFailed && cause.claim === 'nbf' && cause.reason === 'check_failed')
    return `it begins at ${instant(cause.payload.nbf)} and ${here}`;
  return cause instanceof Error ? cause.message : 'it cannot be read';
}

const instant = (seconds: number | undefined): string => {
  const milliseconds = (seconds ?? Number.NaN) * 1000;
  return Math.abs(milliseconds) < 8.64e15 ? new Date(milliseconds).toISOString() : 'a time that is none';
};
