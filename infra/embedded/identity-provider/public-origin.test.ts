import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { arriveAtIssuer } from './public-origin.ts';

const issuer = new URL('https://localhost:8443/realms/clustral');

function requestTo(url: string, headers: Record<string, string> = {}) {
  return { url, headers } as unknown as IncomingMessage & { originalUrl?: string };
}

describe('arriving at the issuer', () => {
  it('overwrites every word about the origin', () => {
    const request = requestTo('/realms/clustral/device?user_code=X', {
      host: 'evil.example',
      forwarded: 'host=evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '1',
      'x-forwarded-for': '192.0.2.1',
      accept: 'text/html',
    });
    expect(arriveAtIssuer(request, issuer)).toBe(true);
    expect(request.headers).toEqual({ host: 'localhost:8443', 'x-forwarded-proto': 'https', accept: 'text/html' });
    expect([request.url, request.originalUrl]).toEqual(['/device?user_code=X', '/realms/clustral/device?user_code=X']);
  });

  it.each([
    '/',
    '/realms/clustral',
    '/realms/clustralx/device',
    'http://evil.example/realms/clustral/device',
    '//realms/clustral/',
  ])('takes nothing at %s', (url) => {
    expect(arriveAtIssuer(requestTo(url), issuer)).toBe(false);
  });
});
