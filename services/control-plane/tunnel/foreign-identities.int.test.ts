import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createClient } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentService } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import { TunnelService } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import { gatewayIssuer, internalAudience } from '@clustral/schemas/tokens.ts';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { keyIdOf } from '@clustral/kernel/keys.ts';
import { otherKindsOfTokens } from '@clustral/kernel/testing/strange-tokens.ts';
import { createKeyPair } from '@clustral/kernel/x509.ts';
import { bentCertificate } from './testing/bent-certificate.ts';
import { codeOf, enrolRaw, openSession, type RawIdentity } from './testing/raw-agent.ts';
import { startTunnelWorld, until, type TunnelWorld } from './testing/tunnel-world.ts';

let world: TunnelWorld;
let good: RawIdentity & { readonly clusterId: string };
beforeAll(async () => {
  world = await startTunnelWorld();
  const cluster = await world.register();
  good = { ...(await enrolRaw(world.url, cluster)), clusterId: cluster.clusterId };
});
afterAll(() => world.stop());

/** What every method but the enrolment answers; `handshake` for all when the connection does not even come about. */
async function answersTo({ keys, certificatePem, token }: RawIdentity): Promise<readonly string[]> {
  const opened = await openSession(world.url, { keys, certificatePem }).catch(() => undefined);
  if (opened === undefined) return ['handshake'];
  const headers = { authorization: `Bearer ${token}` };
  const agents = createClient(AgentService, opened.transport);
  const tunnel = createClient(TunnelService, opened.transport);
  async function* silence() {
    yield await new Promise<never>(() => undefined);
  }
  try {
    return [
      await codeOf(tunnel.control(silence(), { headers })),
      await codeOf(tunnel.exchange(silence(), { headers })),
      await codeOf(agents.renewToken({}, { headers })),
      await codeOf(agents.renewCertificate({ csr: new Uint8Array() }, { headers })),
    ];
  } finally {
    opened.session.destroy();
  }
}
const every = (code: string): readonly string[] => Array.from({ length: 4 }, () => code);

