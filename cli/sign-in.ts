/**
 * Signing in: authorization code with PKCE on a loopback port, or the device flow, with PKCE too (providers may demand it). State, nonce and issuer
 * are checked by openid-client; the listener is bound before anything is printed or opened (ID-10).
 */
import * as oidc from 'openid-client';
import { listenForCallback, type CallbackListener } from './callback-listener.ts';
import type { CliContext } from './context.ts';
import { CliError, exitCodes } from './failure.ts';
import { accountOf, discoverProvider, granted, webAddress, type Installation } from './identity-provider.ts';
import type { Account } from './profile.ts';
import { paint } from './style.ts';
import { span, visible } from './text.ts';

const waitLimitMs = 180_000;
const longestDeviceWaitSeconds = 900;

export type SignInOptions = {
  readonly context: CliContext;
  readonly installation: Installation;
  readonly openBrowser: boolean;
  /** Has the provider ask again although the browser is signed in there: the way to another account. */
  readonly askAnew?: boolean;
  /** Who is expected, for the provider's form. */
  readonly expected?: string | undefined;
};

/** Signs in with a browser: prints the address, opens it if asked to, waits for the callback at most three minutes. */
export async function signInWithBrowser(options: SignInOptions): Promise<Account> {
  const provider = await discoverProvider(options.installation);
  const listener = await listenForCallback();
  try {
    return await throughListener(options, provider, listener);
  } finally {
    listener.close();
  }
}

async function throughListener(
  { context, installation, openBrowser, askAnew, expected }: SignInOptions,
  provider: oidc.Configuration,
  listener: CallbackListener,
): Promise<Account> {
  const { server, discovery } = installation;
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier,
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    idTokenExpected: true,
  };
  const built = oidc.buildAuthorizationUrl(provider, {
    redirect_uri: listener.redirectUri,
    scope: discovery.oidcScopes.join(' '),
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...(askAnew ? { prompt: 'login' } : {}),
    ...(expected === undefined ? {} : { login_hint: expected }),
  });
  const url = webAddress(built.href, installation);
  context.stderr.write(
    `To sign in to ${server}, open this address in a browser within three minutes:\n\n  ${url.href}\n\n`,
  );
  if (openBrowser) await open(context, url);
  const late = new CliError(
    exitCodes.signInNeeded,
    'nobody signed in within three minutes',
    `clustral login ${server}`,
  );
  const callback = await listener.wait({ state: checks.expectedState, limitMs: waitLimitMs, late });
  try {
    const tokens = await granted(oidc.authorizationCodeGrant(provider, callback.url, checks));
    const account = accountOf(tokens, { server, now: context.now() });
    const text = `You are ${account.displayName} on ${server}. You may close this page and go back to the terminal.`;
    await callback.tell({ ok: true, title: 'Signed in', text });
    return account;
  } catch (cause) {
    await callback.tell({ ok: false, title: 'Not signed in', text: `${(cause as Error).message}.` });
    throw cause;
  }
}

/** Signs in with the device flow (RFC 8628): shows a code to be entered elsewhere, polls until it was. */
export async function signInWithDevice({ context, installation }: SignInOptions): Promise<Account> {
  const { server, discovery } = installation;
  const provider = await discoverProvider(installation);
  if (provider.serverMetadata().device_authorization_endpoint === undefined)
    throw new CliError(
      exitCodes.failed,
      'this identity provider has no sign-in by device code',
      `clustral login ${server} --no-browser`,
    );
  const verifier = oidc.randomPKCECodeVerifier();
  const device = await granted(
    oidc.initiateDeviceAuthorization(provider, {
      scope: discovery.oidcScopes.join(' '),
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }),
  );
  showCode(context, device, installation);
  const lifeMs = Math.min(device.expires_in, longestDeviceWaitSeconds) * 1000;
  const signal = AbortSignal.timeout(lifeMs);
  const polled = oidc.pollDeviceAuthorizationGrant(provider, device, { code_verifier: verifier }, { signal });
  const tokens = await granted(
    polled.catch((cause: unknown) => {
      const isLate = signal.aborted || (cause instanceof oidc.ResponseBodyError && cause.error === 'expired_token');
      throw isLate
        ? new CliError(exitCodes.signInNeeded, 'nobody entered the code in time', `clustral login ${server} --device`)
        : cause;
    }),
  );
  return accountOf(tokens, { server, now: context.now() });
}

function showCode(context: CliContext, device: oidc.DeviceAuthorizationResponse, installation: Installation): void {
  const address = webAddress(device.verification_uri, installation);
  const code = paint(context.color.stderr, 'head', visible(device.user_code));
  const life = span(Math.min(device.expires_in, longestDeviceWaitSeconds) * 1000);
  context.stderr.write(
    `To sign in to ${installation.server}, open ${address.href} on any device and enter the code within ${life}\n\n  ${code}\n\n`,
  );
  if (device.verification_uri_complete !== undefined)
    context.stderr.write(`or open ${webAddress(device.verification_uri_complete, installation).href}\n\n`);
}

async function open(context: CliContext, url: URL): Promise<void> {
  const { default: openInBrowser } = await import('open');
  await openInBrowser(url.href).catch(() =>
    context.stderr.write('No browser could be opened: open the address yourself, or use --device.\n'),
  );
}
