/** How long a sign-in lasts and what ends it: refresh, rotation, restart, device flow, another person, signing out. */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstForm, openBrowser, saidBy } from './browser.ts';
import type { Browser, Page } from './browser.ts';
import { approveDevice } from './sign-in.ts';
import { authorizationRequest, openRealm, signIn, webClientSecret } from './testing/realm.ts';
import type { Realm } from './testing/realm.ts';

let realm: Realm;
let cli: oidc.Configuration;
beforeAll(async () => {
  realm = await openRealm();
  cli = await realm.client('clustral-cli');
});
afterAll(() => realm.close());

const refusedGrant = { error: 'invalid_grant' };

describe('refreshing', () => {
  it('gives a new refresh token each time and keeps person, session and time of sign-in', async () => {
    const first = await signIn(realm, cli, { username: 'dev' });
    const second = await oidc.refreshTokenGrant(cli, first.refresh_token!);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    const [before, after] = [decodeJwt(first.access_token), decodeJwt(second.access_token)];
    expect(after).toMatchObject({
      sub: before.sub,
      sid: before['sid'],
      auth_time: before['auth_time'],
      azp: 'clustral-cli',
    });
    expect(after.jti).not.toBe(before.jti);
    expect(second.claims()?.['preferred_username']).toBe('dev');
  });

  it('ends the session of a refresh token that is used twice', async () => {
    const first = await signIn(realm, cli, { username: 'dev' });
    const second = await oidc.refreshTokenGrant(cli, first.refresh_token!);
    await expect(oidc.refreshTokenGrant(cli, first.refresh_token!)).rejects.toMatchObject(refusedGrant);
    await expect(oidc.refreshTokenGrant(cli, second.refresh_token!)).rejects.toMatchObject(refusedGrant);
  });

  it('goes on after a restart, with the same key', async () => {
    const before = await signIn(realm, cli, { username: 'admin' });
    await realm.restart();
    const after = await oidc.refreshTokenGrant(cli, before.refresh_token!);
    expect(decodeProtectedHeader(after.access_token).kid).toBe(decodeProtectedHeader(before.access_token).kid);
    expect(decodeJwt(after.access_token).sub).toBe(decodeJwt(before.access_token).sub);
  });

  it('is over once the refresh token is revoked', async () => {
    const { refresh_token: token } = await signIn(realm, cli, { username: 'dev' });
    await oidc.tokenRevocation(cli, token!);
    await expect(oidc.refreshTokenGrant(cli, token!)).rejects.toMatchObject(refusedGrant);
  });
});

describe('the userinfo endpoint', () => {
  it('takes an access token for the control plane, and no id token', async () => {
    const tokens = await signIn(realm, cli, { username: 'auditor' });
    const { sub } = tokens.claims()!;
    expect(await oidc.fetchUserInfo(cli, tokens.access_token, sub)).toMatchObject({
      sub,
      email: 'auditor@clustral.local',
    });
    await expect(oidc.fetchUserInfo(cli, tokens.id_token!, sub)).rejects.toThrow();
  });
});

describe('connecting a device', () => {
  async function initiate(): Promise<{ device: oidc.DeviceAuthorizationResponse; verifier: string }> {
    const verifier = oidc.randomPKCECodeVerifier();
    const device = await oidc.initiateDeviceAuthorization(cli, {
      scope: 'openid',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return { device: { ...device, interval: 0.05 }, verifier };
  }

  it('signs the person in on the device after code, confirmation and password', async () => {
    const { device, verifier } = await initiate();
    expect(device.verification_uri_complete).toBe(`${realm.issuer}/device?user_code=${device.user_code}`);
    const said = await approveDevice({
      verificationUriComplete: device.verification_uri_complete!,
      username: 'admin',
      password: 'admin',
      ca: realm.ca,
    });
    expect(said).toBe('The device is connected');
    const tokens = await oidc.pollDeviceAuthorizationGrant(cli, device, { code_verifier: verifier });
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      preferred_username: 'admin',
      aud: ['clustral-control-plane'],
    });
    expect((await oidc.refreshTokenGrant(cli, tokens.refresh_token!)).access_token).toBeTypeOf('string');
  });

  it('refuses a poll with another verifier', async () => {
    const { device } = await initiate();
    await approveDevice({
      verificationUriComplete: device.verification_uri_complete!,
      username: 'dev',
      password: 'dev',
      ca: realm.ca,
    });
    const stolen = oidc.pollDeviceAuthorizationGrant(cli, device, { code_verifier: oidc.randomPKCECodeVerifier() });
    await expect(stolen).rejects.toMatchObject(refusedGrant);
  });

  it('wants PKCE from the start, as Keycloak does of a client that must use it', async () => {
    await expect(oidc.initiateDeviceAuthorization(cli, { scope: 'openid' })).rejects.toMatchObject({
      error: 'invalid_request',
      error_description: expect.stringContaining('code_challenge_method'),
    });
  });

  it('tells of a code that does not exist', async () => {
    const verificationUriComplete = `${realm.issuer}/device?user_code=BBBB-BBBB`;
    const approval = approveDevice({ verificationUriComplete, username: 'dev', password: 'dev', ca: realm.ca });
    await expect(approval).rejects.toThrow('There is no such code.');
  });

  it('tells the device when the person stops it', async () => {
    const { device, verifier } = await initiate();
    const browser = openBrowser({ ca: realm.ca });
    const codePage = await browser.get(new URL(device.verification_uri_complete!));
    const confirmPage = await post(browser, codePage);
    const stopped = await post(browser, confirmPage, { abort: 'yes' });
    expect(saidBy(stopped)).toBe('Stopped: the device was not connected.');
    await expect(oidc.pollDeviceAuthorizationGrant(cli, device, { code_verifier: verifier })).rejects.toMatchObject({
      error: 'access_denied',
    });
    await browser.close();
  });
});

