/**
 * The identity provider as this service uses it: the code flow with PKCE (RFC 7636), `state`, `nonce` and the check of `iss`
 * (RFC 9207), refresh, and the end of a session. It is asked for when somebody signs in and not before, so that one which is down
 * keeps nothing else from starting. What it refuses is told apart from its silence: only a refusal ends anything.
 */
import { fetch as undiciFetch, type Dispatcher } from 'undici';
import type * as Oidc from 'openid-client';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { livesOf, type Tokens } from './tokens.ts';

/** What a sign-in begins with and its end is held against. */
export type SignInChecks = { readonly state: string; readonly nonce: string; readonly codeVerifier: string };

export type IdentityProvider = {
  /** Makes the secrets of a sign-in and the address at which it begins. Throws `UPSTREAM_UNAVAILABLE`. */
  begin(): Promise<{ readonly checks: SignInChecks; readonly address: URL }>;
  /** Redeems the code that the browser came back with. Throws `SignInRefused`, or `UPSTREAM_UNAVAILABLE`. */
  redeem(callback: URL, checks: SignInChecks): Promise<Tokens>;
  /** New tokens, or nothing when the session at the provider is over. Throws `UPSTREAM_UNAVAILABLE`. */
  renew(tokens: Tokens): Promise<Tokens | undefined>;
  /** Makes the refresh token worthless, as far as the provider can be reached. */
  revoke(tokens: Tokens): Promise<void>;
  /** Where the provider ends its own session and sends the browser back; nothing when it has no such place. */
  signOutAddress(idToken: string | undefined): Promise<URL | undefined>;
};

/** A sign-in that did not come to a good end, in one sentence for the person. */
export class SignInRefused extends Error {}

export type IdentityProviderOptions = {
  readonly authority: string;
  readonly clientId: string;
  /** Read when it is needed: in the embedded default the provider makes it while this service starts. */
  readonly clientSecret: () => string;
  /** Origin of this service as browsers see it. */
  readonly origin: string;
  readonly dispatcher: Dispatcher;
  readonly now: () => number;
  readonly log: Log;
};

/** As the command line tool asks: refresh tokens live as long as the session at the provider, not longer. */
const scope = 'openid profile email';
const answerLimitSeconds = 5;
const metadataLifeMs = 3_600_000;
/** For a provider that does not say how long its access tokens live. */
const assumedLifeSeconds = 60;

/** The provider of the given authority. Nothing is asked yet. */
export function createIdentityProvider(options: IdentityProviderOptions): IdentityProvider {
  const redirectUri = `${options.origin}/api/auth/callback`;
  const provider = withMetadata(options);
  return {
    begin: () =>
      provider(async (oidc, configuration) => {
        const checks = {
          state: oidc.randomState(),
          nonce: oidc.randomNonce(),
          codeVerifier: oidc.randomPKCECodeVerifier(),
        };
        const address = oidc.buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope,
          code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
          code_challenge_method: 'S256',
          state: checks.state,
          nonce: checks.nonce,
        });
        return { checks, address };
      }),
    redeem: (callback, { state, nonce, codeVerifier }) =>
      provider(async (oidc, configuration) => {
        const granted = await oidc.authorizationCodeGrant(configuration, callback, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
        });
        const { sub } = granted.claims() ?? {};
        if (sub === undefined || granted.id_token === undefined)
          throw new SignInRefused('The identity provider did not say who you are.');
        return tokensOf(granted, { subject: sub, idToken: granted.id_token }, options.now());
      }),
    renew: (tokens) =>
      provider(async (oidc, configuration) => {
        if (tokens.refreshToken === undefined) return undefined;
        const granted = await oidc.refreshTokenGrant(configuration, tokens.refreshToken).catch((cause: unknown) => {
          if (cause instanceof oidc.ResponseBodyError && cause.error === 'invalid_grant') return undefined;
          throw cause;
        });
        // OpenID Connect Core 12.2: an id token that comes with a refresh is of the same person.
        if (granted === undefined || (granted.claims()?.sub ?? tokens.subject) !== tokens.subject) return undefined;
        return tokensOf(granted, tokens, options.now());
      }),
    async revoke({ refreshToken }) {
      if (refreshToken === undefined) return;
      await provider((oidc, configuration) => oidc.tokenRevocation(configuration, refreshToken)).catch(
        // Whoever signs out is signed out here, whatever the provider says; `provider` has written down why.
        () => undefined,
      );
    },
    signOutAddress: (idToken) =>
      provider(async (oidc, configuration) => {
        if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
        return oidc.buildEndSessionUrl(configuration, {
          post_logout_redirect_uri: `${options.origin}/`,
          ...(idToken === undefined ? {} : { id_token_hint: idToken }),
        });
      }),
  };
}

