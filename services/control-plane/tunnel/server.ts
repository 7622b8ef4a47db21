/**
 * The tunnel of the control plane: puts the server on :5443, the registry of agents, enrolment and the facts about them together,
 * and keeps their one clock. `createTunnel` is all that `main.ts` needs of this folder.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, type ErrorCode } from '@clustral/schemas/errors.ts';
import { parseClusterId, type ClusterId } from '@clustral/schemas/ids.ts';
import { LaneEncoder } from '@clustral/schemas/lane-codec.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import type { AgentTokens } from '../agent-tokens.ts';
import type { CertificateAuthority } from '../certificate-authority.ts';
import type { ClusterState } from '../domain/cluster.ts';
import type { Agents, Commands, Policy } from '../ports.ts';
import { AgentRegistry } from './agents.ts';
import { AuthFailures } from './auth-failures.ts';
import { createAuthenticator, type Authenticator } from './authenticator.ts';
import { Connection, type AgentProcess, type ControlMessage } from './connection.ts';
import { createCallHandler } from './calls.ts';
import { Enrolment } from './enrolment.ts';
import type { Outbox } from '@clustral/kernel/outbox.ts';
import { PresenceFacts } from './presence-facts.ts';
import { startTunnelServer, type RefusedCall, type TunnelCall, type TunnelServer } from './listener.ts';

export type TunnelOptions = {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** DNS names and addresses by which agents dial: the names in the server's certificate (D6). */
  readonly serverNames: readonly string[];
  readonly docsBaseUrl: string;
  readonly policy: Pick<Policy, 'cluster' | 'assertFresh' | 'onFact'>;
  /** Every cluster of the policy fold: at the start, those that the log has as connected are looked at. */
  readonly clusters: () => Iterable<ClusterState>;
  readonly commands: Commands;
  readonly authority: CertificateAuthority;
  readonly tokens: AgentTokens;
  /** The lease's epoch: agents keep the highest they have seen (D18). */
  readonly epoch: number;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  /** So many bytes may wait for callers that do not read; 512 MB when unset (D41). */
  readonly mostStalledBytes?: number;
  readonly log: Log;
};

const tickMs = 1_000;
const recheckEveryMs = 60_000;
const stopMs = 1_500;
const defaultStalledBytes = 512 * 1024 * 1024;

/** Listens for agents. `open` may be called from then on; `stop` lets running requests end for a moment and then cuts them. */
export async function createTunnel(options: TunnelOptions): Promise<Agents & Running & { readonly port: number }> {
  const tunnel = new Tunnel(options);
  const { port } = await tunnel.listen();
  return {
    port,
    open: (call, handlers) => tunnel.registry.open(call, handlers),
    presence: (clusterId) => tunnel.registry.presence(clusterId),
    stop: () => tunnel.stop(),
  };
}

class Tunnel {
  readonly registry: AgentRegistry;
  readonly #options: TunnelOptions;
  readonly #authenticator: Authenticator;
  readonly #failures: AuthFailures;
  readonly #presence: PresenceFacts;
  readonly #enrolment: Enrolment;
  readonly #encoder = new LaneEncoder();
  #server: TunnelServer | undefined;
  #stopListening: () => void = () => undefined;
  #ticker: NodeJS.Timeout | undefined;
  #recheckedAt: number;

  constructor(options: TunnelOptions) {
    const { policy, authority, monotonic } = options;
    this.#options = options;
    this.#recheckedAt = monotonic();
    this.#authenticator = createAuthenticator({ ...options, policy, trusted: authority.trusted });
    this.registry = new AgentRegistry({
      monotonic,
      nameOf: (clusterId) => {
        const cluster = policy.cluster(clusterId);
        return cluster === undefined || cluster.status === 'absent' ? clusterId : cluster.name;
      },
      mostStalledBytes: options.mostStalledBytes ?? defaultStalledBytes,
      recheck: ({ parts, tokenExpiresAt }) => this.#authenticator.recheck(parts.identity, parts.peer, tokenExpiresAt),
    });
    this.#failures = new AuthFailures(options);
    const connections = (id: Parameters<AgentRegistry['connections']>[0]) => this.registry.connections(id);
    this.#presence = new PresenceFacts({ ...options, connections }, options.clusters());
    this.#enrolment = new Enrolment(options);
  }

