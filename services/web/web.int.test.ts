import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoveryPath, parseDiscoveryDocument } from '@clustral/schemas/discovery.ts';
import { errorCatalogue, errorPage, type ErrorCode } from '@clustral/schemas/errors.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { start } from './main.ts';

const folder = mkdtempSync(join(tmpdir(), 'clustral-web-'));
const ui = join(folder, 'ui');
const environment = {
  CLUSTRAL_ENV: 'embedded',
  CLUSTRAL_DATA: folder,
  PORT: '0',
  PUBLIC_URL: 'https://localhost:8443',
  CONTROLPLANE_URL: 'http://127.0.0.1:1',
  OIDC_AUTHORITY: 'https://localhost:8443/realms/clustral',
  OIDC_CLIENT_SECRET: 'secret',
  WEB_UI_PATH: ui,
};
let url = '';
let stop: (() => Promise<void>) | undefined;
beforeAll(async () => {
  const running = await start(environment, createLog('web', 'silent'));
  url = `http://127.0.0.1:${running.port}`;
  stop = () => running.stop();
});
afterAll(async () => {
  await stop?.();
  rmSync(folder, { recursive: true });
});

describe('the discovery document', () => {
  it('is what the CLI can read', async () => {
    const answer = await fetch(`${url}${discoveryPath}`);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(parseDiscoveryDocument(await answer.json())).toEqual({
      document: {
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        controlPlaneUrl: 'https://localhost:8443',
        auditServiceUrl: 'https://localhost:8443/audit-api',
        oidcAuthority: 'https://localhost:8443/realms/clustral',
        oidcClientId: 'clustral-cli',
        oidcScopes: ['openid', 'profile', 'email'],
      },
    });
  });
});

