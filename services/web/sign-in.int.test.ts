/** Signing in and out, against the real identity provider, through the real gateway. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionCookie } from './cookies.ts';
import type { SessionView } from './session-view.ts';
import { openClient, rpc, until, type Client } from './testing/client.ts';
import { openHouse, type House } from './testing/house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house?.stop());

const session = (client: Client) => client.get('/api/auth/session');

describe('signing in', () => {
  it('goes by code, PKCE, state and nonce to the provider and back to the page that was asked for', async () => {
    const client = openClient(house);
    const begun = await client.get('/api/auth/sign-in?returnTo=/audit%3Fq%3D1');
    const address = new URL(begun.headers.get('location') ?? '');
    expect(begun.status).toBe(302);
    expect(address.origin + address.pathname).toBe(`${house.origin}/realms/clustral/protocol/openid-connect/auth`);
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'clustral-web',
      redirect_uri: `${house.origin}/api/auth/callback`,
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const back = await client.signIn('dev', '/audit?q=1');
    expect(back.status).toBe(303);
    expect(back.headers.get('location')).toBe('/audit?q=1');
  });

  it('UI-03 leaves a cookie that no script, no other host and no plain connection gets', async () => {
    const client = openClient(house);
    const cookies = (await client.signIn('dev')).headers.getSetCookie();
    const line = cookies.find((one) => one.startsWith(sessionCookie)) ?? '';
    expect(line).toMatch(/^__Host-clustral-session=[\w-]{43}; /);
    expect(line.toLowerCase().split('; ').slice(1).toSorted()).toEqual([
      'httponly',
      'path=/',
      'samesite=lax',
      'secure',
    ]);
  });

  it('tells who is signed in and nothing that opens anything', async () => {
    const client = openClient(house);
    await client.signIn('admin');
    const answer = await session(client);
    const view = (await answer.json()) as SessionView;
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(view).toEqual({
      user: { id: expect.any(String), email: 'admin@clustral.local', displayName: expect.any(String) },
      roles: expect.arrayContaining(['clustral-admin']),
      isAdmin: true,
      isAuditor: false,
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(Date.parse(view.expiresAt)).toBeGreaterThan(Date.now() + 3_500_000);
    expect(JSON.stringify(view)).not.toMatch(/eyJ/);
  });

  it('is 401 to ask for before and problem+json', async () => {
    const answer = await session(openClient(house));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });
  });

  it('can run in two tabs at once', async () => {
    const client = openClient(house);
    const [first, second] = [await client.untilCallback('dev', '/home'), await client.untilCallback('dev', '/roles')];
    expect((await client.get(first.pathname + first.search)).headers.get('location')).toBe('/home');
    expect((await client.get(second.pathname + second.search)).headers.get('location')).toBe('/roles');
  });

  it('leaves no pile of cookies behind when it is begun again and again', async () => {
    const client = openClient(house);
    for (let time = 0; time < 9; time += 1) await client.get('/api/auth/sign-in');
    expect(client.cookies.size).toBeLessThanOrEqual(4);
  });

  it('sends a person who is signed in from the front page to theirs', async () => {
    const client = openClient(house);
    expect(await (await client.get('/')).text()).toContain('href="/api/auth/sign-in?returnTo=/home"');
    await client.signIn('dev');
    expect((await client.get('/')).headers.get('location')).toBe('/home');
  });
});

describe('UI-06 an address to return to', () => {
  it('that is none of ours lands on the front page', async () => {
    const client = openClient(house);
    for (const returnTo of ['//evil.example', '/%0d%0aset-cookie:x'])
      expect((await client.signIn('dev', returnTo)).headers.get('location')).toBe('/');
  });
});

describe('UI-05 a sign-in', () => {
  it('gives a new session id, whatever id the browser came with', async () => {
    const client = openClient(house);
    const planted = 'A'.repeat(43);
    client.cookies.set(sessionCookie, planted);
    await client.signIn('dev');
    expect(client.cookies.get(sessionCookie)).not.toBe(planted);
    const first = client.cookies.get(sessionCookie) ?? '';
    await client.signIn('dev');
    expect(client.cookies.get(sessionCookie)).not.toBe(first);
    const old = openClient(house);
    old.cookies.set(sessionCookie, first);
    expect((await session(old)).status).toBe(401);
  });

  it.each<[string, (callback: URL, client: Client) => void | Promise<void>]>([
    ['a state that is another', (callback) => callback.searchParams.set('state', 'B'.repeat(43))],
    ['no state', (callback) => callback.searchParams.delete('state')],
    ['two states', (callback) => callback.searchParams.append('state', 'B'.repeat(43))],
    ['the name of another issuer', (callback) => callback.searchParams.set('iss', 'https://evil.example')],
    ['no name of the issuer', (callback) => callback.searchParams.delete('iss')],
    ['a code that nobody was given', (callback) => callback.searchParams.set('code', 'x'.repeat(43))],
    ['an error', (callback) => callback.searchParams.set('error', 'access_denied')],
    ['no cookie of a sign-in', (_callback, client) => client.cookies.clear()],
    [
      'the code of somebody else’s session',
      async (callback, client) => {
        const other = await openClient(house).untilCallback('admin');
        callback.searchParams.set('code', other.searchParams.get('code') ?? '');
        expect(client.cookies.size).toBe(1);
      },
    ],
  ])('that comes back with %s is refused on a page, without a session', async (_what, change) => {
    const client = openClient(house);
    const callback = await client.untilCallback('dev');
    await change(callback, client);
    const answer = await client.get(callback.pathname + callback.search);
    const text = await answer.text();
    expect(answer.status, text).toBe(400);
    expect(text).toContain('You are not signed in');
    expect(text).not.toContain('evil.example');
    expect(client.cookies.has(sessionCookie)).toBe(false);
    expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
  });

  it('that comes back a second time is refused, even with the cookies of the first time', async () => {
    const client = openClient(house);
    const callback = await client.untilCallback('dev');
    const before = new Map(client.cookies);
    expect((await client.get(callback.pathname + callback.search)).status).toBe(303);
    const replay = openClient(house);
    for (const [name, value] of before) replay.cookies.set(name, value);
    expect((await replay.get(callback.pathname + callback.search)).status).toBe(400);
    expect(replay.cookies.has(sessionCookie)).toBe(false);
  });

  it('of a person who was disabled ends on a page that says so', async () => {
    house.disabled.add('dev');
    const client = openClient(house);
    const answer = await client.signIn('dev');
    house.disabled.delete('dev');
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('An administrator has disabled your account.');
    expect(client.cookies.has(sessionCookie)).toBe(false);
  });
});

describe('UI-07 signing out', () => {
  it('ends the session on the server: a copy of the cookie is worth nothing', async () => {
    const client = openClient(house);
    await client.signIn('dev');
    const copy = openClient(house);
    copy.cookies.set(sessionCookie, client.cookies.get(sessionCookie) ?? '');
    expect((await session(copy)).status).toBe(200);
    const answer = await client.post('/api/auth/sign-out');
    expect(await answer.json()).toEqual({ location: '/api/auth/signed-out' });
    expect(client.cookies.has(sessionCookie)).toBe(false);
    expect((await session(copy)).status).toBe(401);
    expect((await rpc(copy, 'UserService/GetMe')).status).toBe(401);
  });

  it('goes on to the provider, which ends its session and sends the browser back', async () => {
    const client = openClient(house);
    await client.signIn('dev');
    await client.post('/api/auth/sign-out');
    const leaving = await client.get('/api/auth/signed-out');
    const address = new URL(leaving.headers.get('location') ?? '');
    expect(address.pathname).toBe('/realms/clustral/protocol/openid-connect/logout');
    expect(address.searchParams.get('post_logout_redirect_uri')).toBe(`${house.origin}/`);
    expect(address.searchParams.get('id_token_hint')).toMatch(/^eyJ/);
    expect((await client.get('/api/auth/signed-out')).headers.get('location')).toBe('/');
  });

  it('ends the kubeconfig credentials that were issued in the session, and no others', async () => {
    const { controlPlane } = house;
    const otherwise = controlPlane.answer;
    controlPlane.answer = (request, response) => {
      if (!request.url?.endsWith('/IssueCredential')) return otherwise(request, response);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ credentialId: 'credential-of-the-browser', token: 'once' }));
    };
    const client = openClient(house);
    await client.signIn('dev');
    expect(await (await rpc(client, 'CredentialService/IssueCredential', { clusterId: 'c' })).json()).toMatchObject({
      token: 'once',
    });
    // Signing in again in the same browser leaves nothing behind.
    await client.signIn('dev');
    controlPlane.requests.length = 0;
    await client.post('/api/auth/sign-out');
    controlPlane.answer = otherwise;
    const revoked = controlPlane.requests.filter(({ method }) => method === 'DELETE').map(({ url }) => url);
    expect(revoked).toEqual(['/api/v1/auth/credentials/credential-of-the-browser']);
  });

  it('is refused from another site, and harmless without a session', async () => {
    const client = openClient(house);
    await client.signIn('dev');
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: house.origin, 'sec-fetch-site': 'cross-site' },
    ])
      expect((await client.send('/api/auth/sign-out', { method: 'POST', headers })).status).toBe(403);
    expect((await client.get('/api/auth/sign-out')).status).toBe(404);
    expect((await session(client)).status).toBe(200);
    expect(await (await openClient(house).post('/api/auth/sign-out')).json()).toEqual({ location: '/' });
  });
});

describe('a session', () => {
  it('outlives a restart of the service', async () => {
    const client = openClient(house);
    await client.signIn('dev');
    await house.restartWeb();
    expect((await session(client)).status).toBe(200);
  });

  it('leaves neither its id nor a token readable on disk, and no file for others', async () => {
    const client = openClient(house);
    await client.signIn('dev');
    await house.restartWeb();
    const folder = join(house.folder, 'web');
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      expect(statSync(path).mode & 0o077, name).toBe(0);
      const bytes = readFileSync(path);
      expect(bytes.includes(client.cookies.get(sessionCookie) ?? ''), name).toBe(false);
      expect(bytes.includes('eyJ'), name).toBe(false);
    }
    expect(statSync(folder).mode & 0o077).toBe(0);
  });

  it('ends when the person is disabled', async () => {
    const client = openClient(house);
    await client.signIn('auditor');
    house.disabled.add('auditor');
    expect((await session(client)).status).toBe(401);
    house.disabled.delete('auditor');
    expect((await session(client)).status).toBe(401);
  });

  it('ends after a while in which nothing is called', async () => {
    await house.restartWeb({ WEB_SESSION_IDLE_TTL: '1s' });
    const client = openClient(house);
    await client.signIn('dev');
    await until(async () => (await session(client)).status === 401);
    await house.restartWeb();
    expect((await session(client)).status).toBe(401);
  });
});

describe('an identity provider that does not answer', () => {
  it('is told on a page, and nobody who is signed in is sent away', async () => {
    const client = openClient(house);
    await client.signIn('dev');
    await house.restartWeb();
    await house.stopProvider();
    const answer = await openClient(house).get('/api/auth/sign-in');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('The identity provider does not answer as it should.');
    expect((await session(client)).status).toBe(200);
    await house.startProvider();
    expect((await openClient(house).signIn('dev')).status).toBe(303);
  });
});
