import { createHmac } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentService } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import { TunnelService } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { createSigner } from '@clustral/kernel/jwt.ts';
import {
  createCaCertificate,
  createCertificateRequest,
  createKeyPair,
  issueCertificate,
  spkiOf,
  type KeyPair,
} from '@clustral/kernel/x509.ts';
import { clusterUri } from '../certificate-authority.ts';
import { callAs, codeOf, enrolRaw, openSession, RawAgent, type RawIdentity } from './testing/raw-agent.ts';
import { startTunnelWorld, until, type TunnelWorld } from './testing/tunnel-world.ts';

const day = 86_400_000;
let world: TunnelWorld;
let clusterId: ClusterId;
let otherId: ClusterId;
let good: RawIdentity;
let other: RawIdentity;
beforeAll(async () => {
  world = await startTunnelWorld();
  const [one, two] = [await world.register(), await world.register()];
  [clusterId, otherId] = [one.clusterId, two.clusterId];
  [good, other] = [await enrolRaw(world.url, one), await enrolRaw(world.url, two)];
});
afterAll(() => world.stop());

/** What each method that needs an identity answers to this one. */
async function answersTo(identity: Partial<RawIdentity>): Promise<Readonly<Record<string, string>>> {
  const { keys, certificatePem, token } = identity;
  const { session, transport } = await openSession(
    world.url,
    keys && certificatePem ? { keys, certificatePem } : undefined,
  );
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const agents = createClient(AgentService, transport);
  const tunnel = createClient(TunnelService, transport);
  async function* silence() {
    yield await new Promise<never>(() => undefined);
  }
  try {
    return {
      control: await codeOf(tunnel.control(silence(), { headers })),
      exchange: await codeOf(tunnel.exchange(silence(), { headers })),
      renewToken: await codeOf(agents.renewToken({}, { headers })),
      renewCertificate: await codeOf(agents.renewCertificate({ csr: new Uint8Array() }, { headers })),
    };
  } finally {
    session.destroy();
  }
}
const renewsToken = (identity: RawIdentity): Promise<string> =>
  codeOf(callAs(world.url, identity, (client, options) => client.renewToken({}, options)));
const all = (code: string) => ({ control: code, exchange: code, renewToken: code, renewCertificate: code });
const unauthenticated = all('AGENT_UNAUTHENTICATED');

type Bend = {
  readonly commonName?: string;
  readonly uris?: readonly string[];
  readonly hosts?: readonly string[];
  readonly from?: number;
  readonly until?: number;
  readonly use?: 'server' | 'client';
  readonly issuer?: { readonly certificatePem: string; readonly privateKeyPem: string };
};

async function certified(bend: Bend): Promise<RawIdentity> {
  const [authority = ''] = world.authority.trusted;
  const { commonName = clusterId, uris = [clusterUri(clusterId)], hosts = [], use = 'client' } = bend;
  const certificatePem = await issueCertificate({
    issuer: bend.issuer ?? { certificatePem: authority, privateKeyPem: world.authorityKeys.privateKeyPem },
    publicKey: spkiOf(good.keys.publicKeyPem),
    notBefore: new Date(Date.now() + (bend.from ?? -1) * day),
    notAfter: new Date(Date.now() + (bend.until ?? 1) * day),
    names: { uris, hosts },
    commonName,
    use,
  });
  return { ...good, certificatePem };
}

