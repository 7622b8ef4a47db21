/** A running identity provider behind a TLS front in a folder of its own, and clients of openid-client for it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as oidc from 'openid-client';
import { Agent, fetch as undiciFetch } from 'undici';
import { startIdentityProvider } from '../identity-provider.ts';
import type { IdentityProvider } from '../identity-provider.ts';
import { signInWithForm } from '../sign-in.ts';
import { openTlsFront } from './tls-front.ts';

export const callback = 'http://127.0.0.1:9/callback';

export type Realm = {
  readonly issuer: string;
  readonly ca: string;
  readonly dataFolder: string;
  readonly warnings: readonly string[];
  readonly fetch: typeof globalThis.fetch;
  provider(): IdentityProvider;
  restart(): Promise<void>;
  client(clientId: string, authentication?: oidc.ClientAuth): Promise<oidc.Configuration>;
  webCallback: string;
  close(): Promise<void>;
};

export async function openRealm(): Promise<Realm> {
  const front = await openTlsFront();
  const dataFolder = join(await mkdtemp(join(tmpdir(), 'clustral-idp-')), 'idp');
  const issuer = `${front.origin}/realms/clustral`;
  const webCallback = `${front.origin}/api/auth/callback`;
  const warnings: string[] = [];
  const agent = new Agent({ connect: { ca: front.ca } });
  const fetch = ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher: agent })) as never;
  const start = async (): Promise<IdentityProvider> => {
    const started = await startIdentityProvider({
      issuer,
      dataFolder,
      webRedirectUris: [webCallback],
      environment: {},
      warn: (line) => warnings.push(line),
    });
    front.forwardTo(started.port);
    return started;
  };
  let running = await start();
  return {
    issuer,
    ca: front.ca,
    dataFolder,
    warnings,
    fetch,
    webCallback,
    provider: () => running,
    async restart() {
      await running.stop();
      running = await start();
    },
    client: (clientId, authentication = oidc.None()) =>
      oidc.discovery(new URL(issuer), clientId, undefined, authentication, { [oidc.customFetch]: fetch }),
    async close() {
      await running.stop();
      await agent.close();
      await front.close();
      await rm(join(dataFolder, '..'), { recursive: true, force: true });
    },
  };
}

export function webClientSecret(realm: Realm): Promise<string> {
  return readFile(join(realm.dataFolder, 'web-client-secret'), 'utf8');
}

export type SignIn = {
  readonly username: string;
  readonly password?: string;
  readonly redirectUri?: string;
  readonly parameters?: Readonly<Record<string, string>>;
};

/** Code + PKCE through the login form, as the command line does it. */
export async function signIn(
  realm: Realm,
  client: oidc.Configuration,
  person: SignIn,
): ReturnType<typeof oidc.authorizationCodeGrant> {
  const request = await authorizationRequest(client, person);
  const back = await signInWithForm({
    authorizationUrl: request.url,
    username: person.username,
    password: person.password ?? person.username,
    ca: realm.ca,
  });
  return oidc.authorizationCodeGrant(client, back, request.checks);
}

export async function authorizationRequest(
  client: oidc.Configuration,
  { redirectUri = callback, parameters }: Pick<SignIn, 'redirectUri' | 'parameters'> = {},
): Promise<{ url: URL; checks: oidc.AuthorizationCodeGrantChecks }> {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(client, {
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...parameters,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce } };
}
