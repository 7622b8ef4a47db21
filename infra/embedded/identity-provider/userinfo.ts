/**
 * The userinfo endpoint (OpenID Connect Core 5.3). oidc-provider's own refuses access tokens that have an audience;
 * Keycloak's does not, so this one takes the tokens it issued itself while their session lasts.
 */
import { createLocalJWKSet, errors as joseErrors, jwtVerify } from 'jose';
import type { JWK } from 'jose';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Accounts } from './accounts.ts';
import { identityClaims } from './claims.ts';

export const userinfoPath = '/protocol/openid-connect/userinfo';

type Userinfo = { readonly provider: Provider; readonly accounts: Accounts; readonly signingKeys: readonly JWK[] };

export function createUserinfo(userinfo: Userinfo): (ctx: KoaContextWithOIDC) => Promise<void> {
  const keys = createLocalJWKSet({
    keys: userinfo.signingKeys.map(({ kty, n, e, kid, alg, use }) => ({ kty, n, e, kid, alg, use }) as JWK),
  });
  return async (ctx) => {
    const [, token] = /^Bearer ([\w.-]+)$/i.exec(ctx.get('authorization')) ?? [];
    const claims = token === undefined ? undefined : await verify(token, userinfo, keys);
    if (claims === undefined) {
      ctx.status = 401;
      ctx.set('www-authenticate', 'Bearer error="invalid_token"');
      ctx.body = { error: 'invalid_token', error_description: 'Token verification failed' };
      return;
    }
    ctx.status = 200;
    ctx.body = claims;
  };
}

async function verify(
  token: string,
  userinfo: Userinfo,
  keys: ReturnType<typeof createLocalJWKSet>,
): Promise<Record<string, unknown> | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys, { issuer: userinfo.provider.issuer, algorithms: ['RS256'] });
    if (payload['typ'] !== 'Bearer' || typeof payload['sid'] !== 'string') return undefined;
    const session = await userinfo.provider.Session.findByUid(payload['sid']);
    const person = userinfo.accounts.bySubject(payload.sub ?? '');
    if (person === undefined || session?.accountId !== person.subject) return undefined;
    return { ...identityClaims(person) };
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) return undefined;
    throw error;
  }
}
