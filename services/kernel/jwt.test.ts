import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSigner, createVerifier } from './jwt.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const kind = { algorithm: 'ES256', issuer: 'here', audience: 'there' } as const;

type Claims = { readonly kind: string; readonly exp: number };

async function remembering(lifeSeconds: number) {
  const clock = { ms: 1_800_000_000_000 };
  const iat = clock.ms / 1000;
  const signer = await createSigner({ ...kind, privateKeyPem, publicKeyPem });
  const token = await signer.sign({ sub: 'a', kind: 'test', iat, exp: iat + lifeSeconds });
  const options = { ...kind, publicKeysPem: [publicKeyPem], kinds: ['test'], now: () => clock.ms };
  const verifier = await createVerifier<Claims>(options);
  return { clock, verify: () => verifier.verify(token) };
}

describe('a verified token', () => {
  it('is remembered for 30 s and no longer', async () => {
    const { clock, verify } = await remembering(3_600);
    const first = await verify();
    clock.ms += 29_999;
    expect(await verify()).toBe(first);
    clock.ms += 1;
    expect(await verify()).not.toBe(first);
  });

  it('ID-02 is never remembered beyond its end', async () => {
    const { clock, verify } = await remembering(-20);
    await verify();
    clock.ms += 10_000;
    await expect(verify()).rejects.toThrow('it ended at');
  });

  it('is verified again when the clock was set back, which would have it remembered for longer', async () => {
    const { clock, verify } = await remembering(3_600);
    const first = await verify();
    clock.ms -= 1_000;
    expect(await verify()).not.toBe(first);
  });
});