describe('a certificate that is not the agent’s own', () => {
  it('is refused on every method when it is missing', async () => {
    expect(await answersTo({ token: good.token })).toEqual(unauthenticated);
  });

  it.each<readonly [string, () => Promise<RawIdentity>]>([
    ['of another CA with the same name', async () => certified({ issuer: await foreignAuthority() })],
    ['that has expired', () => certified({ from: -3, until: -1 })],
    ['that is not valid yet', () => certified({ from: 1, until: 2 })],
    ['for a server', () => certified({ use: 'server' })],
    ['of the CA itself', async () => authoritysOwn()],
  ])('is refused on every method: %s', async (_, make) => {
    expect(await answersTo(await make())).toEqual(unauthenticated);
  });

  it('is refused as superseded when the CA signed it but the log does not have it', async () => {
    expect(await answersTo(await certified({}))).toEqual(all('SUPERSEDED'));
  });

  it('leaves a record of each kind of refusal', async () => {
    await until('it is recorded', async () => (await world.refusalsOf(null)).length > 0);
    const kinds = await world.refusalsOf(null);
    expect(new Set(kinds.map(({ reason }) => reason))).toEqual(new Set(['AGENT_UNAUTHENTICATED']));
    expect(new Set(kinds.map(({ method }) => method))).toEqual(
      new Set(['Control', 'Exchange', 'RenewToken', 'RenewCertificate']),
    );
    // The rest of the minute is counted, and becomes one record of each kind.
    expect(kinds.every(({ count }) => count === 1)).toBe(true);
    world.pass(61_000);
    await until('the rest is recorded', async () => (await world.refusalsOf(null)).some(({ count }) => count > 1));
    const superseded = await world.refusalsOf(clusterId);
    expect(superseded.every(({ reason, clusterId: id }) => reason === 'SUPERSEDED' && id === clusterId)).toBe(true);
  });

  async function foreignAuthority() {
    const keys = await createKeyPair('P-256');
    const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
    const certificatePem = await createCaCertificate({ keys, commonName: 'test CA', ...validity });
    return { certificatePem, privateKeyPem: keys.privateKeyPem };
  }
  function authoritysOwn(): RawIdentity {
    return { keys: world.authorityKeys, certificatePem: world.authority.trusted[0] ?? '', token: good.token };
  }
});

describe('an identity whose parts do not agree', () => {
  it.each<readonly [string, (upper: string) => Bend]>([
    ['common name and URI of two clusters', () => ({ uris: [clusterUri(otherId)] })],
    ['a NUL in the common name', () => ({ commonName: `${clusterId}\0${otherId}` })],
    ['a comma in the URI', () => ({ uris: [`${clusterUri(clusterId)}, URI:${clusterUri(otherId)}`] })],
    ['two URIs', () => ({ uris: [clusterUri(clusterId), clusterUri(otherId)] })],
    ['a host name beside the URI', () => ({ hosts: ['agent.example'] })],
    ['no URI', () => ({ uris: [] })],
    ['an id in capitals', (upper) => ({ commonName: upper, uris: [clusterUri(upper)] })],
    ['another kind of URI', () => ({ uris: [`urn:clustral:user:${clusterId}`] })],
  ])('is refused: %s', async (_, bend) => {
    expect(await answersTo(await certified(bend(clusterId.toUpperCase())))).toEqual(unauthenticated);
  });

  it('is refused with the token of another cluster', async () => {
    expect(await answersTo({ ...good, token: other.token })).toEqual(unauthenticated);
    expect(await answersTo({ ...good, certificatePem: other.certificatePem, keys: other.keys })).toEqual(
      unauthenticated,
    );
  });
});

describe('a token that is not the agent’s own', () => {
  const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = (said: object = {}) => {
    const iat = Math.floor(Date.now() / 1000);
    return { kind: 'agent', sub: clusterId, token_version: 1, iat, exp: iat + 600, ...said };
  };
  const ours = { iss: 'clustral-control-plane', aud: 'clustral-agent' };
  const right = { algorithm: 'RS256', issuer: ours.iss, audience: ours.aud } as const;

  it.each<readonly [string, () => Promise<string>]>([
    ['none at all', async () => Promise.resolve('')],
    ['alg none', async () => Promise.resolve(`${base64({ alg: 'none' })}.${base64({ ...claims(), ...ours })}.`)],
    ['HS256 with the public key as its secret', async () => Promise.resolve(hs256(world.tokenKeys))],
    [
      'another key',
      async () => (await createSigner({ ...right, ...(await createKeyPair('RSA-2048')) })).sign(claims()),
    ],
    ['another audience', () => signed({ audience: 'clustral-kubeconfig' })],
    ['another issuer', () => signed({ issuer: 'clustral-gateway' })],
    ['another kind', () => signed({}, { kind: 'kubeconfig' })],
    ['no expiry', () => signed({}, { exp: undefined })],
    ['no version', () => signed({}, { token_version: undefined })],
    ['a version that was never given out', () => signed({}, { token_version: 7 })],
    ['a version that is a text', () => signed({}, { token_version: '1' })],
  ])('is refused: %s', async (_, make) => {
    expect(await answersTo({ ...good, token: await make() })).toEqual(unauthenticated);
  });

  it('that has expired is good for its own renewal and nothing else', async () => {
    const expired = { ...good, token: await signed({}, { iat: 1_700_000_000, exp: 1_700_000_600 }) };
    expect(await answersTo(expired)).toEqual({ ...unauthenticated, renewToken: 'ok' });
    const { token } = await callAs(world.url, expired, (client, options) => client.renewToken({}, options));
    expect(await renewsToken({ ...good, token })).toBe('ok');
  });

  async function signed(signer: Partial<typeof right> | object, said: object = {}): Promise<string> {
    return (await createSigner({ ...right, ...world.tokenKeys, ...signer })).sign(claims(said) as never);
  }
  function hs256({ publicKeyPem }: KeyPair): string {
    const text = `${base64({ alg: 'HS256' })}.${base64({ ...claims(), ...ours })}`;
    return `${text}.${createHmac('sha256', publicKeyPem).update(text).digest('base64url')}`;
  }
});

