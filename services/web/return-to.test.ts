import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppPage } from './app-pages.ts';
import { safeReturnTo } from './return-to.ts';

describe('UI-06 the page to return to after signing in', () => {
  it.each([
    '/home',
    '/clusters/prod?tab=access',
    '/access/requests/0a6f4f2e#decision',
    '/audit?q=actor%3Aalice%20cluster%3Aprod&from=2026-11-20T13%3A00Z',
  ])('may be %s', (asked) => {
    expect(safeReturnTo(asked)).toBe(asked);
  });

  it.each([
    undefined,
    '',
    'home',
    '//evil.example',
    '///evil.example/home',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    'https:evil.example',
    'https://evil.example/home',
    '%2f%2fevil.example',
    '/%2f%2fevil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/home\r\nset-cookie: a=b',
    '/%0d%0aset-cookie:x',
    '/home/../api/auth/sign-out',
    '/./errors/',
    '/api/auth/sign-in',
    '/app/rpc/clustral.v1.UserService/GetMe',
    '/homes',
    `/home?${'x'.repeat(2_000)}`,
    `/home?${'€'.repeat(300)}`,
    ['/home', '//evil.example'],
  ])('is the front page for %j', (asked) => {
    expect(safeReturnTo(asked)).toBe('/');
  });

  it('is a page of this origin, whatever is asked for', () => {
    const parts = fc.constantFrom(
      '/',
      '\\',
      '..',
      '.',
      'home',
      'evil.example',
      '@',
      ':',
      '?',
      '#',
      '%2f',
      '%5c',
      '\t',
      '\n',
      'https:',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(parts).map((all) => all.join('')),
        ),
        (asked) => {
          const url = new URL(safeReturnTo(asked), 'https://clustral.example');
          expect(url.origin).toBe('https://clustral.example');
          expect(url.pathname === '/' || isAppPage(url.pathname)).toBe(true);
        },
      ),
    );
  });
});
