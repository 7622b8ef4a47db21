/** The embedded identity provider as its clients meet it: real sockets, real TLS in front, the forms really posted. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider } from './identity-provider.ts';
import { signInWithForm } from './sign-in.ts';
import { authorizationRequest, openRealm, signIn, webClientSecret } from './testing/realm.ts';
import type { Realm } from './testing/realm.ts';

let realm: Realm;
beforeAll(async () => {
  realm = await openRealm();
});
afterAll(() => realm.close());

async function verifyAccessToken(token: string, audience = 'clustral-control-plane') {
  const jwks = await realm.fetch(`${realm.issuer}/protocol/openid-connect/certs`);
  const keys = createLocalJWKSet((await jwks.json()) as Parameters<typeof createLocalJWKSet>[0]);
  return jwtVerify(token, keys, { issuer: realm.issuer, audience, algorithms: ['RS256'] });
}

describe('signing in with code and PKCE', () => {
  it('gives the command line an access token for the control plane that looks like one of Keycloak', async () => {
    const cli = await realm.client('clustral-cli');
    const tokens = await signIn(realm, cli, { username: 'admin', redirectUri: 'http://localhost:51234/any/path' });
    const { payload } = await verifyAccessToken(tokens.access_token);

    expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({ alg: 'RS256', typ: 'JWT' });
    expect(payload).toMatchObject({
      iss: realm.issuer,
      aud: ['clustral-control-plane'],
      azp: 'clustral-cli',
      client_id: 'clustral-cli',
      typ: 'Bearer',
      scope: 'openid profile email',
      preferred_username: 'admin',
      email: 'admin@clustral.local',
      email_verified: true,
      name: 'Admin User',
      groups: ['platform-admins'],
    });
    expect(payload['realm_access']).toEqual({ roles: expect.arrayContaining(['clustral-admin']) });
    expect(payload.sub).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(payload.exp! - payload.iat!).toBe(300);
    expect(payload['auth_time']).toBeTypeOf('number');
    expect(payload.jti).toBeTypeOf('string');
    expect(tokens.claims()).toMatchObject({
      sub: payload.sub,
      aud: 'clustral-cli',
      preferred_username: 'admin',
      email: 'admin@clustral.local',
      email_verified: true,
    });
    expect(tokens.claims()).not.toHaveProperty('realm_access');
  });

  it('gives dev and auditor their own roles and groups', async () => {
    const cli = await realm.client('clustral-cli');
    const [dev, auditor] = await Promise.all(
      ['dev', 'auditor'].map(
        async (username) => (await verifyAccessToken((await signIn(realm, cli, { username })).access_token)).payload,
      ),
    );
    expect(dev).toMatchObject({
      groups: ['developers'],
      realm_access: { roles: ['default-roles-clustral', 'clustral-user'] },
    });
    expect(auditor).toMatchObject({
      groups: [],
      realm_access: { roles: ['default-roles-clustral', 'clustral-auditor'] },
    });
    expect(dev!.sub).not.toBe(auditor!.sub);
  });

  it.each([
    ['in the body', oidc.ClientSecretPost],
    ['in the header', oidc.ClientSecretBasic],
  ])('takes the secret of the dashboard %s', async (_where, method) => {
    const web = await realm.client('clustral-web', method(await webClientSecret(realm)));
    const tokens = await signIn(realm, web, { username: 'dev', redirectUri: realm.webCallback });
    expect((await verifyAccessToken(tokens.access_token)).payload['azp']).toBe('clustral-web');
  });

  it('refuses the dashboard without its secret', async () => {
    const web = await realm.client('clustral-web', oidc.ClientSecretPost('clustral-web-secret'));
    const signedIn = signIn(realm, web, { username: 'dev', redirectUri: realm.webCallback });
    await expect(signedIn).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('marks the tokens of a foreign client with its own audience', async () => {
    const other = await realm.client('someone-else');
    const { access_token: token } = await signIn(realm, other, { username: 'admin' });
    await expect(verifyAccessToken(token)).rejects.toMatchObject({ code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' });
    expect((await verifyAccessToken(token, 'someone-else')).payload['azp']).toBe('someone-else');
  });

  it('gives a foreign client no token for the control plane, even when it asks for that audience', async () => {
    const other = await realm.client('someone-else');
    const parameters = { resource: 'urn:clustral:audience:clustral-control-plane' };
    await expect(signIn(realm, other, { username: 'admin', parameters })).rejects.toMatchObject({
      error: 'invalid_target',
    });
  });
});

describe('refusing a sign-in', () => {
  it('says that the name or the password is wrong, the same for both', async () => {
    const cli = await realm.client('clustral-cli');
    for (const attempt of [
      { username: 'dev', password: 'wrong' },
      { username: 'nobody', password: 'nobody' },
    ]) {
      await expect(signIn(realm, cli, attempt)).rejects.toThrow('User name or password is wrong.');
    }
  });

  it('sends the person back with an error when the request has no PKCE challenge', async () => {
    const cli = await realm.client('clustral-cli');
    const { url } = await authorizationRequest(cli);
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    const back = await signInWithForm({ authorizationUrl: url, username: 'dev', password: 'dev', ca: realm.ca });
    expect(back.searchParams.get('error')).toBe('invalid_request');
    expect(back.searchParams.get('code')).toBeNull();
  });

  it('refuses the wrong verifier, and the code is then spent', async () => {
    const cli = await realm.client('clustral-cli');
    const { url, checks } = await authorizationRequest(cli);
    const back = await signInWithForm({ authorizationUrl: url, username: 'dev', password: 'dev', ca: realm.ca });
    const wrong = { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() };
    await expect(oidc.authorizationCodeGrant(cli, back, wrong)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it.each([
    'http://192.0.2.1/callback',
    'https://127.0.0.1/callback',
    'http://localhost.example/callback',
    'http://localhost@192.0.2.1/',
  ])('shows a page instead of going to %s', async (redirectUri) => {
    const { url } = await authorizationRequest(await realm.client('clustral-cli'), { redirectUri });
    const answer = await realm.fetch(url.href, { redirect: 'manual' });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('This sign-in cannot go back');
  });
});

describe('what the provider says about itself', () => {
  it('names the issuer whatever Host and the forwarding headers say', async () => {
    const answer = await fetch(`${realm.provider().url}/.well-known/openid-configuration`, {
      headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', forwarded: 'host=evil.example' },
    });
    const document = (await answer.json()) as Record<string, unknown>;
    const addresses = Object.entries(document).filter(([name]) => /_endpoint$|_uri$|^issuer$/.test(name));
    expect(addresses.length).toBeGreaterThanOrEqual(8);
    for (const [, address] of addresses) expect(String(address).startsWith(realm.issuer)).toBe(true);
    expect(document).toMatchObject({
      authorization_endpoint: `${realm.issuer}/protocol/openid-connect/auth`,
      token_endpoint: `${realm.issuer}/protocol/openid-connect/token`,
      jwks_uri: `${realm.issuer}/protocol/openid-connect/certs`,
      userinfo_endpoint: `${realm.issuer}/protocol/openid-connect/userinfo`,
      end_session_endpoint: `${realm.issuer}/protocol/openid-connect/logout`,
      device_authorization_endpoint: `${realm.issuer}/protocol/openid-connect/auth/device`,
    });
  });

  it('publishes no private part of its key', async () => {
    const jwks = await (await realm.fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text();
    expect(JSON.parse(jwks)).toEqual({ keys: [expect.objectContaining({ kty: 'RSA', alg: 'RS256', use: 'sig' })] });
    expect(jwks).not.toMatch(/"(?:d|p|q|dp|dq|qi)"/);
  });

  it('says loudly that it is for trying out only, and prints no notice of its library', () => {
    expect(realm.warnings.filter((line) => line.includes('FOR TRYING OUT ONLY')).length).toBeGreaterThanOrEqual(1);
    expect(realm.warnings.filter((line) => !line.includes('FOR TRYING OUT ONLY'))).toEqual([]);
  });

  it('answers nothing outside the path of the issuer', async () => {
    const answer = await realm.fetch(new URL('/realms/clustralx/device', realm.issuer).href);
    expect(answer.status).toBe(404);
  });
});

describe('starting', () => {
  it('is refused in production, with a sentence that says what to do', async () => {
    const start = startIdentityProvider({
      issuer: realm.issuer,
      dataFolder: join(realm.dataFolder, 'never'),
      webRedirectUris: [realm.webCallback],
      environment: { CLUSTRAL_ENV: 'production' },
    });
    await expect(start).rejects.toThrow(/does not run with CLUSTRAL_ENV=production.*OIDC_AUTHORITY/);
    await expect(stat(join(realm.dataFolder, 'never'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([
    ['an issuer with a slash at its end', { issuer: 'https://localhost:8443/realms/clustral/' }, /no slash at its end/],
    ['a host that is not loopback', { listenHost: '0.0.0.0' as '127.0.0.1' }, /listens on loopback only/],
    ['a callback that is no web address', { webRedirectUris: ['nonsense'] }, /invalid_redirect_uri/],
  ])('is refused with %s', async (_what, wrong, message) => {
    const options = { issuer: realm.issuer, webRedirectUris: [realm.webCallback], environment: {}, ...wrong };
    await expect(startIdentityProvider({ ...options, dataFolder: join(realm.dataFolder, 'x') })).rejects.toThrow(
      message,
    );
  });

  it('keeps its folder and files to the user who started it', async () => {
    const modes = await Promise.all(
      ['.', 'identity-provider.sqlite', 'identity-provider.sqlite-wal', 'web-client-secret'].map(
        async (name) => (await stat(join(realm.dataFolder, name))).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o700, 0o600, 0o600, 0o600]);
  });

  it('stores no password, only a salted hash', async () => {
    const bytes = await readFile(join(realm.dataFolder, 'identity-provider.sqlite'), 'latin1');
    expect(bytes).not.toContain('"password"');
  });
});
