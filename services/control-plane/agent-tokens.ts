/**
 * Agent tokens (RS256, kind `agent`): the second half of an agent's identity beside its certificate. Signed by a key of their
 * own, never the CA's (D6). What is in a token is only which cluster and which version; whether that version still counts is
 * asked of the policy at each use (D2).
 */
import { agentAudience, controlPlaneIssuer, type AgentClaims } from '@clustral/schemas/tokens.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { createSigner, createVerifier } from '@clustral/kernel/jwt.ts';
import type { TokenKeys } from '@clustral/kernel/keys.ts';

const lifeMs = 30 * 24 * 3_600_000;

export type AgentTokens = {
  /** When a token issued now would expire. */
  expiry(): Date;
  issue(clusterId: ClusterId, tokenVersion: number, expiresAt: Date): Promise<string>;
  /** The claims of a token that is valid now, or `INVALID_TOKEN`. */
  verify(token: string): Promise<AgentClaims>;
  /** The same for a token that may have expired: it is good for its own renewal (D1) and for nothing else. */
  verifyExpired(token: string): Promise<AgentClaims>;
};

export type AgentTokenOptions = TokenKeys & { readonly now: () => Date };

export async function createAgentTokens(options: AgentTokenOptions): Promise<AgentTokens> {
  const { signingKeys, publicKeys, now } = options;
  const kind = { algorithm: 'RS256', issuer: controlPlaneIssuer, audience: agentAudience } as const;
  const checks = { ...kind, publicKeys, kinds: ['agent'] };
  const [signer, current, whenever] = await Promise.all([
    createSigner({ ...kind, signingKeys }),
    createVerifier<AgentClaims>({ ...checks, now: () => now().getTime() }),
    // At the beginning of time nothing has expired yet.
    createVerifier<AgentClaims>({ ...checks, now: () => 0 }),
  ]);
  return {
    expiry: () => new Date(Math.floor(now().getTime() / 1000) * 1000 + lifeMs),
    issue(clusterId, tokenVersion, expiresAt) {
      const iat = Math.floor(now().getTime() / 1000);
      const exp = Math.floor(expiresAt.getTime() / 1000);
      return signer.sign({ kind: 'agent', sub: clusterId, token_version: tokenVersion, iat, exp });
    },
    verify: (token) => current.verify(token),
    verifyExpired: (token) => whenever.verify(token),
  };
}