describe('what an agent may call', () => {
  it('is its own five methods, spelled exactly; all else is forbidden', async () => {
    const { session } = await openSession(world.url, good);
    const ask = async (path: string, method = 'POST'): Promise<number> => {
      const stream = session.request({
        ':method': method,
        ':path': path,
        'content-type': 'application/json',
        authorization: `Bearer ${good.token}`,
      });
      stream.on('error', () => undefined);
      stream.end('{}');
      const status = await new Promise<number>((resolve) =>
        stream.once('response', ({ ':status': said }) => resolve(Number(said))),
      );
      stream.close();
      return status;
    };
    for (const path of [
      '/clustral.v1.ClusterService/RegisterCluster',
      '/clustral.v1.ClusterService/DeleteCluster',
      '/clustral.v1.AgentService/renewtoken',
      '/clustral.v1.AgentService/RenewToken/',
      '/clustral.v1.AgentService/RenewToken?x=1',
      '//clustral.v1.AgentService/RenewToken',
      '/clustral.v1.AgentService/RenewTokens',
      '/x/clustral.v1.AgentService/RenewToken',
      '/clustral.v1.TunnelService/%45xchange',
      '/toString',
      '/api/v1/clusters',
    ]) {
      expect(await ask(path), path).toBe(403);
    }
    expect(await ask('/clustral.v1.AgentService/RenewToken', 'GET')).toBe(403);
    expect(await ask('/clustral.v1.AgentService/RenewToken')).toBe(200);
    expect(await ask('/healthz', 'GET')).toBe(200);
    session.destroy();
  });

  it('is TLS 1.3 only, and no session is resumed', async () => {
    await expect(openSession(world.url, good, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
    const first = await openSession(world.url, good);
    const tickets: Buffer[] = [];
    first.socket.on('session', (ticket: Buffer) => tickets.push(ticket));
    await codeOf(
      createClient(AgentService, first.transport).renewToken(
        {},
        { headers: { authorization: `Bearer ${good.token}` } },
      ),
    );
    first.session.destroy();
    const [ticket] = tickets;
    const second = await openSession(world.url, good, ticket ? { session: ticket } : {});
    expect(second.socket.isSessionReused()).toBe(false);
    second.session.destroy();
  });
});

describe('an identity that was good', () => {
  it('counts no more once its cluster was deleted', async () => {
    const cluster = await world.register();
    const identity = await enrolRaw(world.url, cluster);
    const agent = await new RawAgent(identity).connect(world.url);
    await world.remove(cluster.clusterId);
    await until('the connection is closed', () => agent.session.destroyed, 1_000);
    expect(await answersTo(identity)).toEqual(all('AGENT_REVOKED'));
  });

  it('counts no more an hour after the renewed one was first used', async () => {
    const cluster = await world.register();
    const old = await enrolRaw(world.url, cluster);
    const keys = await createKeyPair('P-256');
    const renewed = await renew(old, keys);
    expect(renewed.certificatePem).not.toBe(old.certificatePem);
    // The same key again gets the same certificate.
    expect((await renew(old, keys)).certificatePem).toBe(renewed.certificatePem);
    const agent = await new RawAgent(renewed).connect(world.url);
    await until(
      'its use is on record',
      async () => (await world.factsOf(cluster.clusterId)).at(-1)?.type === 'cluster.connected',
    );
    expect(await renewsToken(old)).toBe('ok');
    world.passDays(1.01 / 24);
    expect(await answersTo(old)).toEqual(all('SUPERSEDED'));
    expect(await renewsToken(renewed)).toBe('ok');
    agent.close();
  });

  async function renew(identity: RawIdentity, keys: KeyPair): Promise<RawIdentity> {
    const csr = await createCertificateRequest({ keys, commonName: 'x' });
    const { certificatePem, token } = await callAs(world.url, identity, (client, options) =>
      client.renewCertificate({ csr }, options),
    );
    return { keys, certificatePem, token };
  }
});
