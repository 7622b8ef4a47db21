/**
 * The real parts around the proxy, for tests: the embedded event store, the lease, the policy fold, the gateway's tokens, a
 * listening server. Facts are appended as the deciding half would; nothing is stubbed but the way to the API server.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStore } from '../../../../infra/embedded/event-store/start.ts';
import { accessStream } from '@clustral/schemas/events/access.ts';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import { credentialStream } from '@clustral/schemas/events/credential.ts';
import type { Fact, Recorded } from '@clustral/schemas/events/envelope.ts';
import { proxyStream, utcDay, type ProxyFact } from '@clustral/schemas/events/proxy.ts';
import { roleStream } from '@clustral/schemas/events/role.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { gatewayIssuer, internalAudience, type InternalClaims } from '@clustral/schemas/tokens.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { serverLimits } from '@clustral/kernel/http-server.ts';
import { createSigner, createVerifier, type Verifier } from '@clustral/kernel/jwt.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { takeLease } from '../../lease.ts';
import { startPolicy, type PolicyQueries } from '../../policy.ts';
import type { Agents, Policy } from '../../ports.ts';
import { startProxying, type ProxyingParts } from '../proxying.ts';

/** Ids and a token of somebody who may use a cluster. */
export type Person = { readonly userId: UserId; readonly credentialId: CredentialId; readonly token: string };

export type World = {
  readonly store: EventStore;
  readonly policy: PolicyQueries;
  readonly verifier: Verifier<InternalClaims>;
  readonly epoch: number;
  readonly folder: string;
  readonly log: Log;
  append(stream: string, ...facts: readonly Fact[]): Promise<void>;
  sign(claims: Partial<InternalClaims>, lifeSeconds?: number): Promise<string>;
  cluster(name: string): Promise<ClusterId>;
  role(name: string, groups: readonly string[]): Promise<RoleId>;
  /** Somebody with a credential for the cluster, and with the role when there is one. */
  person(about: { name: string; clusterId: ClusterId; roleId?: RoleId; lifeSeconds?: number }): Promise<Person>;
  /** What is on record of a cluster today. */
  records(clusterId: ClusterId | null): Promise<readonly Recorded<ProxyFact>[]>;
  stop(): Promise<void>;
};

