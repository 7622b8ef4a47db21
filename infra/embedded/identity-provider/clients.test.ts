import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audienceOf, postLogoutRedirectAllowed, redirectAllowed } from './clients.ts';

const native = { applicationType: 'native', redirectUris: [] } as const;
const web = { applicationType: 'web', redirectUris: ['https://localhost:8443/api/auth/callback'] } as const;

describe('where an application may send people back to', () => {
  it.each([
    'http://127.0.0.1:1/',
    'http://localhost:65535/callback',
    'http://127.0.0.1/a/b-c_d~e',
    'http://localhost:8',
  ])('lets a native application choose %s', (uri) => {
    expect(redirectAllowed(native, uri)).toBe(true);
  });

  it.each([
    'https://127.0.0.1:1/callback',
    'http://127.0.0.1.example/callback',
    'http://localhost@192.0.2.1/',
    'http://127.0.0.1\\@192.0.2.1/',
    'http://127.0.0.1:1/callback?x=1',
    'http://127.0.0.1:1/callback#x',
    'http://127.0.0.1:1/\r\nx: y',
    'http://[::1]:1/callback',
    'http://127.1:1/callback',
    ' http://127.0.0.1:1/callback',
    'javascript:alert(1)//http://127.0.0.1/',
  ])('refuses a native application %j', (uri) => {
    expect(redirectAllowed(native, uri)).toBe(false);
  });

  it('allows nothing that a browser would take anywhere but loopback', () => {
    const host = fc.constantFrom('localhost', '127.0.0.1');
    const piece = fc.constantFrom(
      'localhost',
      ':80',
      '/',
      '//',
      '\\',
      '@',
      'evil.example',
      '?',
      '#',
      '.',
      '..',
      '%2f',
      '\t',
    );
    fc.assert(
      fc.property(host, fc.array(piece, { maxLength: 6 }), (start, pieces) => {
        const uri = `http://${start}${pieces.join('')}`;
        if (!redirectAllowed(native, uri)) return;
        const { hostname, protocol, username } = new URL(uri);
        expect([hostname, protocol, username]).toEqual([start, 'http:', '']);
      }),
      { numRuns: 1_000 },
    );
  });

  it('holds the dashboard to its registered callback, and after signing out to its origin', () => {
    expect(redirectAllowed(web, 'https://localhost:8443/api/auth/callback')).toBe(true);
    expect(redirectAllowed(web, 'https://localhost:8443/api/auth/callback/')).toBe(false);
    expect(postLogoutRedirectAllowed(web, 'https://localhost:8443/signed-out')).toBe(true);
    expect(postLogoutRedirectAllowed(web, 'https://localhost:8444/signed-out')).toBe(false);
    expect(postLogoutRedirectAllowed(web, 'not an address')).toBe(false);
  });
});

describe('the audience of access tokens', () => {
  it('is the control plane for the clients of Clustral and for nobody else', () => {
    expect(['clustral-cli', 'clustral-web', 'someone-else'].map(audienceOf)).toEqual([
      'clustral-control-plane',
      'clustral-control-plane',
      'someone-else',
    ]);
  });
});
