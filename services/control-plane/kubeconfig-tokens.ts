/**
 * Kubeconfig tokens: ES256, signed here and nowhere else. What a token stands for is its record, never its claims
 * alone.
 */
import { controlPlaneIssuer, kubeconfigAudience, type KubeconfigClaims } from '@clustral/schemas/tokens.ts';
import { createSigner, createVerifier } from '@clustral/kernel/jwt.ts';
import type { TokenKeys } from '@clustral/kernel/keys.ts';

export type KubeconfigTokens = {
  /** Id of the key that signs now: it is stored with each credential. */
  keyId(): Promise<string>;
  sign(claims: KubeconfigClaims): Promise<string>;
  /** The claims, or `INVALID_TOKEN`. */
  verify(token: string): Promise<KubeconfigClaims>;
};

/** Signer and verifier. */
export async function createKubeconfigTokens(
  options: TokenKeys & { readonly now: () => number },
): Promise<KubeconfigTokens> {
  const shared = { algorithm: 'ES256', issuer: controlPlaneIssuer, audience: kubeconfigAudience } as const;
  const { signingKeys, publicKeys, now } = options;
  const signer = await createSigner({ ...shared, signingKeys });
  const verifier = await createVerifier<KubeconfigClaims>({ ...shared, publicKeys, kinds: ['kubeconfig'], now });
  return {
    keyId: () => signer.keyId(),
    sign: (claims) => signer.sign({ ...claims }),
    verify: (token) => verifier.verify(token),
  };
}
