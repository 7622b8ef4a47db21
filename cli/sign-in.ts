/**
 * Signing in: authorization code with PKCE on a loopback port of the kernel's choice, or the device flow. State, nonce and issuer are checked by
 * openid-client; the listener is bound before anything is printed, takes one callback and answers everything else with 404 (ID-10).
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oidc from 'openid-client';
import { decodeJwt } from 'jose';
import type { CliContext } from './context.ts';
import { CliError, exitCodes } from './failure.ts';
import { fetchWith } from './http.ts';
import type { Account, ProfileConfig } from './profile.ts';
import { visible } from './text.ts';

const waitLimitMs = 180_000;

export type SignInOptions = {
  readonly context: CliContext;
  readonly config: Pick<ProfileConfig, 'server' | 'discovery' | 'caPem'>;
  readonly openBrowser: boolean;
};

/** Signs in with a browser: prints the address, opens it if asked to, waits for the callback at most three minutes. */
export async function signInWithBrowser(options: SignInOptions): Promise<Account> {
  const { context, config } = options;
  const provider = await discoverProvider(config);
  const verifier = oidc.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    idTokenExpected: true,
  };
  const listener = await listen();
  try {
    const { port } = listener.server.address() as AddressInfo;
    const url = oidc.buildAuthorizationUrl(provider, {
      redirect_uri: `http://127.0.0.1:${port}/callback`,
      scope: config.discovery.oidcScopes.join(' '),
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: checks.expectedState,
      nonce: checks.expectedNonce,
    });
    context.stderr.write(`To sign in to ${config.server}, open this address in a browser:\n\n  ${url.href}\n\n`);
    if (options.openBrowser) await openInBrowser(context, url);
    const callback = await listener.callback(checks.expectedState, config.server);
    return accountOf(await grant(oidc.authorizationCodeGrant(provider, callback, checks)), options);
  } finally {
    listener.server.close();
    listener.server.closeAllConnections();
  }
}

/** Signs in with the device flow (RFC 8628): shows a code to be entered elsewhere, polls until it was. */
export async function signInWithDevice(options: SignInOptions): Promise<Account> {
  const { context, config } = options;
  const provider = await discoverProvider(config);
  const verifier = oidc.randomPKCECodeVerifier();
  const device = await grant(
    oidc.initiateDeviceAuthorization(provider, {
      scope: config.discovery.oidcScopes.join(' '),
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }),
  );
  context.stderr.write(
    `To sign in to ${config.server}, open ${visible(device.verification_uri)} on any device and enter the code\n\n  ${visible(device.user_code)}\n\n`,
  );
  if (device.verification_uri_complete)
    context.stderr.write(`or open ${visible(device.verification_uri_complete)}\n\n`);
  const signal = AbortSignal.timeout(Math.min(device.expires_in, 900) * 1000);
  return accountOf(
    await grant(oidc.pollDeviceAuthorizationGrant(provider, device, { code_verifier: verifier }, { signal })),
    options,
  );
}

/** New tokens for an account from its refresh token. Throws exit code 4 when the session has ended at the provider. */
export async function refresh(account: Account, config: ProfileConfig): Promise<Account> {
  if (account.refreshToken === undefined) throw sessionEnded(account);
  const provider = await discoverProvider(config);
  const tokens = await oidc.refreshTokenGrant(provider, account.refreshToken).catch((cause: unknown) => {
    if (cause instanceof oidc.ResponseBodyError) throw sessionEnded(account);
    throw unreachable(cause);
  });
  return { ...account, ...tokenFields(tokens, account) };
}

/** Ends the session at the provider, best effort: revokes the refresh token. Returns whether it did. */
export async function endSession(account: Account, config: ProfileConfig): Promise<boolean> {
  if (account.refreshToken === undefined) return false;
  try {
    await oidc.tokenRevocation(await discoverProvider(config), account.refreshToken);
    return true;
  } catch {
    // Signing out must work without a network; the caller says that the server was not told.
    return false;
  }
}

