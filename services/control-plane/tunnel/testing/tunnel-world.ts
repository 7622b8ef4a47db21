/**
 * The real parts around the tunnel, for tests: the embedded event store, lease, policy fold and commands, a CA of its own, and the
 * tunnel on a free port of loopback. Only the clocks can be pushed.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStore, type RunningEventStore } from '@clustral/infra/embedded/event-store/start.ts';
import { agentAuthStream, type AgentFact } from '@clustral/schemas/events/agent.ts';
import { clusterStream, type ClusterFact } from '@clustral/schemas/events/cluster.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { fixedTokenKeys } from '@clustral/kernel/keys.ts';
import { createCaCertificate, createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import { createAgentTokens, type AgentTokens } from '../../agent-tokens.ts';
import { createBootstrapTokens, type BootstrapTokens } from '../../bootstrap-tokens.ts';
import { createCertificateAuthority, type CertificateAuthority } from '../../certificate-authority.ts';
import { startDeciding, type Deciding } from '../../deciding.ts';
import {
  deleteCluster,
  evolveCluster,
  initialCluster,
  issueBootstrapToken,
  registerCluster,
  revokeAgent,
  type ClusterState,
} from '../../domain/cluster.ts';
import type { PolicyQueries } from '../../policy.ts';
import { createTunnel } from '../server.ts';

const day = 86_400_000;

/** The limit of D41, small enough for a test. */
export const stalledBytes = 20 * 1024 * 1024;

/** Starts everything. */
export async function startTunnelWorld(): Promise<TunnelWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'tn-'));
  const server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  const log = createLog('test', process.env['TEST_LOG_LEVEL'] ?? 'silent');
  const eventStore = connectEventStore({ connectionString: server.connectionString, log });
  const clocks = { passedMs: 0, passedWallMs: 0 };
  const now = (): Date => new Date(Date.now() + clocks.passedWallMs);
  const monotonic = (): number => performance.now();
  const deciding = await startDeciding({ eventStore, holder: 'test', log, now, monotonic });
  const [authorityKeys, tokenKeys] = await Promise.all([createKeyPair('P-256'), createKeyPair('RSA-2048')]);
  const validity = { notBefore: new Date(Date.now() - 10 * day), notAfter: new Date(Date.now() + 3650 * day) };
  const certificatesPem = await createCaCertificate({ keys: authorityKeys, commonName: 'test CA', ...validity });
  const authority = createCertificateAuthority({ certificatesPem, privateKeyPem: authorityKeys.privateKeyPem, now });
  const tokens = await createAgentTokens({ ...(await fixedTokenKeys(tokenKeys, 'RS256')), now });
  const world = new TunnelWorld({ folder, server, log, eventStore, clocks, now, deciding, authority, tokens });
  Object.assign(world, { authorityKeys, tokenKeys });
  await world.startTunnel();
  return world;
}

type Parts = {
  readonly folder: string;
  readonly server: RunningEventStore;
  readonly log: Log;
  readonly eventStore: EventStore;
  readonly clocks: { passedMs: number; passedWallMs: number };
  readonly now: () => Date;
  readonly deciding: Deciding;
  readonly authority: CertificateAuthority;
  readonly tokens: AgentTokens;
};

export class TunnelWorld {
  readonly #parts: Parts;
  readonly #bootstrapTokens: BootstrapTokens;
  readonly policy: PolicyQueries;
  readonly authority: CertificateAuthority;
  readonly tokens: AgentTokens;
  authorityKeys!: KeyPair;
  tokenKeys!: KeyPair;
  agents!: Awaited<ReturnType<typeof createTunnel>>;

  constructor(parts: Parts) {
    const { deciding, authority, tokens, now } = parts;
    this.#parts = parts;
    this.policy = deciding.policy;
    this.authority = authority;
    this.tokens = tokens;
    const keys = randomBytes(32).toString('base64');
    this.#bootstrapTokens = createBootstrapTokens({ keys, caPin: authority.pin, now, random: randomBytes });
  }

  get folder(): string {
    return this.#parts.folder;
  }
  get url(): URL {
    return new URL(`https://127.0.0.1:${this.agents.port}`);
  }

  /** Pushes the tunnel's monotonic clock, by which silence and deadlines are judged. */
  pass(ms: number): void {
    this.#parts.clocks.passedMs += ms;
  }

  /** Pushes its wall clock, by which certificates, tokens and graces are judged. */
  passDays(days: number): void {
    this.#parts.clocks.passedWallMs += days * day;
  }

  /** Listens on `port`, a free one at first. */
  async startTunnel(port = 0): Promise<void> {
    const { deciding, authority, tokens, now, log, clocks } = this.#parts;
    const { policy, commands, epoch } = deciding;
    this.agents = await createTunnel({
      host: '127.0.0.1',
      port,
      serverNames: ['localhost', '127.0.0.1'],
      mostStalledBytes: stalledBytes,
      docsBaseUrl: 'https://localhost/errors/',
      clusters: () => policy.allClusters(),
      monotonic: () => performance.now() + clocks.passedMs,
      policy,
      commands,
      authority,
      tokens,
      epoch,
      now,
      log,
    });
  }

  /** Stops the tunnel and starts another one on the same log and port, as a restarted control plane would. */
  async restartTunnel(): Promise<void> {
    const { port } = this.agents;
    await this.agents.stop();
    await this.startTunnel(port);
  }

  /** Registers a cluster; the token enrols its agent. */
  async register(): Promise<{ readonly clusterId: ClusterId; readonly token: string }> {
    const clusterId = randomUUID() as ClusterId;
    const { token, record } = this.#bootstrapTokens.issue(clusterId);
    const content = { clusterId, name: clusterId, description: '', labels: {}, nameHolder: undefined };
    await this.#run(clusterId, (state) => registerCluster({ ...content, token: record }, state));
    return { clusterId, token };
  }

  async newToken(clusterId: ClusterId): Promise<string> {
    const { token, record } = this.#bootstrapTokens.issue(clusterId);
    await this.#run(clusterId, (state) => issueBootstrapToken({ clusterId, token: record }, state));
    return token;
  }

  async revoke(clusterId: ClusterId): Promise<void> {
    await this.#run(clusterId, (state) => revokeAgent({ clusterId }, state));
  }

  async remove(clusterId: ClusterId): Promise<void> {
    await this.#run(clusterId, (state) => deleteCluster({ clusterId }, state));
  }

  async factsOf(clusterId: ClusterId): Promise<readonly Recorded<ClusterFact>[]> {
    return (await this.#parts.eventStore.load<ClusterFact>(clusterStream(clusterId))).facts;
  }

  async refusalsOf(clusterId: ClusterId | null): Promise<readonly AgentFact['data'][]> {
    const { facts } = await this.#parts.eventStore.load<AgentFact>(agentAuthStream(clusterId));
    return facts.map(({ data }) => data);
  }

  async stop(): Promise<void> {
    const { deciding, eventStore, server, folder } = this.#parts;
    await this.agents.stop();
    await deciding.stop();
    await eventStore.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }

  #run(clusterId: ClusterId, decide: (state: ClusterState) => readonly ClusterFact[]): Promise<unknown> {
    return this.#parts.deciding.commands.run<ClusterState, ClusterFact>({
      stream: clusterStream(clusterId),
      initial: initialCluster,
      evolve: evolveCluster,
      cause: { actor: { kind: 'user', id: 'admin' }, $correlationId: randomUUID() },
      decide,
    });
  }
}

/** Waits until the condition holds, looking often; fails after the deadline with what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 5_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