/** Starts everything that is behind the proxy. */
export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'px-'));
  const server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  const log = createLog('test', process.env['TEST_LOG_LEVEL'] ?? 'silent');
  const store = connectEventStore({ connectionString: server.connectionString, log });
  const stopped = new AbortController();
  const { signal } = stopped;
  const monotonic = (): number => performance.now();
  const lease = await takeLease({ eventStore: store, holder: 'test', log, monotonic, signal });
  const policy = await startPolicy({ eventStore: store, lease, log, now: Date.now, monotonic, signal });
  const keys = await gatewayKeys();
  const append = appender(store, policy, lease.epoch);
  return {
    store,
    policy,
    verifier: keys.verifier,
    epoch: lease.epoch,
    folder,
    log,
    append,
    sign: keys.sign,
    cluster: async (name) => {
      const clusterId = randomUUID() as ClusterId;
      const data = { clusterId, name, description: '', labels: {} };
      await append(clusterStream(clusterId), { type: 'cluster.registered', data });
      return clusterId;
    },
    role: async (name, k8sGroups) => {
      const roleId = randomUUID() as RoleId;
      await append(roleStream(roleId), { type: 'role.created', data: { roleId, name, description: '', k8sGroups } });
      return roleId;
    },
    person: (about) => person(about, append, keys.sign),
    records: async (clusterId) => (await store.load<ProxyFact>(proxyStream(clusterId, utcDay(new Date())))).facts,
    async stop() {
      await policy.stop();
      await lease.stop();
      stopped.abort();
      await store.close();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

type Append = World['append'];

function appender(store: EventStore, policy: PolicyQueries, epoch: number): Append {
  return async (stream, ...facts) => {
    const { revision } = await store.load(stream);
    const metadata = {
      schemaVersion: 1,
      actor: { kind: 'service', id: 'test' },
      epoch,
      $correlationId: 'test',
    } as const;
    const appended = await store.append(
      stream,
      revision,
      facts.map((fact) => ({ ...fact, id: randomUUID(), metadata })),
    );
    await policy.reached(appended.position, 5_000);
  };
}

async function person(
  { name, clusterId, roleId, lifeSeconds = 3_600 }: Parameters<World['person']>[0],
  append: Append,
  sign: World['sign'],
): Promise<Person> {
  const userId = randomUUID() as UserId;
  const credentialId = randomUUID() as CredentialId;
  const claims = {
    issuer: 'https://idp.test',
    subject: userId,
    email: name,
    emailVerified: true,
    preferredUsername: null,
    name: null,
    roles: [],
    groups: [],
  };
  const synced = { userId, claims, kubernetesName: name, nameClass: 'verified', signedInAt: null };
  await append(userStream(userId), { type: 'user.synced', data: synced });
  if (roleId !== undefined) {
    const data = { userId, clusterId, assignmentId: randomUUID(), roleId };
    await append(accessStream(userId, clusterId), { type: 'user.role_assigned', data });
  }
  const issuedAtSeconds = Math.floor(Date.now() / 1000);
  const issued = {
    credentialId,
    userId,
    clusterId,
    keyId: 'k',
    issuedAtSeconds,
    expiresAtSeconds: issuedAtSeconds + lifeSeconds,
  };
  await append(credentialStream(credentialId), { type: 'credential.issued', data: issued });
  const token = await sign({ sub: userId, cluster_id: clusterId, credential_id: credentialId });
  return { userId, credentialId, token };
}

async function gatewayKeys(): Promise<{ verifier: Verifier<InternalClaims>; sign: World['sign'] }> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const privateKeyPem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const publicKeyPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const common = { algorithm: 'ES256', issuer: gatewayIssuer, audience: internalAudience } as const;
  const signer = await createSigner({ ...common, privateKeyPem, publicKeyPem });
  const verifier = await createVerifier<InternalClaims>({
    ...common,
    publicKeysPem: [publicKeyPem],
    kinds: ['internal', 'service'],
    now: Date.now,
  });
  return {
    verifier,
    sign: (claims, lifeSeconds = 3_600) => {
      const iat = Math.floor(Date.now() / 1000);
      return signer.sign({ kind: 'internal', sub: '', iat, exp: iat + lifeSeconds, ...claims } as Parameters<
        typeof signer.sign
      >[0]);
    },
  };
}

/** A proxy that listens. */
export type Listening = ProxyingParts & { readonly port: number };

/** Starts the proxying half in the world, in front of these agents. */
export async function startProxy(
  world: World,
  agents: Pick<Agents, 'open'>,
  changed: { headTimeoutMs?: number; store?: EventStore; epoch?: number; folder?: string; policy?: Policy } = {},
): Promise<Listening> {
  const { verifier, log } = world;
  const parts = await startProxying({
    store: changed.store ?? world.store,
    epoch: changed.epoch ?? world.epoch,
    folder: changed.folder ?? join(world.folder, randomUUID()),
    policy: changed.policy ?? world.policy,
    verifier,
    agents,
    docsBaseUrl: 'https://clustral.test/errors/',
    headTimeoutMs: changed.headTimeoutMs ?? 10_000,
    log,
    now: () => new Date(),
  });
  const server = createServer(serverLimits, (request, response) => parts.handle(request, response));
  server.on('upgrade', (request, socket, head) => parts.upgrade(request, socket as Socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...parts,
    port: (server.address() as AddressInfo).port,
    async stop() {
      await parts.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Waits until the condition holds; fails with the sentence after 5 s. */
export async function until(sentence: string, holds: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${sentence}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}
