/**
 * Tokens that an internal port must refuse (GW-16), each with what is wrong with it as its name: one good token, bent in one way. They
 * are made with the real keys, so that nothing but the named flaw can be the reason of a refusal.
 */
import { createHmac } from 'node:crypto';
import {
  agentAudience,
  controlPlaneIssuer,
  gatewayIssuer,
  internalAudience,
  kubeconfigAudience,
  type InternalClaims,
} from '@clustral/schemas/tokens.ts';
import { clockSkewSeconds, createSigner } from '../jwt.ts';
import { keyIdOf } from '../keys.ts';
import { createKeyPair, type KeyPair } from '../x509.ts';

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** `claims` are those of a token that would be let in; `internal` is the gateway's pair. */
export async function strangeTokens(
  claims: Omit<InternalClaims, 'iat' | 'exp'>,
  internal: KeyPair,
): Promise<Readonly<Record<string, string>>> {
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: gatewayIssuer, aud: internalAudience, iat: now, exp: now + 30, ...claims };
  const ours = { ...internal, algorithm: 'ES256', issuer: gatewayIssuer, audience: internalAudience } as const;
  const signed = async (signer: Partial<Parameters<typeof createSigner>[0]>, said: object = {}): Promise<string> =>
    (await createSigner({ ...ours, ...signer })).sign({ ...claims, iat: now, exp: now + 30, ...said });
  const kid = await keyIdOf(internal.publicKeyPem, 'ES256');
  const unsigned = (alg: string): string => `${base64url({ alg, kid, typ: 'JWT' })}.${base64url(good)}.`;
  const hmacInput = `${base64url({ alg: 'HS256', kid })}.${base64url(good)}`;
  const ended = now - clockSkewSeconds - 31;
  const valid = await signed({});
  return {
    'no token at all': '',
    'no JWT at all': 'nonsense',
    'alg none': unsigned('none'),
    'alg None': unsigned('None'),
    'a signature cut off': valid.slice(0, valid.lastIndexOf('.') + 1),
    'HS256 with the public key as its secret': `${hmacInput}.${createHmac('sha256', internal.publicKeyPem).update(hmacInput).digest('base64url')}`,
    'another key': await signed(await createKeyPair('P-256')),
    'another audience': await signed({ audience: kubeconfigAudience }),
    'another issuer': await signed({ issuer: controlPlaneIssuer }),
    'another kind': await signed({}, { kind: 'kubeconfig' }),
    'no kind': await signed({}, { kind: undefined }),
    'no end': await signed({}, { exp: undefined }),
    'an end 31 s and the skew ago': await signed({}, { iat: ended - 30, exp: ended }),
    'a beginning a minute ahead': await signed({}, { nbf: now + 60 }),
  };
}

/** Tokens of every other kind, whole and good where they belong (D9, ID-03). `clusterId` is the cluster that two of them name. */
export async function otherKindsOfTokens(
  keys: { readonly kubeconfig: KeyPair; readonly agent: KeyPair },
  clusterId: string,
): Promise<Readonly<Record<string, string>>> {
  const now = Math.floor(Date.now() / 1000);
  const life = { iat: now, exp: now + 300 };
  const byControlPlane = { issuer: controlPlaneIssuer } as const;
  const kubeconfig = await createSigner({
    ...keys.kubeconfig,
    ...byControlPlane,
    algorithm: 'ES256',
    audience: kubeconfigAudience,
  });
  const agent = await createSigner({ ...keys.agent, ...byControlPlane, algorithm: 'RS256', audience: agentAudience });
  const provider = await createSigner({
    ...(await createKeyPair('RSA-2048')),
    algorithm: 'RS256',
    issuer: 'https://id.example/realms/test',
    audience: 'clustral-control-plane',
  });
  return {
    'a kubeconfig token': await kubeconfig.sign({
      kind: 'kubeconfig',
      sub: 'user-1',
      cluster_id: clusterId,
      jti: 'j',
      ...life,
    }),
    'an agent token': await agent.sign({ kind: 'agent', sub: clusterId, token_version: 1, ...life }),
    "an identity provider's access token": await provider.sign({
      sub: 'alice',
      typ: 'Bearer',
      realm_access: { roles: ['clustral-admin'] },
      ...life,
    }),
  };
}
