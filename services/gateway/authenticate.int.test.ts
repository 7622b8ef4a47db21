import { createHmac, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeJwt, exportJWK, importSPKI, SignJWT } from 'jose';
import { agentAudience, controlPlaneIssuer, gatewayIssuer, internalAudience } from '@clustral/schemas/tokens.ts';
import { createSigner, keyIdOf } from '@clustral/kernel/jwt.ts';
import { makeSigningKey } from './testing/identity-provider.ts';
import {
  c1,
  makeEs256Pair,
  sendRaw,
  signKubeconfigToken,
  startTestGateway,
  statusOf,
  type TestGateway,
} from './testing/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const proxyPath = `/api/proxy/${c1}/api/v1/pods`;
let callers = 0;
/** Each call comes from an address of its own, so that so many failures are not one stranger's. */
const ask = (
  path: string,
  token?: string,
  init: { method?: string; body?: string; headers?: Record<string, string> } = {},
) => {
  callers += 1;
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const from = { 'x-forwarded-for': `203.0.${callers >> 8}.${callers & 255}` };
  return fetch(`${gateway.url}${path}`, { ...init, headers: { ...authorization, ...from, ...init.headers } });
};
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);

describe('GW-01 nobody without a token', () => {
  it('is told in plain text on the kubectl path', async () => {
    const answer = await ask(proxyPath);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(answer.headers.get('x-clustral-error-code')).toBe('AUTHENTICATION_REQUIRED');
    expect(answer.headers.get('link')).toMatch(
      /^<https:\/\/clustral\.example:8443\/errors\/authentication-required>; rel="help"$/,
    );
    expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(answer.headers.get('traceresponse')).toMatch(/^00-/);
    expect(await answer.text()).toContain('clustral kube login');
  });

  it('is told as problem+json on REST', async () => {
    const answer = await ask('/api/v1/clusters');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({
      code: 'AUTHENTICATION_REQUIRED',
      status: 401,
      instance: '/api/v1/clusters',
    });
  });

  it('is told as a Connect error on RPC', async () => {
    const answer = await ask('/clustral.v1.ClusterService/ListClusters', undefined, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(await answer.json()).toMatchObject({
      code: 'unauthenticated',
      details: [{ type: 'clustral.v1.ErrorInfo' }],
    });
  });

  it.each([
    '/api/v1/nothing',
    '/API/v1/clusters',
    '/api/v1/clusters/',
    '/api/v1//clusters',
    '/api//v1/clusters',
    '/%61pi/v1/clusters',
    '/audit-api/api/v1/audit',
    '/audit-api/x',
    '/healthz/detail',
  ])('gets 401 on %s, as on the path it looks like', async (path) => {
    const answer = await sendRaw(gateway.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(statusOf(answer)).toBe(401);
  });

  it('may ask for the version, health and pages', async () => {
    for (const path of [
      '/api/v1/version',
      '/healthz',
      '/healthz/ready',
      '/gateway/healthz',
      '/gateway/healthz/ready',
      '/.well-known/clustral-configuration',
      '/',
    ])
      expect((await ask(path)).status, path).toBe(200);
    const rpc = await ask('/clustral.v1.SystemService/GetVersion', undefined, { method: 'POST', body: '{}' });
    expect(rpc.status).toBe(200);
    expect(gateway.controlPlane.header('x-internal-token')).toEqual([]);
  });
});

describe('ID-03 each kind of token opens its own surface and no other', () => {
  const surfaces = [
    ['the admin API', '/api/v1/roles', 'POST'],
    ['credential issue', '/api/v1/auth/kubeconfig-credential', 'POST'],
    ['RPC', '/clustral.v1.RoleService/CreateRole', 'POST'],
    ['the audit', '/audit-api/api/v1/audit', 'GET'],
    ['the kubectl path', proxyPath, 'GET'],
  ] as const;
  const tokenOf = {
    oidc: () => gateway.provider.token(),
    kubeconfig: () => gateway.kubeconfigToken(),
    agent: () => agentToken(),
    internal: () => internalToken('internal'),
    service: () => internalToken('service'),
  } as const;

  it.each(
    surfaces.flatMap(([name, path, method]) =>
      (Object.keys(tokenOf) as (keyof typeof tokenOf)[]).map((kind) => ({ name, path, method, kind })),
    ),
  )('$kind token on $name', async ({ path, method, kind }) => {
    const answer = await ask(
      path,
      await tokenOf[kind](),
      method === 'POST' ? { method, body: '{}', headers: { 'content-type': 'application/json' } } : { method },
    );
    const expected = kind === (path.startsWith('/api/proxy/') ? 'kubeconfig' : 'oidc') ? 200 : 401;
    expect(answer.status).toBe(expected);
  });

  it.each([['x-internal-token'], ['cookie']])('takes nothing from %s', async (name) => {
    for (const path of ['/api/v1/roles', proxyPath]) {
      const answer = await ask(path, undefined, { headers: { [name]: await internalToken('internal') } });
      expect(answer.status, path).toBe(401);
    }
  });

  async function agentToken(): Promise<string> {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signer = await createSigner({
      privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      algorithm: 'RS256',
      issuer: controlPlaneIssuer,
      audience: agentAudience,
    });
    return signer.sign({ kind: 'agent', sub: c1, token_version: 1, iat: now(), exp: now() + 60 });
  }

  async function internalToken(kind: string): Promise<string> {
    const signer = await createSigner({
      ...gateway.internalKeys,
      algorithm: 'ES256',
      issuer: gatewayIssuer,
      audience: internalAudience,
    });
    return signer.sign({ kind, sub: 'alice', roles: ['clustral-admin'], iat: now(), exp: now() + 30 });
  }
});

describe('D38 a kubeconfig token elsewhere', () => {
  it.each(['/api/v1/clusters', '/clustral.v1.ClusterService/ListClusters', '/version', '/apis', '/api', '/openapi/v2'])(
    'is told on %s where it belongs, in plain text',
    async (path) => {
      const answer = await ask(path, await gateway.kubeconfigToken());
      expect(answer.status).toBe(401);
      expect(answer.headers.get('content-type')).toContain('text/plain');
      expect(await answer.text()).toContain(`https://clustral.example:8443/api/proxy/${c1}/`);
    },
  );

  it('does no harm where nobody is asked for a token', async () => {
    expect((await ask('/api/v1/version', await gateway.kubeconfigToken())).status).toBe(200);
    expect((await ask('/healthz', await gateway.kubeconfigToken())).status).toBe(200);
  });
});

describe('ID-01 forged tokens', () => {
  const forgeries = async (): Promise<Record<string, string>> => {
    const keys = gateway.kubeconfigKeys;
    const good = await gateway.kubeconfigToken();
    const [, payload = '', signature = ''] = good.split('.');
    const kid = await keyIdOf(keys.publicKeyPem, 'ES256');
    const withHeader = (header: object, sign: (input: string) => string): string => {
      const input = `${base64url(header)}.${payload}`;
      return `${input}.${sign(input)}`;
    };
    const der = (input: string): string =>
      createSign('sha256').update(input).sign(keys.privateKeyPem).toString('base64url');
    const p1363 = (input: string): string =>
      createSign('sha256')
        .update(input)
        .sign({ key: keys.privateKeyPem, dsaEncoding: 'ieee-p1363' })
        .toString('base64url');
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    return {
      'alg none': withHeader({ alg: 'none', kid }, () => ''),
      'alg None': withHeader({ alg: 'None', kid }, () => ''),
      'alg nOnE': withHeader({ alg: 'nOnE', kid }, () => 'AA'),
      'HS256 keyed with the public PEM': withHeader({ alg: 'HS256', kid }, (input) =>
        createHmac('sha256', keys.publicKeyPem).update(input).digest('base64url'),
      ),
      'r = s = 0': withHeader({ alg: 'ES256', kid }, () => Buffer.alloc(64).toString('base64url')),
      'a DER signature': withHeader({ alg: 'ES256', kid }, der),
      'a truncated signature': good.slice(0, -4),
      'no signature': `${good.split('.').slice(0, 2).join('.')}.`,
      'two parts': good.split('.').slice(0, 2).join('.'),
      'another curve': withHeader({ alg: 'ES384', kid }, (input) =>
        createSign('sha384')
          .update(input)
          .sign({ key: other.privateKey, dsaEncoding: 'ieee-p1363' })
          .toString('base64url'),
      ),
      crit: withHeader({ alg: 'ES256', kid, crit: ['x'], x: 1 }, p1363),
      'b64 false': withHeader({ alg: 'ES256', kid, b64: false, crit: ['b64'] }, p1363),
      'an unknown kid': withHeader({ alg: 'ES256', kid: '../../etc/passwd' }, p1363),
      'a kid that is a query': withHeader({ alg: 'ES256', kid: "' or 1" }, p1363),
      'no kid': withHeader({ alg: 'ES256' }, p1363),
      'another payload': `${good.split('.')[0]}.${base64url({ ...decodeJwt(good), sub: 'admin' })}.${signature}`,
      'another key with the same kid': await forgedWithSameKid(kid),
      nonsense: 'a.b.c',
    };
  };

  async function forgedWithSameKid(kid: string): Promise<string> {
    const mine = makeEs256Pair();
    const token = await signKubeconfigToken(mine);
    const [, payload] = token.split('.');
    const input = `${base64url({ alg: 'ES256', kid })}.${payload}`;
    const signature = createSign('sha256').update(input).sign({ key: mine.privateKeyPem, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  }

  it('are refused on the kubectl path and nothing goes on', async () => {
    const before = gateway.controlPlane.requests.length;
    for (const [name, token] of Object.entries(await forgeries())) {
      const answer = await ask(proxyPath, token);
      expect(answer.status, name).toBe(401);
      expect(answer.headers.get('x-clustral-error-code'), name).toBe('INVALID_TOKEN');
      expect(await answer.text(), name).not.toContain(token.slice(0, 20));
    }
    expect(gateway.controlPlane.requests.length).toBe(before);
  });

  it('are refused on REST, key addresses in the header included, and nothing is fetched for them', async () => {
    const fetched = gateway.provider.keyFetches();
    const { port } = gateway;
    const evil = `http://127.0.0.1:${port}/realms/evil/certs`;
    const mine = await makeSigningKey('mine');
    const [first] = gateway.provider.keys;
    const good = await gateway.provider.token();
    const [, payload = ''] = good.split('.');
    const publicPem = createPublicKey({ key: first?.jwk as never, format: 'jwk' })
      .export({ type: 'spki', format: 'pem' })
      .toString();
    const hs = `${base64url({ alg: 'HS256', kid: 'first' })}.${payload}`;
    const signed = (header: object): Promise<string> =>
      new SignJWT(decodeJwt(good)).setProtectedHeader({ alg: 'RS256', ...header } as never).sign(mine.privateKey);
    const tokens: Record<string, string> = {
      'HS256 keyed with the public PEM': `${hs}.${createHmac('sha256', publicPem).update(hs).digest('base64url')}`,
      'alg none': `${base64url({ alg: 'none' })}.${payload}.`,
      jwk: await signed({ kid: 'first', jwk: mine.jwk }),
      jku: await signed({ kid: 'first', jku: evil }),
      x5u: await signed({ kid: 'first', x5u: evil }),
    };
    for (const [name, token] of Object.entries(tokens)) {
      expect((await ask('/api/v1/clusters', token)).status, name).toBe(401);
    }
    expect(gateway.provider.keyFetches()).toBe(fetched);
    expect(gateway.web.requests.some(({ url }) => url.includes('evil'))).toBe(false);
  });
});

describe('ID-02 claims', () => {
  it.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: ['account'] }],
    ['no audience', { aud: undefined }],
    ['no end', { exp: undefined }],
    ['an end that is a word', { exp: 'tomorrow' }],
    ['a beginning in 60 s', { nbf: now() + 60 }],
    ['an end 32 s ago', { exp: now() - 32 }],
    ['no subject', { sub: undefined }],
    ['another use: an id token', { typ: 'ID' }],
  ])('an access token with %s is refused', async (_, claims) => {
    const answer = await ask('/api/v1/clusters', await gateway.provider.token(claims));
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'INVALID_TOKEN' });
  });

  it('an end up to 30 s ago passes here, for clocks differ', async () => {
    expect((await ask('/api/v1/clusters', await gateway.provider.token({ exp: now() - 25 }))).status).toBe(200);
    expect((await ask(proxyPath, await gateway.kubeconfigToken({ exp: now() - 25 }))).status).toBe(200);
  });

  it('F-25 a wrong clock is named with both times', async () => {
    const late = await (await ask(proxyPath, await gateway.kubeconfigToken({ exp: now() - 100 }))).text();
    expect(late).toMatch(/it ended at \d{4}-.*Z and the clock here says \d{4}-.*Z/);
    const early = (await (await ask('/api/v1/clusters', await gateway.provider.token({ nbf: now() + 60 }))).json()) as {
      detail: string;
    };
    expect(early.detail).toMatch(/it begins at \d{4}-.*Z and the clock here says \d{4}-.*Z/);
  });

  it.each([
    ['no cluster', { cluster_id: undefined }],
    ['no credential id', { jti: undefined }],
    ['another kind', { kind: 'agent' }],
    ['no kind', { kind: undefined }],
    ['an end long ago', { exp: now() - 32 }],
  ])('ID-05 a kubeconfig token with %s is refused', async (_, claims) => {
    expect((await ask(proxyPath, await gateway.kubeconfigToken(claims))).status).toBe(401);
  });

  it('ID-06 a token of another client of the same provider is refused', async () => {
    expect(
      (await ask('/api/v1/clusters', await gateway.provider.token({ aud: ['another-app'], azp: 'another-app' })))
        .status,
    ).toBe(401);
  });
});

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
    const publicKey = await importSPKI(gateway.internalKeys.publicKeyPem, 'ES256', { extractable: true });
    expect(await exportJWK(publicKey)).toMatchObject({ crv: 'P-256' });
    const { jwtVerify } = await import('jose');
    expect(
      (await jwtVerify(token, publicKey, { issuer: gatewayIssuer, audience: internalAudience })).protectedHeader.kid,
    ).toBe(await keyIdOf(gateway.internalKeys.publicKeyPem, 'ES256'));
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

describe('PX-22 tokens in other places than the Authorization header', () => {
  it.each(['access_token', 'token'])('%s in the URL is not a token', async (name) => {
    expect((await ask(`${proxyPath}?${name}=${await gateway.kubeconfigToken()}`)).status).toBe(401);
    expect((await ask(`/api/v1/clusters?${name}=${await gateway.provider.token()}`)).status).toBe(401);
  });

  it('a cookie is not a token', async () => {
    const cookie = `__Host-session=${await gateway.kubeconfigToken()}`;
    expect((await ask(proxyPath, undefined, { headers: { cookie } })).status).toBe(401);
  });

  it('an access token does not open the kubectl path', async () => {
    expect((await ask(proxyPath, await gateway.provider.token())).status).toBe(401);
  });

  it.each(['bearer', 'BEARER', 'Bearer '])('takes the scheme as %s', async (scheme) => {
    const answer = await ask(proxyPath, undefined, {
      headers: { authorization: `${scheme} ${await gateway.kubeconfigToken()}` },
    });
    expect(answer.status).toBe(200);
  });
});