  async listen(): Promise<{ readonly port: number }> {
    this.#server = await startTunnelServer({
      ...this.#options,
      authenticator: this.#authenticator,
      answer: createCallHandler({
        ...this.#options,
        enrolment: this.#enrolment,
        open: (call, process, outbox) => this.#open(call, process, outbox),
        onRefused: (refused) => this.#refused(refused),
      }),
      onRefused: (refused) => this.#refused(refused),
    });
    // A listener is called after the fold took the fact, so the check sees what it says (D2).
    this.#stopListening = this.#options.policy.onFact((fact) => {
      if (endsIdentities.has(fact.type)) this.registry.recheck((fact.data as { clusterId: ClusterId }).clusterId);
    });
    this.#ticker = setInterval(() => this.#tick(), tickMs).unref();
    return this.#server;
  }

  async stop(): Promise<void> {
    this.#stopListening();
    clearInterval(this.#ticker);
    for (const connection of this.registry.all()) {
      connection.drain();
      connection.say({ case: 'drain', value: { reconnectAfterMs: 500 } });
    }
    const deadline = this.#options.monotonic() + stopMs;
    // The last words need a moment too.
    do await sleep(50);
    while (this.registry.all().some(({ busyLanes }) => busyLanes > 0) && this.#options.monotonic() < deadline);
    await this.#server?.stop();
  }

  #tick(): void {
    const now = this.#options.monotonic();
    this.#server?.enforceLimits(now);
    this.registry.enforceLimits(now);
    this.#presence.tell(now);
    this.#failures.flush(now);
    if (now - this.#recheckedAt < recheckEveryMs) return;
    this.#recheckedAt = now;
    this.registry.recheck();
  }

  #open({ context, caller }: TunnelCall, process: AgentProcess, outbox: Outbox<ControlMessage>): Connection {
    const { log, now, monotonic } = this.#options;
    const { peer, session } = context;
    if (caller.kind !== 'agent' || peer instanceof Refusal) throw new Error('the authenticator let a stranger through');
    if (context.connection) throw new Refusal('BAD_REQUEST', 'This connection has a Control stream already.');
    const { identity, tokenExpiresAt } = caller;
    const { clusterId } = identity;
    let violations = 0;
    const connection = new Connection(
      {
        session,
        peer,
        identity,
        process,
        outbox,
        monotonic,
        encoder: this.#encoder,
        connectedAt: now(),
        onFreeLane: (free) => this.registry.serve(free),
        onViolation: (what) => {
          violations += 1;
          if (violations <= mostViolationsLogged)
            log.warn({ clusterId, what }, 'an agent broke the protocol on a lane');
        },
      },
      tokenExpiresAt,
    );
    this.registry.attach(connection);
    context.connection = connection;
    log.info({ clusterId, ...process }, 'an agent is connected');
    session.once('close', () => {
      const isLast = this.registry.detach(connection);
      log.info({ clusterId, instanceId: process.instanceId, isLast }, 'a connection of an agent is gone');
      if (isLast) this.#presence.went(clusterId);
    });
    this.#presence.came(clusterId);
    return connection;
  }

  #refused({ refusal, context, method, claimedId = '' }: RefusedCall): void {
    const { peer, sourceAddress } = context;
    const { log } = this.#options;
    const named = peer instanceof Refusal ? claimedId : peer.clusterId;
    const isNews =
      recorded.has(refusal.code) &&
      this.#failures.note({ clusterId: this.#existing(named), code: refusal.code, method, sourceAddress });
    // Whoever knocks a thousand times gets one line a minute.
    log[isNews ? 'info' : 'debug']({ code: refusal.code, method, sourceAddress }, refusal.message);
  }

  /** The id when there is such a cluster: nobody may make streams by naming ids. */
  #existing(id: string): ClusterId | null {
    try {
      const clusterId = parseClusterId(id);
      return this.#options.policy.cluster(clusterId) === undefined ? null : clusterId;
    } catch (refusal) {
      if (refusal instanceof Refusal) return null;
      throw refusal;
    }
  }
}

const mostViolationsLogged = 10;
const endsIdentities: ReadonlySet<string> = new Set([
  'cluster.agent_revoked',
  'cluster.agent_enrolled',
  'cluster.deleted',
]);
/** Refusals that say something about who knocked; the others are about what was asked, or about us. */
const recorded: ReadonlySet<ErrorCode> = new Set([
  'AGENT_UNAUTHENTICATED',
  'AGENT_REVOKED',
  'SUPERSEDED',
  'BOOTSTRAP_TOKEN_INVALID',
  'FORBIDDEN',
]);
