/** What a real browser sees of the dashboard's server: headless Chromium against the whole product. */
import type { Page } from 'playwright';
import { Agent, fetch as undiciFetch } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signInWithForm } from '../../embedded/identity-provider/sign-in.ts';
import { complaintsOf, signInAt } from '../parts/browser.ts';
import {
  asking,
  calling,
  callOf,
  callPath,
  openStage,
  sessionCookie,
  sessionCookieOf,
  type Stage,
} from '../parts/dashboard.ts';
import { processesOf, until, type Product } from '../parts/product.ts';
import type { StrangeSite } from '../parts/strange-site.ts';

let stage: Stage;
let product: Product;
let strange: StrangeSite;
const newPage = (): Promise<Page> => stage.newPage();
const pageOf = (username: string): Promise<Page> => stage.pageOf(username);

beforeAll(async () => {
  stage = await openStage();
  ({ product, strange } = stage);
});
afterAll(() => stage?.stop());
afterEach(() => stage.clear());

describe('signing in', () => {
  it('leads from the front page through the provider to the dashboard, which knows who came', async () => {
    const page = await newPage();
    const complaints = complaintsOf(page);
    await signInAt(page, product, { username: 'dev' });
    expect(new URL(page.url()).pathname).toBe('/home');
    await page.locator('#who', { hasText: 'dev@clustral.local' }).waitFor();
    // A style that the policy let in.
    expect(await page.evaluate("getComputedStyle(document.getElementById('who')).color")).toBe('rgb(1, 2, 3)');
    await page.goto(product.url);
    expect(new URL(page.url()).pathname).toBe('/home');
    expect(complaints).toEqual([]);
  });

  it('leads back to the page that was asked for', async () => {
    const page = await newPage();
    await signInAt(page, product, { username: 'dev', path: '/api/auth/sign-in?returnTo=%2Faudit%3Fq%3Dx' });
    expect(page.url()).toBe(`${product.url}/audit?q=x`);
  });

  it('lasts when the web service is killed and started again', async () => {
    const page = await pageOf('dev');
    process.kill(processesOf(product).get('gateway') ?? 0, 'SIGKILL');
    await until(async () => (await asking(page, '/api/auth/session').catch(() => undefined))?.status === 200, {
      limitMs: 20_000,
      what: () => 'the session after a restart',
    });
  });
});

describe('the live stream', () => {
  it('speaks at once, through all that stands between, and ends with the session', async () => {
    const page = await pageOf('admin');
    // One enveloped message of the Connect protocol: flags, length, JSON.
    await page.evaluate(`globalThis.watching = fetch('${callPath('SystemService/Watch')}', {
      method: 'POST',
      headers: { 'content-type': 'application/connect+json' },
      body: new Uint8Array([0, 0, 0, 0, 2, 123, 125]),
    }).then((answer) => answer.body.getReader())`);
    // Flags of nothing: a message, and not the end of the stream with a reason.
    expect(await page.evaluate('watching.then((reader) => reader.read()).then(({ value }) => value[0])')).toBe(0);
    // Asked for before the end comes, so that it is the end that answers.
    await page.evaluate(`void (globalThis.ended = watching.then(async (reader) => {
      for (;;) if ((await reader.read()).done) return 'done';
    }).catch(() => 'cut'))`);
    expect((await asking(page, '/api/auth/sign-out', { method: 'POST' })).status).toBe(200);
    expect(await page.evaluate('globalThis.ended')).toBe('cut');
  });
});

