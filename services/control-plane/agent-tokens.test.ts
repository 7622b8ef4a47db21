import { beforeAll, describe, expect, it } from 'vitest';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { fixedTokenKeys } from '@clustral/kernel/keys.ts';
import { createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import { parseClusterId } from '@clustral/schemas/ids.ts';
import { createAgentTokens, type AgentTokens } from './agent-tokens.ts';

const clusterId = parseClusterId('6f1b2c3d-0000-4000-8000-000000000001');
let now = new Date('2026-01-01T12:00:00.500Z');
const days = (count: number): number => count * 86_400_000;

let keys: KeyPair;
let tokens: AgentTokens;
beforeAll(async () => {
  keys = await createKeyPair('RSA-2048');
  tokens = await createAgentTokens({ ...(await fixedTokenKeys(keys, 'RS256')), now: () => now });
});

describe('an agent token', () => {
  it('names cluster and version and lasts thirty days', async () => {
    const expiresAt = tokens.expiry();
    const token = await tokens.issue(clusterId, 3, expiresAt);
    expect(await tokens.verify(token)).toMatchObject({ kind: 'agent', sub: clusterId, token_version: 3 });
    now = new Date(expiresAt.getTime() + 31_000);
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    expect(await tokens.verifyExpired(token)).toMatchObject({ sub: clusterId });
    now = new Date(expiresAt.getTime() - days(30));
  });

  it('is refused when another key, audience or kind made it, also for renewal', async () => {
    const claims = { kind: 'agent', sub: clusterId, token_version: 1, iat: 1_767_268_800, exp: 1_769_000_000 };
    const right = { algorithm: 'RS256', issuer: 'clustral-control-plane', audience: 'clustral-agent' } as const;
    const other = await createKeyPair('RSA-2048');
    const forged = [
      await (await createSigner({ ...right, ...other })).sign(claims),
      await (await createSigner({ ...right, ...keys, audience: 'clustral-kubeconfig' })).sign(claims),
      await (await createSigner({ ...right, ...keys, issuer: 'clustral-gateway' })).sign(claims),
      await (await createSigner({ ...right, ...keys })).sign({ ...claims, kind: 'kubeconfig' }),
    ];
    for (const token of forged) {
      await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
      await expect(tokens.verifyExpired(token)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    }
  });
});
