import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentAudience, controlPlaneIssuer, gatewayIssuer, internalAudience } from '@clustral/schemas/tokens.ts';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { askerOf, c1, sendRaw, startTestGateway, statusOf, type Ask, type TestGateway } from './testing/gateway.ts';

let gateway: TestGateway;
let ask: Ask;
beforeAll(async () => {
  gateway = await startTestGateway();
  ask = askerOf(gateway);
});
afterAll(() => gateway.stop());

const proxyPath = `/api/proxy/${c1}/api/v1/pods`;
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