describe('UI-02 every page', () => {
  it('comes with the headers that keep it to itself', async () => {
    const page = await pageOf('dev');
    for (const path of ['/home', '/clusters/prod', '/errors/', '/errors/forbidden', '/nothing']) {
      const headers = (await page.goto(`${product.url}${path}`))?.headers() ?? {};
      const policy = headers['content-security-policy'] ?? '';
      for (const rule of ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"])
        expect(policy, path).toContain(rule);
      expect(policy, path).not.toContain('unsafe');
      expect(headers, path).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    }
    await page.goto(`${product.url}/home`);
    expect((await asking(page, '/api/auth/session')).caching).toBe('no-store');
    expect((await calling(page, 'UserService/GetMe')).caching).toBe('no-store');
  });

  it('runs no script but the files of the dashboard, and asks nobody else', async () => {
    const page = await pageOf('dev');
    await page.evaluate(`(async () => {
      const inline = document.createElement('script');
      inline.textContent = 'globalThis.ran = "inline"';
      const foreign = document.createElement('script');
      foreign.src = '${strange.crossSite}/stolen.js';
      const holder = document.createElement('div');
      holder.innerHTML = '<img src="${strange.crossSite}/stolen.png" onerror="globalThis.ran = 1"><a href="javascript:globalThis.ran = 2">x</a>';
      document.body.append(inline, foreign, holder);
      holder.querySelector('a').click();
      await fetch('${strange.crossSite}/stolen', { mode: 'no-cors' }).catch(() => undefined);
    })()`);
    expect(await page.evaluate('globalThis.ran')).toBeUndefined();
    expect(strange.visits).toEqual([]);
  });

  it('stands in no frame of another', async () => {
    const page = await pageOf('dev');
    await page.goto(`${strange.sameSite}/frame?target=${product.url}/home`);
    await until(async () => (await page.title()) === 'framed', { limitMs: 5_000, what: () => 'the frame' });
    expect(page.frames()).toHaveLength(2);
    expect(page.frames().map((frame) => frame.url())).not.toContain(`${product.url}/home`);
  });
});

describe('UI-03 a script', () => {
  it('finds no token: not in cookies, not in storage, not in what the server sends', async () => {
    const page = await newPage();
    const bodies: string[] = [];
    page.on('response', (response) => {
      if (response.url().startsWith(product.url) && !response.url().includes('/realms/'))
        void response.text().then(
          (text) => bodies.push(text),
          () => undefined,
        );
    });
    await signInAt(page, product, { username: 'admin' });
    await page.locator('#who', { hasText: '@' }).waitFor();
    expect((await calling(page, 'UserService/GetMe')).status).toBe(200);
    expect((await calling(page, 'CredentialService/ListCredentials')).status).toBe(200);
    const seen = await page.evaluate<string>(
      'JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML, location.href])',
    );
    // Every JWT begins so.
    for (const text of [seen, ...bodies]) expect(text).not.toContain('eyJ');
    expect(await page.evaluate('document.cookie')).toBe('');
    const cookies = await page.context().cookies(product.url);
    const ours = cookies.filter(({ name }) => name.includes('clustral'));
    expect(ours.map(({ name }) => name)).toEqual([sessionCookie]);
    expect(ours[0]).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/', domain: 'localhost' });
    for (const text of [seen, ...bodies]) expect(text).not.toContain(ours[0]?.value);
  });
});

describe('UI-04 a page of somebody else', () => {
  it('changes nothing in the name of who is signed in, and reads nothing', async () => {
    const page = await pageOf('admin');
    const answers = await answersSeen(page);
    for (const site of [strange.sameSite, strange.crossSite]) {
      await page.goto(`${site}/call?target=${product.url}`);
      await until(async () => (await page.title()) === 'read nothing', {
        limitMs: 10_000,
        what: () => 'all tries to have been made, and nothing read',
      });
      await page.goto(`${site}/form?target=${product.url}`);
      await page.waitForURL((url) => url.pathname.startsWith('/app/rpc'));
      await page.goto(
        `${product.url}/app/rpc/clustral.v1.RoleService/CreateRole?message=%7B%22name%22%3A%22forged%22%7D`,
      );
    }
    // The five that a neighbour on the same host may send with the cookie, and its form.
    expect(answers.filter((status) => status === 403).length).toBeGreaterThanOrEqual(6);
    expect(answers.filter((status) => status < 400)).toEqual([]);
    await page.goto(`${product.url}/home`);
    const { json } = await calling(page, 'RoleService/ListRoles');
    const names = (json['roles'] as { name: string }[]).map(({ name }) => name);
    expect(names).toContain('k8s-viewer');
    expect(names).not.toContain('forged');
  });

  /** Statuses of what the product answered to calls, seen below the rules that keep pages from seeing them. */
  async function answersSeen(page: Page): Promise<number[]> {
    const statuses: number[] = [];
    const paths = new Map<string, string>();
    const wire = await page.context().newCDPSession(page);
    wire.on('Network.requestWillBeSent', ({ requestId, request }) => paths.set(requestId, request.url));
    wire.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode }) => {
      if (/\/(?:app|api)\//.test(paths.get(requestId) ?? '')) statuses.push(statusCode);
    });
    await wire.send('Network.enable');
    return statuses;
  }
});

