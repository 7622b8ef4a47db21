import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoveryPath, parseDiscoveryDocument } from '@clustral/schemas/discovery.ts';
import { errorCatalogue, errorPage, type ErrorCode } from '@clustral/schemas/errors.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { start } from './main.ts';

let url = '';
let stop: () => Promise<void>;
beforeAll(async () => {
  const running = await start(
    {
      CLUSTRAL_ENV: 'embedded',
      PORT: '0',
      PUBLIC_URL: 'https://localhost:8443',
      OIDC_AUTHORITY: 'https://localhost:8443/realms/clustral',
    },
    createLog('web', 'silent'),
  );
  url = `http://127.0.0.1:${running.port}`;
  stop = () => running.stop();
});
afterAll(() => stop());

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
    ['http://clustral.example', null],
    // The header counts for every port of a host: not to be sent for one that others run servers on.
    ['https://localhost:8443', null],
    ['https://127.0.0.1:8443', null],
  ])('UI-02 of %s bind browsers to https: %s', async (publicUrl, expected) => {
    const running = await start(
      { CLUSTRAL_ENV: 'embedded', PORT: '0', PUBLIC_URL: publicUrl, OIDC_AUTHORITY: 'https://id.example' },
      createLog('web', 'silent'),
    );
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
