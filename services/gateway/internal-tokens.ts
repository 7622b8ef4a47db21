/**
 * What the gateway vouches for: the internal token, by which the services behind it know the caller (30 s, ES256), and the
 * service token, by which it reports its own refusals (D31). Each is signed when it is first needed and used for half its
 * life, so that a request of a known caller signs nothing (a signature costs as much as the rest of the hop).
 */
import { createSigner, type Signer } from '@clustral/kernel/jwt.ts';
import type { SigningKeys } from '@clustral/kernel/keys.ts';
import { gatewayIssuer, internalAudience, type InternalClaims } from '@clustral/schemas/tokens.ts';

/** A token that renews itself: call it for each request. */
export type TokenSource = () => Promise<string>;

export type InternalTokens = {
  /** Tokens that say these claims. */
  forCaller(claims: Omit<InternalClaims, 'kind' | 'iat' | 'exp'>): TokenSource;
  /** Tokens of the gateway itself, good for `/internal/*` only. */
  readonly forGateway: TokenSource;
};

const lifeSeconds = 30;
const renewAfterMs = (lifeSeconds * 1000) / 2;

export type InternalTokensOptions = {
  readonly signingKeys: SigningKeys;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** The signer of internal tokens. */
export async function createInternalTokens(options: InternalTokensOptions): Promise<InternalTokens> {
  const { signingKeys, now } = options;
  const signer = await createSigner({
    signingKeys,
    algorithm: 'ES256',
    issuer: gatewayIssuer,
    audience: internalAudience,
  });
  return {
    forCaller: (claims) => renewing((iat) => sign(signer, { ...claims, kind: 'internal' }, iat), now),
    forGateway: renewing((iat) => sign(signer, { kind: 'service', sub: gatewayIssuer }, iat), now),
  };
}

const sign = (signer: Signer, claims: Omit<InternalClaims, 'iat' | 'exp'>, iat: number): Promise<string> =>
  signer.sign({ ...claims, iat, exp: iat + lifeSeconds } as Parameters<Signer['sign']>[0]);

function renewing(make: (iat: number) => Promise<string>, now: () => number): TokenSource {
  let current: { readonly token: Promise<string>; readonly madeAtMs: number } | undefined;
  return () => {
    const ms = now();
    // A clock that was set back would leave a token from the future in use.
    if (current && ms >= current.madeAtMs && ms - current.madeAtMs < renewAfterMs) return current.token;
    const made = { token: make(Math.floor(ms / 1000)), madeAtMs: ms };
    current = made;
    made.token.catch(() => {
      if (current === made) current = undefined;
    });
    return made.token;
  };
}
