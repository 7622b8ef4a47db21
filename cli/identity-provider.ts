/**
 * The identity provider as this tool uses it: discovery, tokens, refresh, the end of a session. What it says is shown, never obeyed: texts are
 * escaped, addresses must be http(s). Loaded only when somebody signs in or tokens must be renewed.
 */
import * as oidc from 'openid-client';
import { CliError, exitCodes } from './failure.ts';
import { fetchWith } from './http.ts';
import { networkFailure } from './network-failure.ts';
import type { Account, ProfileConfig } from './profile.ts';
import { machineCas, serverCas } from './trust.ts';
import { visible } from './text.ts';

export type Installation = Pick<ProfileConfig, 'server' | 'discovery' | 'caPem'> & {
  /** How long one call to the provider may take. */
  readonly timeoutMs: number;
};

/** For a provider that does not say how long its access tokens live. */
const assumedLifeSeconds = 60;
/** Ten years: what is longer is no life but a mistake, and no date. */
const longestLifeSeconds = 315_360_000;

/** The provider's metadata, checked for being the named issuer's. Throws exit code 7 when it does not answer as it should. */
export async function discoverProvider(installation: Installation): Promise<oidc.Configuration> {
  const { server, discovery, caPem, timeoutMs } = installation;
  const issuer = new URL(discovery.oidcAuthority);
  const isServer = issuer.origin === new URL(server).origin;
  const fetch = fetchWith(
    isServer ? serverCas(caPem) : [...machineCas(), ...(caPem === undefined ? [] : [caPem])],
    timeoutMs,
  );
  const customFetch = fetch as unknown as oidc.CustomFetch;
  const execute = issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
  const provider = await oidc
    .discovery(issuer, discovery.oidcClientId, undefined, oidc.None(), {
      execute,
      timeout: timeoutMs / 1000,
      [oidc.customFetch]: customFetch,
    })
    .catch((cause: unknown) => {
      const why = networkFailure(cause)?.what ?? wordsOf(cause);
      throw new CliError(
        exitCodes.unavailable,
        `the identity provider ${issuer.host} did not answer as it should: ${why}`,
        'try again; if it stays, tell the operator',
      );
    });
  provider[oidc.customFetch] = customFetch;
  return provider;
}

/** What the provider granted, or its refusal in words (exit code 4). */
export async function granted<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause: unknown) => {
    if (cause instanceof CliError) throw cause;
    const network = networkFailure(cause);
    if (network !== undefined)
      throw new CliError(exitCodes.unavailable, `the identity provider: ${network.what}`, network.fix);
    throw new CliError(
      exitCodes.signInNeeded,
      `the identity provider refused the sign-in: ${wordsOf(cause)}`,
      'clustral login tries it again',
    );
  });
}

/** The account that tokens of a sign-in stand for. */
export function accountOf(
  tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
  { server, now }: { server: string; now: Date },
): Account {
  const claims = tokens.claims();
  if (!claims)
    throw new CliError(
      exitCodes.failed,
      'the identity provider sent no id token',
      "ask the operator to allow the scope 'openid' for this client",
    );
  const text = (name: string): string | undefined =>
    typeof claims[name] === 'string' ? (claims[name] as string) : undefined;
  const username = text('preferred_username');
  const displayName = text('email') ?? username ?? claims.sub;
  return {
    server,
    issuer: claims.iss,
    subject: claims.sub,
    displayName,
    ...(username === undefined ? {} : { username }),
    name: text('name') ?? displayName,
    signedInAt: now.toISOString(),
    ...tokenFields(tokens, now),
  };
}

/** The account with new tokens from its refresh token, or undefined when the session has ended at the provider. */
export async function refresh(account: Account, installation: Installation, now: Date): Promise<Account | undefined> {
  if (account.refreshToken === undefined) return undefined;
  const provider = await discoverProvider(installation);
  try {
    const tokens = await oidc.refreshTokenGrant(provider, account.refreshToken);
    const subject = tokens.claims()?.sub ?? account.subject;
    const { sessionEndsAt: _before, ...rest } = account;
    return subject === account.subject ? { ...rest, ...tokenFields(tokens, now) } : undefined;
  } catch (cause) {
    if (cause instanceof oidc.ResponseBodyError && cause.error === 'invalid_grant') return undefined;
    throw new CliError(
      exitCodes.unavailable,
      `the identity provider did not renew the session: ${networkFailure(cause)?.what ?? wordsOf(cause)}`,
      `try again; if it stays: clustral login ${account.server} --force`,
    );
  }
}

/** Ends the session at the provider, best effort: revokes the refresh token. Returns whether it did. */
export async function endSession(account: Account, installation: Installation): Promise<boolean> {
  if (account.refreshToken === undefined) return false;
  try {
    await oidc.tokenRevocation(await discoverProvider(installation), account.refreshToken);
    return true;
  } catch {
    // Signing out must work without a network; the caller says that the provider was not told.
    return false;
  }
}

/** A provider's address that may be shown and opened. Throws when it is no http(s) address. */
export function webAddress(text: string, installation: Installation): URL {
  const url = URL.parse(text);
  const mayBePlain = installation.discovery.oidcAuthority.startsWith('http:');
  if (url !== null && (url.protocol === 'https:' || (mayBePlain && url.protocol === 'http:'))) return url;
  throw new CliError(
    exitCodes.failed,
    `the identity provider names an address that is not https: ${visible(text.slice(0, 200))}`,
    'ask the operator',
  );
}

/** What an error of openid-client says, safe for a terminal. */
function wordsOf(cause: unknown): string {
  if (cause instanceof oidc.AuthorizationResponseError || cause instanceof oidc.ResponseBodyError)
    return visible(cause.error_description ?? cause.error).slice(0, 400);
  const { message, cause: inner } = cause as Error;
  return visible(inner instanceof Error ? `${message}: ${inner.message}` : message).slice(0, 400);
}

/** The end is reckoned on this machine's clock from the seconds that were named, so that a clock that is wrong does no harm. */
function tokenFields(
  tokens: oidc.TokenEndpointResponse,
  now: Date,
): Pick<Account, 'accessToken' | 'accessTokenExpiresAt' | 'refreshToken' | 'sessionEndsAt'> {
  const after = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();
  // Not in a standard, but Keycloak and others say it; zero is their word for "no end".
  const { refresh_expires_in: sessionSeconds } = tokens;
  const hasEnd = typeof sessionSeconds === 'number' && sessionSeconds > 0 && Number.isSafeInteger(sessionSeconds);
  return {
    accessToken: tokens.access_token,
    accessTokenExpiresAt: after(tokens.expires_in ?? assumedLifeSeconds),
    ...(tokens.refresh_token === undefined ? {} : { refreshToken: tokens.refresh_token }),
    ...(hasEnd ? { sessionEndsAt: after(Math.min(sessionSeconds, longestLifeSeconds)) } : {}),
  };
}