const sessionEnded = (account: Account): CliError =>
  new CliError(
    exitCodes.signInNeeded,
    `the session of ${account.displayName} on ${account.server} has ended`,
    `clustral login ${account.server}`,
  );

async function discoverProvider(config: SignInOptions['config']): Promise<oidc.Configuration> {
  const issuer = new URL(config.discovery.oidcAuthority);
  const execute = issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
  const options = { execute, [oidc.customFetch]: fetchWith(config.caPem) as unknown as oidc.CustomFetch, timeout: 15 };
  const provider = await oidc
    .discovery(issuer, config.discovery.oidcClientId, undefined, oidc.None(), options)
    .catch((cause: unknown) => {
      throw unreachable(cause);
    });
  provider[oidc.customFetch] = options[oidc.customFetch];
  return provider;
}

const unreachable = (cause: unknown): CliError =>
  new CliError(
    exitCodes.unavailable,
    `the identity provider did not answer as it should: ${visible((cause as Error).message)}`,
    'try again; if it stays, tell the operator',
  );

async function grant<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause: unknown) => {
    const said =
      cause instanceof oidc.AuthorizationResponseError || cause instanceof oidc.ResponseBodyError
        ? (cause.error_description ?? cause.error)
        : (cause as Error).message;
    throw new CliError(
      exitCodes.signInNeeded,
      `the identity provider refused the sign-in: ${visible(said)}`,
      'try again',
    );
  });
}

function accountOf(
  tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
  { config, context }: SignInOptions,
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
  const displayName = text('email') ?? text('preferred_username') ?? claims.sub;
  const base = {
    server: config.server,
    issuer: claims.iss,
    subject: claims.sub,
    displayName,
    name: text('name') ?? displayName,
    signedInAt: context.now().toISOString(),
  };
  return { ...base, ...tokenFields(tokens, undefined) };
}

function tokenFields(
  tokens: oidc.TokenEndpointResponse,
  before: Account | undefined,
): Pick<Account, 'accessToken' | 'accessTokenExpiresAt'> & Partial<Account> {
  const { exp } = decodeJwt(tokens.access_token);
  const refreshToken = tokens.refresh_token ?? before?.refreshToken;
  const idToken = tokens.id_token ?? before?.idToken;
  return {
    accessToken: tokens.access_token,
    accessTokenExpiresAt: new Date((exp ?? 0) * 1000).toISOString(),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(idToken === undefined ? {} : { idToken }),
  };
}

async function openInBrowser(context: CliContext, url: URL): Promise<void> {
  const { default: open } = await import('open');
  await open(url.href).catch(() => context.stderr.write('No browser could be opened: open the address yourself.\n'));
}

type Listener = { readonly server: Server; callback(state: string, serverName: string): Promise<URL> };

async function listen(): Promise<Listener> {
  const got = Promise.withResolvers<URL>();
  let expected: { state: string; serverName: string } | undefined;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const isCallback = request.method === 'GET' && url.pathname === '/callback' && request.headers.host === url.host;
    if (!isCallback || url.searchParams.get('state') !== expected?.state) {
      response.writeHead(isCallback ? 400 : 404, plain).end('This is not the answer that clustral waits for.\n');
      return;
    }
    const refused = url.searchParams.has('error');
    const sentence = refused
      ? 'The sign-in was refused; clustral says why.'
      : `Signed in to ${expected.serverName}. You may close this page.`;
    response.writeHead(refused ? 400 : 200, plain).end(`${sentence}\n`, () => got.resolve(url));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    server,
    async callback(state, serverName) {
      expected = { state, serverName };
      const timer = setTimeout(
        () =>
          got.reject(
            new CliError(exitCodes.signInNeeded, 'nobody signed in within three minutes', 'run clustral login again'),
          ),
        waitLimitMs,
      );
      return got.promise.finally(() => clearTimeout(timer));
    },
  };
}

const plain = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  connection: 'close',
};
