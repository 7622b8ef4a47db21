/**
 * Signing and verifying the product's own tokens with jose. One verifier is one kind of token: algorithm, issuer, audience
 * and kind are fixed when it is made and never read from the token (D9, ID-01, RFC 8725). Verified tokens are remembered for
 * a short while under the SHA-256 of the token, never longer than they live.
 */
import { hash } from 'node:crypto';
import {
  calculateJwkThumbprint,
  errors,
  exportJWK,
  importPKCS8,
  importSPKI,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JWTPayload,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { Refusal } from '@clustral/schemas/errors.ts';

export type TokenAlgorithm = 'ES256' | 'RS256';

export type SignerOptions = {
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
  readonly algorithm: TokenAlgorithm;
  readonly issuer: string;
  readonly audience: string;
};

/** Signs the claims as they are, with issuer and audience added; `iat` and `exp` (seconds) are the caller's. */
export type Signer = {
  readonly keyId: string;
  sign(claims: JWTPayload & { iat: number; exp: number }): Promise<string>;
};

/** A signer whose `kid` is the thumbprint of the key (RFC 7638). */
export async function createSigner(options: SignerOptions): Promise<Signer> {
  const key = await importPKCS8(options.privateKeyPem, options.algorithm);
  const keyId = await keyIdOf(options.publicKeyPem, options.algorithm);
  return {
    keyId,
    sign: (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: options.algorithm, typ: 'JWT', kid: keyId })
        .setIssuer(options.issuer)
        .setAudience(options.audience)
        .sign(key),
  };
}

export type VerifierOptions = {
  /** Public keys in PEM: more than one while a key is being replaced (F-32). */
  readonly publicKeysPem: readonly string[];
  readonly algorithm: TokenAlgorithm;
  readonly issuer: string;
  readonly audience: string;
  readonly kinds: readonly string[];
  readonly now: () => number;
};

/** Clock difference between two machines that is tolerated, in seconds (F-25). */
export const clockSkewSeconds = 30;

const remembered = { max: 10_000, ms: 30_000 };

type Remembered<Claims> = { readonly claims: Claims; readonly sinceMs: number; readonly untilMs: number };

/** Verifies one kind of token. */
export type Verifier<Claims> = {
  /** The claims, or `INVALID_TOKEN` with the reason in words. `exp` is honoured with 30 s of skew (ID-02). */
  verify(token: string): Promise<Claims>;
};

/** A verifier of one kind. `now` is in milliseconds. */
export async function createVerifier<Claims extends { readonly kind: string; readonly exp: number }>(
  options: VerifierOptions,
): Promise<Verifier<Claims>> {
  const keys = new Map<string, CryptoKey>();
  for (const pem of options.publicKeysPem)
    keys.set(await keyIdOf(pem, options.algorithm), await importSPKI(pem, options.algorithm));
  // The cache's own `ttl` sets a timer of a millisecond with nearly every look.
  const verified = new LRUCache<string, Remembered<Claims>>({ max: remembered.max });
  return {
    async verify(token) {
      const key = hash('sha256', token, 'base64');
      const now = options.now();
      const known = verified.get(key);
      // A clock that was set back would have it remembered for longer.
      if (known !== undefined && known.sinceMs <= now && now < known.untilMs) return known.claims;
      const claims = await verifyOnce<Claims>(token, keys, options);
      const untilMs = Math.min(now + remembered.ms, (claims.exp + clockSkewSeconds) * 1000);
      verified.set(key, { claims, sinceMs: now, untilMs });
      return claims;
    },
  };
}

async function verifyOnce<Claims extends { readonly kind: string }>(
  token: string,
  keys: ReadonlyMap<string, CryptoKey>,
  options: VerifierOptions,
): Promise<Claims> {
  const { payload } = await jwtVerify(
    token,
    ({ kid }) => {
      const key = kid === undefined ? undefined : keys.get(kid);
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

/** RFC 7638 thumbprint of a public key in PEM. */
export async function keyIdOf(publicKeyPem: string, algorithm: TokenAlgorithm): Promise<string> {
  return calculateJwkThumbprint(await exportJWK(await importSPKI(publicKeyPem, algorithm, { extractable: true })));
}
