/**
 * Kubeconfig tokens: ES256, signed here and nowhere else. What a token stands for is its record, never its claims
 * alone.
 */
import { controlPlaneIssuer, kubeconfigAudience, type KubeconfigClaims } from '@clustral/schemas/tokens.ts';
import { createSigner, createVerifier } from '@clustral/kernel/jwt.ts';

export type KubeconfigTokens = {
  /** Id of the key that signs: it is stored with each credential. */
  readonly keyId: string;
  sign(claims: KubeconfigClaims): Promise<string>;
  /** The claims, or `INVALID_TOKEN`. */
  verify(token: string): Promise<KubeconfigClaims>;
};

/** Signer and verifier. `publicKeysPem` begins with the key of `privateKeyPem`; further ones are old keys (F-32). */
export async function createKubeconfigTokens(keys: {
  readonly privateKeyPem: string;
  readonly publicKeysPem: readonly [string, ...string[]];
  readonly now: () => number;
}): Promise<KubeconfigTokens> {
  const shared = { algorithm: 'ES256', issuer: controlPlaneIssuer, audience: kubeconfigAudience } as const;
  const { privateKeyPem, publicKeysPem, now } = keys;
  const signer = await createSigner({ ...shared, privateKeyPem, publicKeyPem: publicKeysPem[0] });
  const verifier = await createVerifier<KubeconfigClaims>({ ...shared, publicKeysPem, kinds: ['kubeconfig'], now });
  return {
    keyId: signer.keyId,
    sign: (claims) => signer.sign({ ...claims }),
    verify: (token) => verifier.verify(token),
  };
}