describe('pages', () => {
  it('say what this is and what to type', async () => {
    const text = await (await fetch(`${url}/`)).text();
    for (const line of [
      'clustral login https://localhost:8443',
      'clustral kube login &lt;cluster&gt;',
      'kubectl get pods',
    ])
      expect(text).toContain(line);
  });

  it('UI-02 allow nothing but their own style sheet', async () => {
    for (const path of ['/', '/errors/', '/errors/forbidden']) {
      const answer = await fetch(`${url}${path}`);
      const text = await answer.text();
      const policy = answer.headers.get('content-security-policy') ?? '';
      const style = /<style>([^]*?)<\/style>/.exec(text)?.[1] ?? '';
      expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(text).not.toMatch(/<script|\son\w+=|style=|javascript:/i);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  it.each([
    ['https://clustral.example', 'max-age=31536000'],
    // The header counts for every port of a host: not to be sent for one that others run servers on.
    ['https://localhost:8443', null],
    ['https://127.0.0.1:8443', null],
  ])('UI-02 of %s bind browsers to https: %s', async (publicUrl, expected) => {
    const running = await start({ ...environment, PUBLIC_URL: publicUrl }, createLog('web', 'silent'));
    const answer = await fetch(`http://127.0.0.1:${running.port}/`);
    expect(answer.headers.get('strict-transport-security')).toBe(expected);
    await running.stop();
  });

  it.each(Object.keys(errorCatalogue) as ErrorCode[])('has one for %s, with its advice', async (code) => {
    const answer = await fetch(errorPage(`${url}/errors/`, code));
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toContain(`<code>${code}</code>`);
    expect(text).toContain(errorCatalogue[code].advice.replaceAll("'", '&#39;'));
  });
});

describe('an address that is none', () => {
  it.each([
    '/nothing',
    '/errors/no-such-code',
    '/errors/FORBIDDEN',
    '/errors/%3Cimg%20onerror=1%3E',
    '/errors/constructor',
    '/errors/--proto--',
  ])('%s is told to a browser as a page and to everything else as problem+json', async (path) => {
    const page = await fetch(`${url}${path}`, { headers: { accept: 'text/html,application/xhtml+xml' } });
    expect(page.status).toBe(404);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).not.toContain('onerror');
    const problem = await fetch(`${url}${path}`);
    expect(problem.status).toBe(404);
    expect(problem.headers.get('content-type')).toContain('application/problem+json');
    expect(await problem.json()).toMatchObject({ code: 'ROUTE_NOT_FOUND', status: 404 });
  });

  it('is one for every other method too', async () => {
    expect((await fetch(`${url}/`, { method: 'POST', body: 'x' })).status).toBe(404);
  });
});

/** As a browser asks: `fetch` decodes what it gets and hides how it came. */
function raw(
  path: string,
  headers: Record<string, string>,
): Promise<{ headers: Record<string, unknown>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('the dashboard', () => {
  it('says in words that it is not built, and is there as soon as it is', async () => {
    const missing = await fetch(`${url}/home`);
    expect(missing.status).toBe(503);
    expect(await missing.text()).toContain('The dashboard is not built');
    const script = 'export const answer = 42;\n'.repeat(100);
    mkdirSync(join(ui, 'assets'), { recursive: true });
    writeFileSync(
      join(ui, 'index.html'),
      '<!doctype html><title>Clustral</title><script type="module" src="/assets/index-abc.js"></script>',
    );
    writeFileSync(join(ui, 'assets', 'index-abc.js'), script);
    writeFileSync(join(ui, 'assets', 'index-abc.js.br'), brotliCompressSync(script));
    writeFileSync(join(ui, 'assets', 'index-abc.js.gz'), gzipSync(script));
    expect((await fetch(`${url}/home`)).status).toBe(200);
  });

  it.each([
    '/home',
    '/clusters',
    '/clusters/prod',
    '/access/requests/0a6f4f2e',
    '/people/alice',
    '/roles',
    '/audit?q=x',
    '/signed-in',
  ])('UI-02 is one page at %s, which nobody stores and which runs nothing but its own files', async (path) => {
    const answer = await fetch(`${url}${path}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/html; charset=utf-8$/i);
    expect(await answer.text()).toContain('/assets/index-abc.js');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    const policy = answer.headers.get('content-security-policy') ?? '';
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ])
      expect(policy.split('; ')).toContain(rule);
    expect(policy).not.toContain('unsafe');
  });

  it('has assets that are kept for good, compressed as the browser takes them', async () => {
    const [plain, gzip, br] = await Promise.all(
      ['identity', 'gzip, deflate', 'gzip, deflate, br, zstd'].map((encoding) =>
        raw('/assets/index-abc.js', { 'accept-encoding': encoding }),
      ),
    );
    expect(plain?.headers).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable' });
    expect(plain?.headers['content-type']).toMatch(/javascript/);
    expect([plain, gzip, br].map((answer) => answer?.headers['content-encoding'])).toEqual([undefined, 'gzip', 'br']);
    expect(gzip?.body.length).toBeLessThan(plain?.body.length ?? 0);
    expect([gzip, br].map((answer) => answer?.headers['vary'])).toEqual(['accept-encoding', 'accept-encoding']);
  });

  it.each([
    '/assets/missing.js',
    '/assets/',
    '/assets/..%2findex.html',
    '/assets/%2e%2e/index.html',
    '/assets/../../session.key',
    '/index.html',
    '/.vite/manifest.json',
    '/homes',
  ])('has nothing at %s that anybody may keep', async (path) => {
    const { headers, body } = await raw(path, {});
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['content-type']).toContain('application/problem+json');
    expect(body.toString()).not.toContain('index-abc');
  });
});

describe('UI-09 server functions', () => {
  it('are none: nothing that is posted is taken for a call, but by the two routes that say so', async () => {
    for (const path of ['/_server', '/_server/?id=x', '/home', '/', '/api/auth/session', '/errors/', '/assets/x']) {
      const headers = { 'content-type': 'application/json', 'x-server-id': 'x', 'x-server-instance': 'x' };
      const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: '{"t":{"t":9}}' });
      expect(answer.status, path).toBe(404);
    }
  });
});

describe('the web service', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'a public address over plain http',
      { PUBLIC_URL: 'http://clustral.example' },
      'PUBLIC_URL: it must begin with https',
    ],
    ['an issuer over plain http', { OIDC_AUTHORITY: 'http://id.example' }, 'OIDC_AUTHORITY: an issuer over plain http'],
    ['no secret', { OIDC_CLIENT_SECRET: '' }, 'OIDC_CLIENT_SECRET: neither it nor OIDC_CLIENT_SECRET_FILE is set'],
    [
      'proxies that are no networks',
      { TRUSTED_PROXIES: '10.0.0.0/8,everybody,1.2.3.4/33' },
      "'everybody' is not a network",
    ],
    [
      'a key that is not there',
      { WEB_SESSION_KEY_PATH: '/nowhere/key' },
      'WEB_SESSION_KEY_PATH: /nowhere/key: cannot be read (ENOENT)',
    ],
    [
      'SC-01 a relaxation in production',
      { CLUSTRAL_ENV: 'production', OIDC_REQUIRE_HTTPS: 'false' },
      'OIDC_REQUIRE_HTTPS: this value is for trying out only',
    ],
  ])('does not start with %s', async (_what, variables, sentence) => {
    await expect(start({ ...environment, ...variables }, createLog('web', 'silent'))).rejects.toThrow(sentence);
  });
});
