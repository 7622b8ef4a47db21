/**
 * How oidc-provider is set up so that it looks like the Keycloak realm of the compose file: path names, tokens, lives,
 * clients. Only what Clustral uses is switched on; pages and storage come in as arguments.
 */
import { errors, interactionPolicy } from 'oidc-provider';
import type { AdapterFactory, Configuration, Grant, KoaContextWithOIDC } from 'oidc-provider';
import type { Accounts } from './accounts.ts';
import { accessTokenClaims, identityClaimNames, identityClaims } from './claims.ts';
import { audienceOf, clientMetadata, resourceOf } from './clients.ts';
import { checkDevicePkce } from './device-pkce.ts';
import type { Secrets } from './secrets.ts';

/** Sessions, and the refresh tokens of one, end this long after the password was typed. */
const sessionSeconds = 8 * 3_600;
const accessTokenSeconds = 300;
const offeredScopes = ['openid', 'profile', 'email', 'roles', 'groups', 'offline_access'];

export type ProviderParts = {
  /** The path of the issuer, for example `/realms/clustral`. */
  readonly mountPath: string;
  readonly secureCookies: boolean;
  readonly userinfoEndpoint: string;
  readonly webRedirectUris: readonly string[];
  readonly secrets: Secrets;
  readonly accounts: Accounts;
  readonly adapter: AdapterFactory;
  readonly now: () => Date;
  readonly pages: {
    readonly deviceFlow: NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;
    readonly signOut: NonNullable<NonNullable<Configuration['features']>['rpInitiatedLogout']>;
    readonly renderError: NonNullable<Configuration['renderError']>;
  };
};

export function providerConfiguration(parts: ProviderParts): Configuration {
  return {
    adapter: parts.adapter,
    clients: clientMetadata(parts.webRedirectUris, parts.secrets.webClientSecret),
    jwks: { keys: [...parts.secrets.signingKeys] },
    routes: keycloakRoutes,
    discovery: { userinfo_endpoint: parts.userinfoEndpoint },
    scopes: offeredScopes,
    claims: { openid: [...identityClaimNames, 'auth_time'] },
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    enabledJWA: { idTokenSigningAlgValues: ['RS256'] },
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    conformIdTokenClaims: false,
    cookies: cookies(parts),
    ttl: lives(parts.now),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      // Its own endpoint refuses tokens that have an audience; userinfo.ts serves it instead.
      userinfo: { enabled: false },
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: parts.pages.signOut,
      deviceFlow: parts.pages.deviceFlow,
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_ctx, client) => resourceOf(client.clientId),
        useGrantedResource: async () => true,
        async getResourceServerInfo(_ctx, resource, client) {
          if (resource !== resourceOf(client.clientId)) throw new errors.InvalidTarget();
          return {
            audience: audienceOf(client.clientId),
            scope: offeredScopes.join(' '),
            accessTokenFormat: 'jwt',
            accessTokenTTL: accessTokenSeconds,
            jwt: { sign: { alg: 'RS256' } },
          };
        },
      },
    },
    ...tokens(parts.accounts),
    loadExistingGrant: (ctx) => grantEverything(ctx, parts.now),
    interactions: {
      policy: policyWithoutConsent(),
      url: async (_ctx, interaction) => `${parts.mountPath}/login-actions/${interaction.uid}`,
    },
    renderError: parts.pages.renderError,
  };
}

const keycloakRoutes = {
  authorization: '/protocol/openid-connect/auth',
  token: '/protocol/openid-connect/token',
  jwks: '/protocol/openid-connect/certs',
  end_session: '/protocol/openid-connect/logout',
  revocation: '/protocol/openid-connect/revoke',
  device_authorization: '/protocol/openid-connect/auth/device',
  code_verification: '/device',
};

function cookies({ secrets, secureCookies, mountPath }: ProviderParts): NonNullable<Configuration['cookies']> {
  // `__Secure-`: a page on another port of localhost without TLS cannot plant one.
  const prefix = secureCookies ? '__Secure-' : '';
  return {
    keys: [...secrets.cookieKeys],
    names: { session: `${prefix}idp_session`, interaction: `${prefix}idp_login`, resume: `${prefix}idp_resume` },
    long: { httpOnly: true, sameSite: 'lax', signed: true, path: mountPath },
    short: { httpOnly: true, sameSite: 'lax', signed: true },
  };
}

function lives(now: () => Date): NonNullable<Configuration['ttl']> {
  const nowSeconds = (): number => Math.floor(now().getTime() / 1000);
  const leftOf = (signedInAtSeconds: number | undefined): number =>
    Math.max(1, (signedInAtSeconds ?? nowSeconds()) + sessionSeconds - nowSeconds());
  return {
    AccessToken: () => accessTokenSeconds,
    IdToken: () => accessTokenSeconds,
    AuthorizationCode: () => 60,
    DeviceCode: () => 600,
    Interaction: () => 1_800,
    Grant: () => sessionSeconds,
    RefreshToken: (_ctx, token) => leftOf(token.authTime),
    Session: (_ctx, session) => (session.accountId === undefined ? 1_800 : leftOf(session.loginTs)),
  };
}

function tokens(accounts: Accounts): Configuration {
  return {
    findAccount(ctx, subject, token) {
      if (token?.kind === 'DeviceCode') checkDevicePkce(token.deviceInfo, ctx.oidc.body?.['code_verifier']);
      const person = accounts.bySubject(subject);
      if (person === undefined) return undefined;
      return { accountId: subject, claims: async () => ({ ...identityClaims(person), sub: subject }) };
    },
    async extraTokenClaims(ctx, token) {
      if (token.kind !== 'AccessToken') return undefined;
      const person = accounts.bySubject(token.accountId);
      if (person === undefined) throw new errors.InvalidGrant('the person of this token is unknown');
      const { AuthorizationCode, DeviceCode, RefreshToken } = ctx.oidc.entities;
      return accessTokenClaims(person, {
        clientId: token.clientId ?? '',
        authTimeSeconds: (AuthorizationCode ?? DeviceCode ?? RefreshToken)?.authTime,
        sessionId: token.sessionUid,
      });
    },
    formats: {
      customizers: {
        jwt(_ctx, token, jwt) {
          // Keycloak's header is `JWT` where RFC 9068 says `at+jwt`; its audience is always a list.
          jwt.header = { typ: 'JWT' };
          jwt.payload['aud'] = [token.aud].flat();
        },
      },
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async (_ctx, source) => !source.scopes.has('offline_access'),
    // A public client's refresh token is good once (RFC 9700 4.14.2); the dashboard proves itself with its secret.
    rotateRefreshToken: (ctx) => ctx.oidc.client?.clientAuthMethod === 'none',
  };
}

/** Everybody consents to Clustral by signing in to it: whoever is signed in has granted all that can be asked for. */
async function grantEverything(ctx: KoaContextWithOIDC, now: () => Date): Promise<Grant | undefined> {
  const { provider, client, session } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const known = session.grantIdFor(client.clientId);
  const found = known === undefined ? undefined : await provider.Grant.find(known);
  const usable = found?.accountId === session.accountId ? found : undefined;
  const grant = usable ?? new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope(offeredScopes);
  grant.addResourceScope(resourceOf(client.clientId), offeredScopes);
  // A grant outlives every token made under it; without this one from this morning would cut short tonight's session.
  grant.exp = Math.floor(now().getTime() / 1000) + sessionSeconds;
  await grant.save();
  return grant;
}

function policyWithoutConsent(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.get('consent')?.checks.remove('native_client_prompt');
  return policy;
}