describe('one browser, one session', () => {
  it('signs the second application in without asking again, until the person signs out', async () => {
    const web = await realm.client('clustral-web', oidc.ClientSecretPost(await webClientSecret(realm)));
    const browser = openBrowser({ ca: realm.ca });
    const { tokens } = await browse(browser, web, { username: 'dev', redirectUri: realm.webCallback });
    const again = await browse(browser, cli, {});
    expect(again.asked).toBe(false);
    expect(decodeJwt(again.tokens.access_token)['preferred_username']).toBe('dev');

    const bye = oidc.buildEndSessionUrl(web, {
      id_token_hint: tokens.id_token!,
      post_logout_redirect_uri: `${new URL(realm.issuer).origin}/`,
      state: 'bye',
    });
    const signedOut = await browser.get(bye);
    expect(signedOut.location?.href).toBe(`${new URL(realm.issuer).origin}/?state=bye`);
    await expect(oidc.refreshTokenGrant(web, tokens.refresh_token!)).rejects.toMatchObject(refusedGrant);
    await expect(oidc.refreshTokenGrant(cli, again.tokens.refresh_token!)).rejects.toMatchObject(refusedGrant);
    expect((await browser.get(bye)).location?.href).toBe(signedOut.location?.href);
    await browser.close();
  });

  it('asks before it signs out on a link without a hint', async () => {
    const browser = openBrowser({ ca: realm.ca });
    await browse(browser, cli, { username: 'dev' });
    const question = await browser.get(new URL(`${realm.issuer}/protocol/openid-connect/logout`));
    expect(saidBy(question)).toBe('Sign out?');
    const answer = await post(browser, question);
    expect(saidBy(await browser.get(answer.location!))).toBe('You are signed out');
    expect((await browser.get((await authorizationRequest(cli)).url)).location?.pathname).toContain('/login-actions/');
    await browser.close();
  });

  it('lets another person sign in when the application asks for a sign-in', async () => {
    const browser = openBrowser({ ca: realm.ca });
    const dev = await browse(browser, cli, { username: 'dev' });
    const admin = await browse(browser, cli, { username: 'admin', parameters: { prompt: 'login' } });
    expect(decodeJwt(admin.tokens.access_token)['preferred_username']).toBe('admin');
    await expect(oidc.refreshTokenGrant(cli, dev.tokens.refresh_token!)).rejects.toMatchObject(refusedGrant);
    await browser.close();
  });

  it('keeps an offline session after signing out', async () => {
    const browser = openBrowser({ ca: realm.ca });
    const parameters = { scope: 'openid offline_access', prompt: 'consent' };
    const { tokens } = await browse(browser, cli, { username: 'dev', parameters });
    await browser.get(oidc.buildEndSessionUrl(cli, { id_token_hint: tokens.id_token! }));
    expect((await oidc.refreshTokenGrant(cli, tokens.refresh_token!)).access_token).toBeTypeOf('string');
    await browser.close();
  });

  it('sends the person back at once when they cancel', async () => {
    const browser = openBrowser({ ca: realm.ca });
    const loginPage = await follow(browser, await browser.get((await authorizationRequest(cli)).url));
    const back = await follow(browser, await post(browser, loginPage, { cancel: 'yes' }));
    expect(back.location?.searchParams.get('error')).toBe('access_denied');
    await browser.close();
  });
});

type Visit = { username?: string; redirectUri?: string; parameters?: Record<string, string> };

/** One authorization in a browser that keeps its cookies. */
async function browse(browser: Browser, client: oidc.Configuration, visit: Visit) {
  const { url, checks } = await authorizationRequest(client, visit);
  let page = await follow(browser, await browser.get(url));
  const asked = page.location === undefined;
  if (asked)
    page = await follow(browser, await post(browser, page, { username: visit.username!, password: visit.username! }));
  return { asked, tokens: await oidc.authorizationCodeGrant(client, page.location!, checks) };
}

/** Follows redirects within the provider; stops at a page or at the way out. */
async function follow(browser: Browser, page: Page): Promise<Page> {
  let current = page;
  while (current.location?.href.startsWith(`${realm.issuer}/`)) current = await browser.get(current.location);
  return current;
}

function post(browser: Browser, page: Page, fields: Record<string, string> = {}): Promise<Page> {
  const form = firstForm(page)!;
  const chosen = Object.keys(fields).some((name) => ['cancel', 'abort'].includes(name));
  const given = chosen ? [...form.fields].filter(([name]) => form.inputs.has(name)) : [...form.fields];
  return browser.post(form.action, new Map([...given, ...Object.entries(fields)]));
}
