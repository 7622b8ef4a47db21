import { createHmac, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeJwt, SignJWT } from 'jose';
import { createKeyPair } from '@clustral/kernel/x509.ts';
import { keyIdOf } from '@clustral/kernel/jwt.ts';
import { makeSigningKey } from './testing/identity-provider.ts';
import { askerOf, c1, signKubeconfigToken, startTestGateway, type Ask, type TestGateway } from './testing/gateway.ts';

let gateway: TestGateway;
let ask: Ask;
beforeAll(async () => {
  gateway = await startTestGateway();
  ask = askerOf(gateway);
});
afterAll(() => gateway.stop());

const proxyPath = `/api/proxy/${c1}/api/v1/pods`;
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);

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
    const mine = await createKeyPair('P-256');
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
