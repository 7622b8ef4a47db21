import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeJwt, importSPKI, jwtVerify } from 'jose';
import { gatewayIssuer, internalAudience } from '@clustral/schemas/tokens.ts';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { keyIdOf } from '@clustral/kernel/keys.ts';
import { createKeyPair } from '@clustral/kernel/x509.ts';
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
      token_exp: expect.any(Number),
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

  it('ID-17 says nothing of an e-mail of which the provider says nothing', async () => {
    expect(await told({ email_verified: undefined })).not.toHaveProperty('email_verified');
  });

  it.each([
    [false, false],
    [null, false],
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
  const lies = {
    'x-clustral-user-id': 'admin',
    'x-original-url': '/healthz',
    'x-http-method-override': 'DELETE',
    'x-clustral-position': '12',
    'x-forwarded-host': 'evil',
  };
  /** An administrator's internal token as it went to a service behind, and one that somebody signed for themselves. */
  async function stolen(): Promise<readonly string[]> {
    await ask('/api/v1/clusters', await gateway.provider.token({ sub: 'admin-subject' }));
    const [captured = ''] = gateway.controlPlane.header('x-internal-token');
    const own = await createSigner({
      ...(await createKeyPair('P-256')),
      algorithm: 'ES256',
      issuer: gatewayIssuer,
      audience: internalAudience,
    });
    const { iss: _issuer, aud: _audience, ...claims } = decodeJwt(captured);
    return [captured, await own.sign(claims as { iat: number; exp: number })];
  }
  const credentialPath = `/api/proxy/${c1}/api/v1/pods`;

  it.each(['/api/v1/clusters', credentialPath])('open nothing by themselves on %s', async (path) => {
    for (const token of await stolen()) {
      const before = gateway.controlPlane.requests.length;
      const answer = await ask(path, undefined, { headers: { ...lies, 'x-internal-token': token } });
      expect(answer.status).toBe(401);
      expect(gateway.controlPlane.requests.slice(before).filter(({ url }) => url === path)).toEqual([]);
    }
  });

  it.each([
    ['/api/v1/clusters', () => gateway.provider.token(), { sub: 'alice-subject' }],
    [credentialPath, () => gateway.kubeconfigToken(), { sub: 'user-1', credential_id: 'credential-1' }],
  ] as const)('are not believed from outside on %s, and whoever asks stays who they are', async (path, own, who) => {
    for (const token of await stolen()) {
      const answer = await ask(path, await own(), { headers: { ...lies, 'x-internal-token': token } });
      expect(answer.status).toBe(200);
      const { method, url } = gateway.controlPlane.requests.at(-1) ?? {};
      expect([method, url]).toEqual(['GET', path]);
      const sent = gateway.controlPlane.header('x-internal-token');
      expect(sent).toHaveLength(1);
      expect(sent[0]).not.toBe(token);
      expect(decodeJwt(sent[0] ?? '')).toMatchObject(who);
      for (const name of ['x-clustral-user-id', 'x-original-url', 'x-http-method-override', 'authorization', 'cookie'])
        expect(gateway.controlPlane.header(name), name).toEqual([]);
      expect(gateway.controlPlane.header('x-forwarded-host')).not.toContain('evil');
    }
  });

  it('leaves the one that a client may set', async () => {
    await ask('/api/v1/clusters', await gateway.provider.token(), { headers: lies });
    expect(gateway.controlPlane.header('x-forwarded-host')).toEqual(['clustral.example:8443']);
    expect(gateway.controlPlane.header('x-clustral-position')).toEqual(['12']);
  });
});
