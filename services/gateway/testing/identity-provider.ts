/** An OpenID Connect provider for tests: metadata and keys over real HTTP, tokens with any content, and any misbehaviour. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';

export type SigningKey = {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
};

export type TestProvider = {
  readonly authority: string;
  readonly metadataAddress: string;
  /** The keys it publishes; replace them to rotate. */
  keys: SigningKey[];
  /** How often its keys were fetched. */
  readonly keyFetches: () => number;
  /** Answers in the place of the normal one, when set. */
  misbehave: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** An access token of `alice`, good for five minutes, with the given claims changed (undefined = left out). */
  token(claims?: Record<string, unknown>, key?: SigningKey): Promise<string>;
  stop(): Promise<void>;
};

export const audience = 'clustral-control-plane';

export async function makeSigningKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export async function startTestProvider(): Promise<TestProvider> {
  let fetches = 0;
  const server = createServer((request, response) => {
    if (provider.misbehave) return provider.misbehave(request, response);
    response.setHeader('content-type', 'application/json');
    if (request.url?.endsWith('/certs')) {
      fetches += 1;
      return response.end(JSON.stringify({ keys: provider.keys.map(({ jwk }) => jwk) }));
    }
    response.end(JSON.stringify({ issuer: provider.authority, jwks_uri: `${provider.authority}/certs` }));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/clustral`;
  const provider: TestProvider = {
    authority,
    metadataAddress: `${authority}/.well-known/openid-configuration`,
    keys: [await makeSigningKey('first')],
    keyFetches: () => fetches,
    misbehave: undefined,
    token: (claims, key = provider.keys[0]) => signAccessToken(authority, key, claims),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return provider;
}

function signAccessToken(
  authority: string,
  key: SigningKey | undefined,
  claims: Record<string, unknown> = {},
): Promise<string> {
  if (!key) throw new Error('the provider has no key');
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: authority,
    aud: [audience],
    sub: 'alice-subject',
    email: 'alice@example.com',
    email_verified: true,
    preferred_username: 'alice',
    name: 'Alice',
    typ: 'Bearer',
    realm_access: { roles: ['clustral-user', 'uma_authorization'] },
    groups: ['team-a'],
    iat: now,
    exp: now + 300,
    ...claims,
  };
  return new SignJWT(payload as JWTPayload)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT' })
    .sign(key.privateKey);
}
