import fc from 'fast-check';
import type { Configuration } from 'oidc-provider';
import { describe, expect, it } from 'vitest';
import { providerConfiguration } from './provider-configuration.ts';

const noonSeconds = 1_800_000_000;
const eightHours = 8 * 3_600;

function ttlAt(nowSeconds: number): Record<string, (ctx: undefined, token: object) => number> {
  const configuration = providerConfiguration({
    mountPath: '/realms/clustral',
    secureCookies: true,
    userinfoEndpoint: 'https://localhost:8443/realms/clustral/protocol/openid-connect/userinfo',
    webRedirectUris: ['https://localhost:8443/api/auth/callback'],
    secrets: { signingKeys: [], cookieKeys: ['x'], webClientSecret: 'x' },
    accounts: { bySubject: () => undefined, signIn: async () => ({ kind: 'wrong' }) },
    adapter: () => {
      throw new Error('nothing is stored here');
    },
    now: () => new Date(nowSeconds * 1000),
    pages: { deviceFlow: {}, signOut: {}, renderError: () => undefined },
  } satisfies Parameters<typeof providerConfiguration>[0]);
  return configuration.ttl as NonNullable<Configuration['ttl']> & ReturnType<typeof ttlAt>;
}

describe('how long a sign-in lasts', () => {
  it('is eight hours from the password on, however often it is refreshed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 * eightHours }), (passedSeconds) => {
        const nowSeconds = noonSeconds + passedSeconds;
        const ttl = ttlAt(nowSeconds);
        const refreshEnds = nowSeconds + ttl['RefreshToken']!(undefined, { authTime: noonSeconds });
        const sessionEnds = nowSeconds + ttl['Session']!(undefined, { accountId: 'a', loginTs: noonSeconds });
        const latest = Math.max(noonSeconds + eightHours, nowSeconds + 1);
        expect([refreshEnds, sessionEnds]).toEqual([latest, latest]);
      }),
    );
  });

  it('is half an hour for a browser in which nobody signed in yet', () => {
    expect(ttlAt(noonSeconds)['Session']!(undefined, {})).toBe(1_800);
  });
});