describe('UI-05 a sign-in', () => {
  it('gives a new id to a browser that came with one', async () => {
    const page = await newPage();
    const planted = 'P'.repeat(43);
    await page
      .context()
      .addCookies([{ name: sessionCookie, value: planted, url: product.url, secure: true, httpOnly: true }]);
    await signInAt(page, product, { username: 'dev' });
    const cookie = await sessionCookieOf(page, product);
    expect(cookie?.value).toMatch(/^[\w-]{43}$/);
    expect(cookie?.value).not.toBe(planted);
  });

  it('that began in another browser ends on a page that says so, without a session', async () => {
    const dispatcher = new Agent({ connect: { ca: product.caPem() } });
    const begun = await undiciFetch(`${product.url}/api/auth/sign-in`, { dispatcher, redirect: 'manual' });
    const callback = await signInWithForm({
      authorizationUrl: begun.headers.get('location') ?? '',
      username: 'admin',
      password: 'admin',
      ca: product.caPem(),
    });
    const victim = await newPage();
    const response = await victim.goto(callback.href);
    expect(response?.status()).toBe(400);
    expect(await victim.locator('h1').textContent()).toBe('You are not signed in');
    expect(await victim.locator('body').textContent()).toContain('did not begin in this browser');
    expect(await sessionCookieOf(victim, product)).toBeUndefined();
    await victim.goto(`${product.url}/home`);
    expect((await asking(victim, '/api/auth/session')).status).toBe(401);
  });
});

describe('UI-06 an address to return to', () => {
  it('that is somebody else’s lands on a page of ours', async () => {
    const page = await pageOf('dev');
    const evil = `${new URL(strange.crossSite).host}/stolen`;
    const asked = [
      '//EVIL',
      '/\\EVIL',
      'https:EVIL',
      '%2f%2fEVIL',
      '/%09/EVIL',
      'javascript:location="http://EVIL"',
      '/%0d%0alocation:http://EVIL',
    ];
    for (const returnTo of asked) {
      // The provider knows the person by now and sends them straight back.
      await page.goto(`${product.url}/api/auth/sign-in?returnTo=${encodeURIComponent(returnTo.replace('EVIL', evil))}`);
      expect(page.url(), returnTo).toBe(`${product.url}/home`);
    }
    // As a link would have it, encoded once less.
    await page.goto(`${product.url}/api/auth/sign-in?returnTo=%2f%2f${evil}`);
    expect(page.url()).toBe(`${product.url}/home`);
    expect(strange.visits).toEqual([]);
  });
});