describe("TN-01 a certificate that the agents' CA should never have signed so", () => {
  const bent = (how: Parameters<typeof bentCertificate>[2]): RawIdentity => ({
    ...good,
    certificatePem: bentCertificate(good.certificatePem, world.authorityKeys.privateKeyPem, how),
  });

  it('would be known if it were only signed once more', async () => {
    // Whole and of ours, but not the one on record: what follows is refused for what it is, and not for being unknown.
    expect(await answersTo(bent({}))).toEqual(every('SUPERSEDED'));
  });

  it.each(['as it is', 'any use'] as const)(
    'is refused when it says that it may sign others, its use %s',
    async (isCa) => {
      expect(new X509Certificate(bent({ isCa }).certificatePem).ca).toBe(isCa === 'any use');
      expect(await answersTo(bent({ isCa }))).toEqual(every('AGENT_UNAUTHENTICATED'));
    },
  );

  it('is refused when its signature rests on SHA-1', async () => {
    const [authority = ''] = world.authority.trusted;
    const { certificatePem } = bent({ digest: 'sha1' });
    expect(new X509Certificate(certificatePem).verify(new X509Certificate(authority).publicKey)).toBe(true);
    expect([every('AGENT_UNAUTHENTICATED'), ['handshake']]).toContainEqual(await answersTo(bent({ digest: 'sha1' })));
  });

  it.each(['TLSv1.1', 'TLSv1.2'] as const)('is not even looked at over %s', async (maxVersion) => {
    const old = { minVersion: 'TLSv1.1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const now = await openSession(world.url, good);
    expect(now.socket.getProtocol()).toBe('TLSv1.3');
    now.session.destroy();
    await expect(openSession(world.url, good, old)).rejects.toThrow(/ssl|tls|protocol|alert|reset/i);
  });
});

describe('ID-03 the tokens of other surfaces', () => {
  it('are refused beside a good certificate, on every method', async () => {
    const keys = { kubeconfig: await createKeyPair('P-256'), agent: await createKeyPair('RSA-2048') };
    const gateway = await createSigner({
      ...(await createKeyPair('P-256')),
      algorithm: 'ES256',
      issuer: gatewayIssuer,
      audience: internalAudience,
    });
    const iat = Math.floor(Date.now() / 1000);
    const internal = await gateway.sign({ kind: 'internal', sub: 'x', iat, exp: iat + 30 });
    const others = { ...(await otherKindsOfTokens(keys, 'c1')), 'an internal token': internal };
    for (const [kind, token] of Object.entries(others))
      expect(await answersTo({ ...good, token }), kind).toEqual(every('AGENT_UNAUTHENTICATED'));
  });
});

describe('TN-03 a token that brings its own key', () => {
  it('is refused, and nothing is fetched for it', async () => {
    let fetches = 0;
    const elsewhere = createServer((socket) => {
      fetches += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const address = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/keys`;
    const kid = await keyIdOf(world.tokenKeys.publicKeyPem, 'RS256');
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    const iat = Math.floor(Date.now() / 1000);
    const ours = { iss: 'clustral-control-plane', aud: 'clustral-agent', iat, exp: iat + 600 };
    const claims = { ...ours, kind: 'agent', sub: good.clusterId, token_version: 1 };
    for (const brought of [
      { kid, jwk },
      { jwk },
      { kid, jku: address },
      { jku: address },
      { x5u: address },
      { kid, x5c: [] },
    ]) {
      const input = [{ alg: 'RS256', typ: 'JWT', ...brought }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      const token = `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
      expect(await answersTo({ ...good, token })).toEqual(every('AGENT_UNAUTHENTICATED'));
    }
    expect(fetches).toBe(0);
    elsewhere.close();
  });
});

describe('TN-06 a hundred wrong bootstrap tokens', () => {
  it('are refused and throttled, fill no log, and leave the right one good for once', async () => {
    const cluster = await world.register();
    world.pass(60_000);
    const enrol = (token: string, clusterId: string = cluster.clusterId): Promise<string> =>
      codeOf(enrolRaw(world.url, { clusterId, token }));
    const wrong = (at: number): string => `${cluster.token.slice(0, -4)}${String(at).padStart(4, '0')}`;
    const codes: string[] = [];
    for (let at = 0; at < 100; at += 1) codes.push(await enrol(wrong(at)));
    expect(new Set(codes)).toEqual(new Set(['BOOTSTRAP_TOKEN_INVALID', 'RATE_LIMITED']));
    expect(codes.filter((code) => code === 'RATE_LIMITED').length).toBeGreaterThan(20);
    expect(await enrol(cluster.token)).toBe('RATE_LIMITED');
    world.pass(60_000);
    expect(await enrol(cluster.token)).toBe('ok');
    expect(await enrol(cluster.token)).toBe('BOOTSTRAP_TOKEN_INVALID');
    await until('what was counted is on record', async () =>
      (await world.refusalsOf(cluster.clusterId)).some(
        ({ reason, count }) => reason === 'BOOTSTRAP_TOKEN_INVALID' && count > 1,
      ),
    );
    expect((await world.refusalsOf(cluster.clusterId)).length).toBeLessThan(20);
  });

  it('and unknown clusters are answered after the same work', async () => {
    const cluster = await world.register();
    const unknown = '11111111-0000-4000-8000-000000000000';
    const { session, transport } = await openSession(world.url);
    const client = createClient(AgentService, transport);
    const took = async (clusterId: string): Promise<number> => {
      world.pass(5_000);
      const began = performance.now();
      const call = client.registerAgent({ clusterId, bootstrapToken: `${cluster.token.slice(0, -4)}abcd` });
      expect(await codeOf(call)).toBe('BOOTSTRAP_TOKEN_INVALID');
      return performance.now() - began;
    };
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < 31; round += 1) {
      times[0].push(await took(cluster.clusterId));
      times[1].push(await took(unknown));
    }
    session.destroy();
    // The quickest of each, because what else the machine does only ever adds. A signature would show as milliseconds.
    const [known, stranger] = [Math.min(...times[0]), Math.min(...times[1])];
    expect(Math.abs(known - stranger)).toBeLessThan(5);
  });
});