type Ask = <T>(ask: (oidc: typeof Oidc, configuration: Oidc.Configuration) => Promise<T>) => Promise<T>;

/** Gives each question the library and the provider's metadata, read at most once an hour, and turns failures into ours. */
function withMetadata(options: IdentityProviderOptions): Ask {
  let known: { readonly metadata: Promise<Oidc.Configuration>; readonly untilMs: number } | undefined;
  const forget = (): void => void (known = undefined);
  return async (ask) => {
    // Loaded by the first who signs in: it takes longer to load than the rest of this service.
    const oidc = await import('openid-client');
    if (known === undefined || known.untilMs <= options.now())
      known = { metadata: discover(oidc, options), untilMs: options.now() + metadataLifeMs };
    const configuration = await known.metadata.catch((cause: unknown) => {
      forget();
      throw failure(cause, oidc, options);
    });
    return ask(oidc, configuration).catch((cause: unknown) => {
      // A secret that was replaced is read again with the next question.
      if (isClientRefused(cause, oidc)) forget();
      throw failure(cause, oidc, options);
    });
  };
}

function discover(oidc: typeof Oidc, options: IdentityProviderOptions): Promise<Oidc.Configuration> {
  const customFetch = ((url: string, init: object) =>
    undiciFetch(url, { ...init, dispatcher: options.dispatcher })) as unknown as Oidc.CustomFetch;
  const authority = new URL(options.authority);
  return oidc.discovery(authority, options.clientId, undefined, oidc.ClientSecretBasic(options.clientSecret()), {
    timeout: answerLimitSeconds,
    // Such an authority got through the configuration only for trying out.
    execute: authority.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
    [oidc.customFetch]: customFetch,
  });
}

function failure(cause: unknown, oidc: typeof Oidc, { log }: IdentityProviderOptions): Error {
  if (cause instanceof SignInRefused || cause instanceof Refusal) return cause;
  if (cause instanceof oidc.AuthorizationResponseError) {
    return new SignInRefused(
      cause.error === 'access_denied'
        ? 'The identity provider did not sign you in: it was cancelled, or you may not use Clustral.'
        : `The identity provider did not sign you in (${plain(cause.error)}).`,
    );
  }
  if (cause instanceof oidc.ResponseBodyError && cause.status < 500 && !isClientRefused(cause, oidc))
    return new SignInRefused(`The identity provider took the sign-in back (${plain(cause.error)}).`);
  // Not the error itself: what hangs on it may be an answer with tokens.
  const problem = wordsOf(cause);
  if (cause instanceof oidc.ClientError && wrongAnswers.has(cause.code ?? '')) {
    log.warn({ problem }, 'an answer of the identity provider to a sign-in was refused');
    return new SignInRefused('The answer of the identity provider does not belong to this sign-in.');
  }
  log.warn({ problem }, 'the identity provider could not be asked');
  return new Refusal(
    'UPSTREAM_UNAVAILABLE',
    'The identity provider does not answer as it should. Try again in a few seconds.',
    { retryAfterSeconds: '5' },
  );
}

/** The library's codes for an answer that came and says something wrong (`iss`, `state`, `nonce`, times), not for one that did not come. */
const wrongAnswers: ReadonlySet<string> = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
]);

// Ours is the fault then, not the person's: the client or its secret is not what the provider knows.
function isClientRefused(cause: unknown, oidc: typeof Oidc): boolean {
  if (cause instanceof oidc.WWWAuthenticateChallengeError) return true;
  return cause instanceof oidc.ResponseBodyError && cause.error === 'invalid_client';
}

function wordsOf(cause: unknown): string {
  const { message, cause: inner } = cause as Error;
  return inner instanceof Error ? `${message}: ${inner.message}` : message;
}

const plain = (code: string): string => code.replace(/[^\w.-]/g, '').slice(0, 60);

function tokensOf(
  granted: Oidc.TokenEndpointResponse,
  before: Pick<Tokens, 'subject' | 'idToken' | 'refreshToken'>,
  nowMs: number,
): Tokens {
  const { access_token: accessToken, expires_in: seconds = assumedLifeSeconds } = granted;
  // A provider that does not rotate refresh tokens leaves out the one that stays.
  const refreshToken = granted.refresh_token ?? before.refreshToken;
  return {
    subject: before.subject,
    accessToken,
    ...livesOf(seconds, nowMs),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    idToken: granted.id_token ?? before.idToken,
  };
}