describe('UI-07 signing out', () => {
  it('ends the session here, in every tab and at the provider, and the kubeconfig that was issued in it', async () => {
    const page = await pageOf('admin');
    const tab = await page.context().newPage();
    await tab.goto(`${product.url}/home`);
    await tab.locator('#who', { hasText: 'admin@' }).waitFor();
    const cookie = await sessionCookieOf(page, product);
    const { json: listed } = await calling(page, 'ClusterService/ListClusters', { name: 'demo' });
    const clusterId = (listed['clusters'] as { id: string }[])[0]?.id ?? '';
    const { json: issued } = await calling(page, 'CredentialService/IssueCredential', { clusterId });
    const namespaces = () =>
      undiciFetch(`${product.url}/api/proxy/${clusterId}/api/v1/namespaces`, {
        headers: { authorization: `Bearer ${String(issued['token'])}` },
        dispatcher: new Agent({ connect: { ca: product.caPem() } }),
      });
    expect((await namespaces()).status).toBe(200);

    const { json: left } = await asking(page, '/api/auth/sign-out', { method: 'POST' });
    await page.goto(`${product.url}${String(left['location'])}`);
    await page.getByRole('link', { name: 'Sign in' }).first().waitFor();
    expect(page.url()).toBe(`${product.url}/`);

    expect((await asking(tab, '/api/auth/session')).status).toBe(401);
    expect((await calling(tab, 'UserService/GetMe')).status).toBe(401);
    const replay = await newPage();
    if (cookie) await replay.context().addCookies([cookie]);
    await replay.goto(`${product.url}/home`);
    expect((await asking(replay, '/api/auth/session')).status).toBe(401);
    const refused = await namespaces();
    expect(refused.status).toBe(401);
    expect(refused.headers.get('x-clustral-error-code')).toBe('CREDENTIAL_REVOKED');

    await page.getByRole('link', { name: 'Sign in' }).first().click();
    await page.locator('input[name=password]').waitFor();
  });

  it('happens to a person whom an administrator disables', async () => {
    const person = await pageOf('auditor');
    const admin = await pageOf('admin');
    const { json } = await asking(person, '/api/auth/session');
    const userId = (json['user'] as { id: string }).id;
    expect((await calling(admin, 'UserService/DisableUser', { userId })).status).toBe(200);
    expect((await calling(person, 'UserService/GetMe')).status).toBe(403);
    await until(async () => (await calling(person, 'UserService/GetMe')).status === 401, {
      limitMs: 5_000,
      what: () => 'the end of the session',
    });
    expect((await calling(admin, 'UserService/EnableUser', { userId })).status).toBe(200);
    expect((await asking(person, '/api/auth/session')).status).toBe(401);
  });
});

describe('UI-08 what a page sends', () => {
  it('says neither who calls nor from where', async () => {
    const page = await pageOf('dev');
    const forged = {
      authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
      'x-internal-token': 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-host': 'evil.example',
    };
    const { status, json } = await asking(page, callPath('UserService/GetMe'), callOf({}, forged));
    expect(status).toBe(200);
    expect(json['user']).toMatchObject({ email: 'dev@clustral.local' });
    const role = callOf({ name: 'mine', k8sGroups: ['system:masters'] }, forged);
    expect((await asking(page, callPath('RoleService/CreateRole'), role)).status).toBe(403);
  });

  it('reaches no other path than those of the API', async () => {
    const page = await pageOf('admin');
    for (const path of [
      '/api/audit/..%2f..%2fhealthz/detail',
      '/api/audit/healthz/detail',
      '/api/v1/%2e%2e/%2e%2e/x',
      '/app/rpc/..%2fhealthz%2fdetail',
    ])
      expect([400, 401, 404], path).toContain((await asking(page, path)).status);
    const { status, json } = await asking(page, '/api/audit/api/v1/audit?pageSize=1');
    expect(status).toBe(200);
    expect(json['events']).toHaveLength(1);
  });
});

describe('UI-10 a token that is shown once', () => {
  it('is in the answer that made it and in no other: not after a reload, not with the cluster, not in the audit', async () => {
    const page = await pageOf('admin');
    const made = await calling(page, 'ClusterService/RegisterCluster', { name: 'shown-once' });
    const token = String(made.json['bootstrapToken']);
    expect(token.length).toBeGreaterThan(40);
    await page.reload();
    await page.goto(`${product.url}/clusters/shown-once`);
    await page.goBack();
    await page.locator('#who', { hasText: '@' }).waitFor();
    const seen = [
      await calling(page, 'ClusterService/GetCluster', { id: made.json['clusterId'] }),
      await calling(page, 'ClusterService/ListClusters'),
      await asking(page, `/api/audit/api/v1/audit?clusterId=${String(made.json['clusterId'])}`),
      await asking(page, '/api/auth/session'),
    ];
    for (const answer of seen) {
      expect(answer.status).toBe(200);
      expect(JSON.stringify(answer.json)).not.toContain(token);
    }
    expect(await page.content()).not.toContain(token);
    expect(product.printed()).not.toContain(token);
  });
});
