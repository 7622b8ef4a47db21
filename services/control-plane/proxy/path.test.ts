import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { splitTarget } from './path.ts';

const c1 = '5f0c7a6e-1b1f-4a53-8f5c-0d8a1f2b3c4d';

function refusalOf(raw: string): string {
  try {
    splitTarget(raw);
    return 'none';
  } catch (thrown) {
    return thrown instanceof Refusal ? thrown.code : String(thrown);
  }
}

describe('splitting a request target', () => {
  it('PX-01 takes upper-case hex as the same cluster', () => {
    expect(splitTarget(`/api/proxy/${c1.toUpperCase()}/api`)).toEqual({ clusterId: c1, target: '/api' });
  });

  it.each([
    '/api/proxy/x/api',
    `/api/proxy/{${c1}}/api`,
    `/api/proxy/${c1.replaceAll('-', '')}/api`,
    `/api/proxy/${c1.slice(0, -1)}g/api`,
    '/api/proxy//api',
    '/api/proxy/',
    `/api/proxy/${c1}@EVIL/`,
    '/api/proxy/%1b[2J/api',
  ])('PX-01 refuses %s as the id of a cluster', (raw) => {
    expect(refusalOf(raw)).toBe('INVALID_CLUSTER_ID');
  });

  it('PX-01 refuses an id of 10,000 letters', () => {
    expect(refusalOf(`/api/proxy/${'a'.repeat(10_000)}/api`)).toBe('INVALID_CLUSTER_ID');
  });

  it.each([
    '/../c2/api',
    '/%2e%2e/x',
    '/%2E./x',
    '/..%2f',
    '/..%5cx',
    '/.;/x',
    '/..;a=b/x',
    '/api/..',
    '/api/%2e',
    '/a/.%2e/b?x=1',
    '/a\\..\\b',
    '/a%3b/..%3bx/',
  ])('PX-09 refuses the dot segment in %s', (rest) => {
    expect(refusalOf(`/api/proxy/${c1}${rest}`)).toBe('INVALID_PATH');
  });

  it.each([
    '/%252e%252e/x',
    '/a..b/...',
    '/api?x=../..',
    '/api/v1/namespaces/n/services/https:foo:443/proxy/a%2Fb//c;x=1?x=%26&y=+%20&watch=1',
    '/a%3Fb%23c',
    '//EVIL:9/x',
    '/\\EVIL/x',
    '/http://EVIL/',
    '/%',
    '/%zz',
    '/\xe9',
  ])('PX-10 passes %s on byte for byte', (rest) => {
    expect(splitTarget(`/api/proxy/${c1}${rest}`)).toEqual({ clusterId: c1, target: rest });
  });

  it('PX-10 asks for the root when nothing follows the id', () => {
    expect(splitTarget(`/api/proxy/${c1}`).target).toBe('/');
    expect(splitTarget(`/api/proxy/${c1}?timeout=1s`).target).toBe('/?timeout=1s');
  });

  it.each(['/api/v1/x', 'http://EVIL/api/proxy/x', '/API/PROXY/x', `/api/proxy/${c1}/a\tb`, `/api/proxy/${c1}/a\rb`])(
    'PX-11 refuses %j as an address',
    (raw) => {
      expect(refusalOf(raw)).toBe('INVALID_PATH');
    },
  );

  it('PX-09 lets nothing through that one decode turns into a dot segment', () => {
    const part = fc.constantFrom('.', '..', '%2e', '%2E', '/', '%2f', '\\', '%5C', ';', '%3b', 'a', '%252e', '?');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const rest = `/${parts.join('')}`;
        const [path = ''] = rest.split('?');
        const segments = decodeURIComponent(path).split(/[/\\]/);
        const dotted = segments.some((segment) => ['.', '..'].includes(segment.split(';')[0] ?? ''));
        expect(refusalOf(`/api/proxy/${c1}${rest}`)).toBe(dotted ? 'INVALID_PATH' : 'none');
      }),
    );
  });
});
