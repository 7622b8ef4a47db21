import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeJwt, importSPKI, jwtVerify } from 'jose';
import { gatewayIssuer, internalAudience } from '@clustral/schemas/tokens.ts';
import { keyIdOf } from '@clustral/kernel/jwt.ts';
import { askerOf, c1, startTestGateway, type Ask, type TestGateway } from './testing/gateway.ts';

let gateway: TestGateway;
let ask: Ask;
beforeAll(async () => {
  gateway = await startTestGateway();
  ask = askerOf(gateway);
});
afterAll(() => gateway.stop());

describe('what the services behind are told of a person', () => {
  const told = async (claims: Record<string, unknown>): Promise<Record<string, unknown>> => {
    const answer = await ask('/api/v1/clusters', await gateway.provider.token(claims));
    expect(answer.status).toBe(200);
    return decodeJwt(gateway.controlPlane.header('x-internal-token')[0] ?? '');
  };

  it('is the whole person, once, for 30 s', async () => {
    const claims = await told({ auth_time: 1_700_000_000 });
    expect(claims).toEqual({
      iss: gatewayIssuer,
      aud: internalAudience,
      kind: 'internal',
      sub: 'alice-subject',
      issuer: gateway.provider.authority,
      email: 'alice@example.com',
      email_verified: true,
      preferred_username: 'alice',
      name: 'Alice',
      roles: ['clustral-user'],
      groups: ['team-a'],
      auth_time: 1_700_000_000,
      iat: expect.any(Number),
      exp: expect.any(Number),
    });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(30);
  });

  it('ID-04 never comes from claims that nobody configured', async () => {
    const claims = await told({
      kind: 'kubeconfig',
      cluster_id: c1,
      jti: 'stolen',
      credential_id: 'stolen',
      roles: ['clustral-admin'],
      'realm_access.roles': ['clustral-admin'],
      resource_access: { x: { roles: ['clustral-admin'] } },
    });
    expect(claims).toMatchObject({ kind: 'internal', roles: ['clustral-user'] });
    expect(claims).not.toHaveProperty('cluster_id');
    expect(claims).not.toHaveProperty('credential_id');
    expect(claims).not.toHaveProperty('jti');
  });

  it.each([
    [undefined, false],
    [false, false],
    ['true', false],
    [1, false],
    [true, true],
  ])('ID-17 email_verified %s is %s', async (claim, expected) => {
    expect(await told({ email_verified: claim })).toMatchObject({ email_verified: expected });
  });

  it('survives claims of the wrong type', async () => {
    const claims = await told({ realm_access: 'admin', groups: { a: 1 }, email: 7, name: ['x'], auth_time: 'now' });
    expect(claims).toMatchObject({ roles: [], groups: [] });
    expect(claims).not.toHaveProperty('email');
    expect(claims).not.toHaveProperty('auth_time');
  });

  it('is verified by the key that only the gateway holds the private half of', async () => {
    await told({});
    const [token = ''] = gateway.controlPlane.header('x-internal-token');
    const publicKey = await importSPKI(gateway.internalKeys.publicKeyPem, 'ES256');
    const { protectedHeader } = await jwtVerify(token, publicKey, {
      issuer: gatewayIssuer,
      audience: internalAudience,
    });
    expect(protectedHeader.kid).toBe(await keyIdOf(gateway.internalKeys.publicKeyPem, 'ES256'));
  });

  it('signs nothing for the next request of the same token', async () => {
    const token = await gateway.provider.token();
    const seen = new Set<string>();
    for (let index = 0; index < 5; index += 1) {
      await ask('/api/v1/clusters', token);
      seen.add(gateway.controlPlane.header('x-internal-token')[0] ?? '');
    }
    expect(seen.size).toBe(1);
  });
});

describe('GW-15 headers that only the gateway writes', () => {
  it('are not believed from outside, and the person stays who they are', async () => {
    const answer = await ask('/api/v1/clusters', await gateway.provider.token(), {
      headers: {
        'x-internal-token': 'captured',
        'x-clustral-user-id': 'admin',
        'x-original-url': '/healthz',
        'x-http-method-override': 'DELETE',
        'x-clustral-position': '12',
        'x-forwarded-host': 'evil',
      },
    });
    expect(answer.status).toBe(200);
    const { method, url } = gateway.controlPlane.requests.at(-1) ?? {};
    expect([method, url]).toEqual(['GET', '/api/v1/clusters']);
    expect(decodeJwt(gateway.controlPlane.header('x-internal-token')[0] ?? '')).toMatchObject({ sub: 'alice-subject' });
    for (const name of ['x-clustral-user-id', 'x-original-url', 'x-http-method-override', 'authorization', 'cookie'])
      expect(gateway.controlPlane.header(name), name).toEqual([]);
    expect(gateway.controlPlane.header('x-forwarded-host')).toEqual(['clustral.example:8443']);
    expect(gateway.controlPlane.header('x-clustral-position')).toEqual(['12']);
  });
});
