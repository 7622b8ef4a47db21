/** What strangers may try at the identity provider: other origins, other browsers, floods, odd requests. */
import { request as plainRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstForm, openBrowser, saidBy } from './browser.ts';
import type { Browser, Page } from './browser.ts';
import { signInWithForm } from './sign-in.ts';
import { authorizationRequest, callback, openRealm } from './testing/realm.ts';
import type { Realm } from './testing/realm.ts';

let realm: Realm;
beforeAll(async () => {
  realm = await openRealm();
});
afterAll(() => realm.close());

/** Straight to the loopback port, past the TLS front, with headers that `fetch` would not send. */
function raw(
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = plainRequest({ host: '127.0.0.1', port: realm.provider().port, path, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

async function openLoginPage(browser: Browser): Promise<Page> {
  const { url } = await authorizationRequest(await realm.client('clustral-cli'));
  const redirect = await browser.get(url);
  return browser.get(redirect.location!);
}

describe('the origin', () => {
  it('is the issuer in the discovery document although Host says otherwise', async () => {
    const answer = await raw('/realms/clustral/.well-known/openid-configuration', { host: 'evil.example' });
    expect(answer.status).toBe(200);
    expect(answer.body).not.toContain('evil.example');
    expect(JSON.parse(answer.body).token_endpoint).toBe(`${realm.issuer}/protocol/openid-connect/token`);
  });

  it('is the issuer in redirects and cookies as well', async () => {
    const { url } = await authorizationRequest(await realm.client('clustral-cli'));
    const answer = await raw(`${url.pathname}${url.search}`, {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
    });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toMatch(/^\/realms\/clustral\/login-actions\//);
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      expect(cookie).toMatch(/^__Secure-idp_/);
      expect(cookie).toMatch(/path=\/realms\/clustral\/.*secure; httponly/i);
      expect(cookie).toMatch(/samesite=lax/i);
    }
  });

  it.each(['http://evil.example/realms/clustral/device', '/realms/clustral', '/'])(
    'has nothing at %s',
    async (path) => {
      expect((await raw(path, {})).status).toBe(404);
    },
  );
});

describe('the login page', () => {
  it('forbids script and framing, and may post to itself and to the callback only', async () => {
    const { url } = await authorizationRequest(await realm.client('clustral-cli'));
    const redirect = await realm.fetch(url.href, { redirect: 'manual' });
    const cookies = redirect.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const page = await realm.fetch(new URL(redirect.headers.get('location')!, url).href, {
      headers: { cookie: cookies },
    });
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`form-action 'self' ${new URL(callback).origin};`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  it('is no use in another browser', async () => {
    const [mine, foreign] = [openBrowser({ ca: realm.ca }), openBrowser({ ca: realm.ca })];
    const form = firstForm(await openLoginPage(mine))!;
    const answer = await foreign.post(
      form.action,
      new Map([
        ['username', 'admin'],
        ['password', 'admin'],
      ]),
    );
    expect(answer.status).toBe(400);
    expect(saidBy(answer)).toBe('This sign-in page is no longer valid');
    await Promise.all([mine.close(), foreign.close()]);
  });

  it('takes no form longer than 8 KiB', async () => {
    const browser = openBrowser({ ca: realm.ca });
    const form = firstForm(await openLoginPage(browser))!;
    const answer = await browser.post(
      form.action,
      new Map([
        ['username', 'dev'],
        ['password', 'x'.repeat(9_000)],
      ]),
    );
    expect(answer.status).toBe(400);
    await browser.close();
  });

  it('shows what somebody typed as text', async () => {
    const browser = openBrowser({ ca: realm.ca });
    const form = firstForm(await openLoginPage(browser))!;
    const answer = await browser.post(
      form.action,
      new Map([
        ['username', '"><b id=x>'],
        ['password', 'x'],
      ]),
    );
    expect(answer.status).toBe(403);
    expect(answer.html).not.toContain('<b id=x>');
    await browser.close();
  });

  it('says how long to wait when there are too many attempts', async () => {
    const browser = openBrowser({ ca: realm.ca });
    const form = firstForm(await openLoginPage(browser))!;
    const guess = (_: unknown, index: number): Promise<Page> =>
      browser.post(
        form.action,
        new Map([
          ['username', 'dev'],
          ['password', `guess ${index}`],
        ]),
      );
    const answers = await Promise.all(Array.from({ length: 24 }, guess));
    const refused = answers.find(({ status }) => status === 429);
    expect(saidBy(refused!)).toMatch(/^Too many attempts\. Try again in \d+ s\.$/);
    await browser.close();
  });
});

describe('pages that do not exist', () => {
  it('are said so, to a person and to a program', async () => {
    const asked = async (accept: string) =>
      (await realm.fetch(`${realm.issuer}/nothing`, { headers: { accept } })).text();
    expect(await asked('text/html')).toContain('There is no such page');
    expect(JSON.parse(await asked('application/json'))).toMatchObject({ error: 'not_found' });
  });
});

describe('signing in by program', () => {
  it('trusts no certificate but the one it was given', async () => {
    const { url } = await authorizationRequest(await realm.client('clustral-cli'));
    await expect(signInWithForm({ authorizationUrl: url, username: 'dev', password: 'dev' })).rejects.toThrow();
  });

  it('wants to know where it will end', async () => {
    const authorizationUrl = `${realm.issuer}/protocol/openid-connect/auth?client_id=clustral-cli`;
    await expect(signInWithForm({ authorizationUrl, username: 'dev', password: 'dev' })).rejects.toThrow(
      'names no redirect_uri',
    );
  });
});
