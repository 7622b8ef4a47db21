import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeJwt, exportPKCS8, exportSPKI, importJWK, type CryptoKey } from 'jose';
import { createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { keyIdOf } from '@clustral/kernel/keys.ts';
import { controlPlaneIssuer, kubeconfigAudience } from '@clustral/schemas/tokens.ts';
import { makeSigningKey, type SigningKey } from './testing/identity-provider.ts';
import { askerOf, c1, startTestGateway, type Ask, type TestGateway } from './testing/gateway.ts';

let gateway: TestGateway;
let ask: Ask;
let evil: Server;
let evilConnections = 0;
/** The provider's ES256 key, so that both kinds of tokens can be forged in the same ways. */
let providerKey: SigningKey;

beforeAll(async () => {
  evil = createServer((socket) => {
    evilConnections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  providerKey = await makeSigningKey('es', 'ES256');
  gateway = await startTestGateway({}, async ({ provider }) => {
    provider.keys = [...provider.keys, providerKey];
  });
  ask = askerOf(gateway);
});
afterAll(async () => {
  evil.close();
  await gateway.stop();
});

const proxyPath = `/api/proxy/${c1}/api/v1/pods`;
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);
const evilAddress = (): string => `http://127.0.0.1:${(evil.address() as AddressInfo).port}/certs`;

type Genuine = { readonly token: string; readonly kid: string; readonly keys: KeyPair };

/** Everything of ID-01, made of a token that would be taken. */
async function forgeriesOf({ token, kid, keys }: Genuine): Promise<Readonly<Record<string, string>>> {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const mine = await createKeyPair('P-256');
  const withHeader = (header: object, sign: (input: string) => string): string => {
    const input = `${base64url(header)}.${payload}`;
    return `${input}.${sign(input)}`;
  };
  const der = (input: string): string =>
    createSign('sha256').update(input).sign(keys.privateKeyPem).toString('base64url');
  const by =
    (key: string) =>
    (input: string): string =>
      createSign('sha256').update(input).sign({ key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const [right, wrong] = [by(keys.privateKeyPem), by(mine.privateKeyPem)];
  const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
  const otherCurve = (input: string): string =>
    createSign('sha384').update(input).sign({ key: other, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    'alg none': withHeader({ alg: 'none', kid }, () => ''),
    'alg None': withHeader({ alg: 'None', kid }, () => ''),
    'alg nOnE': withHeader({ alg: 'nOnE', kid }, () => 'AA'),
    'HS256 keyed with the public PEM': withHeader({ alg: 'HS256', kid }, (input) =>
      createHmac('sha256', keys.publicKeyPem).update(input).digest('base64url'),
    ),
    'r = s = 0': withHeader({ alg: 'ES256', kid }, () => Buffer.alloc(64).toString('base64url')),
    'a DER signature': withHeader({ alg: 'ES256', kid }, der),
    'a truncated signature': token.slice(0, -4),
    'no signature': `${head}.${payload}.`,
    'two parts': `${head}.${payload}`,
    'another curve': withHeader({ alg: 'ES384', kid }, otherCurve),
    crit: withHeader({ alg: 'ES256', kid, crit: ['x'], x: 1 }, right),
    'b64 false': withHeader({ alg: 'ES256', kid, b64: false, crit: ['b64'] }, right),
    jwk: withHeader({ alg: 'ES256', kid, jwk: publicKey.export({ format: 'jwk' }) }, wrong),
    jku: withHeader({ alg: 'ES256', kid, jku: evilAddress() }, wrong),
    'jku with a kid of its own': withHeader({ alg: 'ES256', kid: 'theirs', jku: evilAddress() }, wrong),
    x5u: withHeader({ alg: 'ES256', kid, x5u: evilAddress() }, wrong),
    'a kid that is a path': withHeader({ alg: 'ES256', kid: '../../etc/passwd' }, right),
    'a kid that is a query': withHeader({ alg: 'ES256', kid: "' or 1" }, right),
    'a kid that is an address': withHeader({ alg: 'ES256', kid: evilAddress() }, right),
    'another payload': `${head}.${base64url({ ...decodeJwt(token), sub: 'admin' })}.${signature}`,
    'another key with the same kid': withHeader({ alg: 'ES256', kid }, wrong),
    nonsense: 'a.b.c',
  };
}

describe('ID-01 forged tokens', () => {
  const pem = async ({ privateKey, jwk }: SigningKey): Promise<KeyPair> => ({
    privateKeyPem: await exportPKCS8(privateKey),
    publicKeyPem: await exportSPKI((await importJWK(jwk, 'ES256', { extractable: true })) as CryptoKey),
  });
  const genuine: Readonly<Record<string, () => Promise<Genuine>>> = {
    [proxyPath]: async () => ({
      token: await gateway.kubeconfigToken(),
      kid: await keyIdOf(gateway.kubeconfigKeys.publicKeyPem, 'ES256'),
      keys: gateway.kubeconfigKeys,
    }),
    '/api/v1/clusters': async () => ({
      token: await gateway.provider.token({}, providerKey),
      kid: 'es',
      keys: await pem(providerKey),
    }),
  };

  it.each(Object.keys(genuine))('are refused on %s, nothing goes on, and nothing is fetched for them', async (path) => {
    const made = (await genuine[path]?.()) as Genuine;
    expect((await ask(path, made.token)).status).toBe(200);
    const before = gateway.controlPlane.requests.length;
    for (const [name, token] of Object.entries(await forgeriesOf(made))) {
      const answer = await ask(path, token);
      const text = await answer.text();
      expect(answer.status, name).toBe(401);
      const code = answer.headers.get('x-clustral-error-code') ?? (JSON.parse(text) as { code: string }).code;
      expect(code, name).toBe('INVALID_TOKEN');
      expect(text, name).not.toContain(token.slice(0, 20));
    }
    expect(gateway.controlPlane.requests.slice(before).filter(({ url }) => url === path)).toEqual([]);
    expect(evilConnections).toBe(0);
  });

  it("are refused on REST also when they are made for the provider's RSA key", async () => {
    const good = await gateway.provider.token();
    const [, payload = ''] = good.split('.');
    const [first] = gateway.provider.keys;
    const publicPem = await exportSPKI(
      (await importJWK(first?.jwk ?? {}, 'RS256', { extractable: true })) as CryptoKey,
    );
    const input = `${base64url({ alg: 'HS256', kid: 'first' })}.${payload}`;
    const token = `${input}.${createHmac('sha256', publicPem).update(input).digest('base64url')}`;
    expect((await ask('/api/v1/clusters', token)).status).toBe(401);
  });
});

const wrongClaims: readonly (readonly [string, () => Record<string, unknown>])[] = [
  ['no end', () => ({ exp: undefined })],
  ['an end that is a word', () => ({ exp: 'tomorrow' })],
  ['an end that is a number in words', () => ({ exp: String(now() + 300) })],
  ['a beginning in 60 s', () => ({ nbf: now() + 60 })],
  ['an end 31 s ago', () => ({ exp: now() - 31 })],
  ['no subject', () => ({ sub: undefined })],
];

describe('ID-02 claims', () => {
  it.each([
    ...wrongClaims,
    ['another issuer', () => ({ iss: 'https://evil.example' })],
    ['another audience', () => ({ aud: 'account' })],
    ['a list of audiences without ours', () => ({ aud: ['account', 'another'] })],
    ['no audience', () => ({ aud: undefined })],
    ['another use: an id token', () => ({ typ: 'ID' })],
  ] as const)('an access token with %s is refused', async (_, claims) => {
    const answer = await ask('/api/v1/clusters', await gateway.provider.token(claims()));
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'INVALID_TOKEN' });
  });

  it.each(wrongClaims)('a kubeconfig token with %s is refused', async (_, claims) => {
    const answer = await ask(proxyPath, await gateway.kubeconfigToken(claims()));
    expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([401, 'INVALID_TOKEN']);
  });

  it.each([
    ['another issuer', { issuer: 'clustral-gateway', audience: kubeconfigAudience }],
    ['another audience', { issuer: controlPlaneIssuer, audience: 'clustral-agent' }],
  ])('a kubeconfig token with %s is refused', async (_, said) => {
    const signer = await createSigner({ ...gateway.kubeconfigKeys, algorithm: 'ES256', ...said });
    const { iss: _issuer, aud: _audience, ...claims } = decodeJwt(await gateway.kubeconfigToken());
    const answer = await ask(proxyPath, await signer.sign(claims as { iat: number; exp: number }));
    expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([401, 'INVALID_TOKEN']);
  });

  it('an end up to 30 s ago passes here, for clocks differ', async () => {
    expect((await ask('/api/v1/clusters', await gateway.provider.token({ exp: now() - 28 }))).status).toBe(200);
    expect((await ask(proxyPath, await gateway.kubeconfigToken({ exp: now() - 28 }))).status).toBe(200);
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
