/**
 * The tunnel of the control plane: puts the server on :5443, the registry of agents, enrolment and the facts about them together,
 * and keeps their one clock. `createTunnel` is all that `main.ts` needs of this folder.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createContextKey,
  createContextValues,
  type ConnectError,
  type ConnectRouter,
  type HandlerContext,
} from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { AgentService } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import { TunnelService, type ControlUp } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import { Refusal, type ErrorCode } from '@clustral/schemas/errors.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { LaneEncoder } from '@clustral/schemas/lane-codec.ts';
import { connectError } from '@clustral/kernel/http-errors.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import type { AgentTokens } from '../agent-tokens.ts';
import type { CertificateAuthority } from '../certificate-authority.ts';
import type { PresentedIdentity } from '../domain/cluster-agent.ts';
import type { ClusterState } from '../domain/cluster.ts';
import type { Agents, Commands, Policy } from '../ports.ts';
import { AgentRegistry } from './agents.ts';
import { AuthFailures } from './auth-failures.ts';
import { createAuthenticator, type Authenticator, type Caller } from './authenticator.ts';
import { Connection, type AgentProcess, type ControlMessage } from './connection.ts';
import { speak } from './control.ts';
import { Enrolment } from './enrolment.ts';
import type { Outbox } from './outbox.ts';
import { PresenceFacts } from './presence-facts.ts';
import { startTunnelServer, type SessionContext, type TunnelCall } from './server.ts';

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
  readonly log: Log;
};

const tickMs = 1_000;
const recheckEveryMs = 60_000;
const stopMs = 1_500;

const callKey = createContextKey<TunnelCall | undefined>(undefined, { description: 'a call on the tunnel' });

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
  readonly #calls = new WeakMap<object, TunnelCall>();
  #server: (Running & { readonly port: number }) | undefined;
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
      recheck: ({ parts, tokenExpiresAt }) => this.#authenticator.recheck(parts.identity, parts.peer, tokenExpiresAt),
    });
    this.#failures = new AuthFailures(options);
    const connections = (id: Parameters<AgentRegistry['connections']>[0]) => this.registry.connections(id);
    this.#presence = new PresenceFacts({ ...options, connections }, options.clusters());
    this.#enrolment = new Enrolment(options);
  }

  async listen(): Promise<{ readonly port: number }> {
    const adapter = connectNodeAdapter({
      routes: (router) => this.#route(router),
      grpc: false,
      grpcWeb: false,
      acceptCompression: [],
      readMaxBytes: 65_536,
      contextValues: (request) => createContextValues().set(callKey, this.#calls.get(request)),
    });
    this.#server = await startTunnelServer({
      ...this.#options,
      authenticator: this.#authenticator,
      answer: (call) => {
        this.#calls.set(call.request, call);
        adapter(call.request, call.response);
      },
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
    while (this.registry.all().some(({ busyLanes }) => busyLanes > 0) && this.#options.monotonic() < deadline) {
      await sleep(50);
    }
    await this.#server?.stop();
  }

  #tick(): void {
    const now = this.#options.monotonic();
    this.registry.enforceLimits(now);
    this.#presence.tell(now);
    this.#failures.flush(now);
    if (now - this.#recheckedAt < recheckEveryMs) return;
    this.#recheckedAt = now;
    this.registry.recheck();
  }

  #route(router: ConnectRouter): void {
    const { registerAgent, renewCertificate, renewToken } = AgentService.method;
    router.rpc(registerAgent, (request, context) =>
      this.#answer(context, ({ origin }) => this.#enrolment.register(request, origin)),
    );
    router.rpc(renewCertificate, (request, context) =>
      this.#answer(context, ({ origin, identity }) => this.#enrolment.renewCertificate(request, identity(), origin)),
    );
    router.rpc(renewToken, (_request, context) =>
      this.#answer(context, ({ origin, identity }) => this.#enrolment.renewToken(identity(), origin)),
    );
    const control = (requests: AsyncIterable<ControlUp>, context: HandlerContext) => this.#control(requests, context);
    router.rpc(TunnelService.method.control, control);
  }

  async #answer<Answer>(context: HandlerContext, handle: (asked: Asked) => Promise<Answer>): Promise<Answer> {
    const call = callOf(context);
    const origin = { sourceAddress: call.context.sourceAddress, correlationId: randomUUID() };
    try {
      return await handle({ origin, identity: () => identityOf(call.caller) });
    } catch (thrown) {
      throw this.#told(thrown, { call, method: context.method.name, correlationId: origin.correlationId });
    }
  }

  async *#control(requests: AsyncIterable<ControlUp>, context: HandlerContext) {
    const call = callOf(context);
    try {
      yield* speak(requests, {
        epoch: this.#options.epoch,
        trustBundlePem: this.#options.authority.trusted.join('\n'),
        now: this.#options.now,
        open: (process, outbox) => this.#open(call, process, outbox),
        close: ({ parts }) => void setTimeout(() => parts.session.destroy(), farewellMs).unref(),
        signal: context.signal,
      });
    } catch (thrown) {
      throw this.#told(thrown, { call, method: context.method.name, correlationId: randomUUID() });
    }
  }

  #told(thrown: unknown, { call, method, correlationId }: Told): ConnectError {
    if (thrown instanceof Refusal) this.#refused({ refusal: thrown, context: call.context, method });
    else this.#options.log.error({ err: thrown, correlationId }, `${method} failed in a way nobody foresaw`);
    return connectError(thrown, { docsBaseUrl: this.#options.docsBaseUrl, correlationId });
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
        ...{ session, peer, identity, process, outbox, monotonic, encoder: this.#encoder, connectedAt: now() },
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

  #refused({ refusal, context, method }: { refusal: Refusal; context: SessionContext; method: string }): void {
    const { peer, sourceAddress } = context;
    this.#options.log.info({ code: refusal.code, method, sourceAddress }, refusal.message);
    if (!recorded.has(refusal.code)) return;
    const claimed = peer instanceof Refusal ? undefined : peer.clusterId;
    const exists = claimed !== undefined && this.#options.policy.cluster(claimed) !== undefined;
    this.#failures.note({ clusterId: exists ? claimed : null, code: refusal.code, method, sourceAddress });
  }
}

type Asked = {
  readonly origin: { readonly sourceAddress: string; readonly correlationId: string };
  readonly identity: () => PresentedIdentity;
};
type Told = { readonly call: TunnelCall; readonly method: string; readonly correlationId: string };

const farewellMs = 300;
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

function callOf(context: HandlerContext): TunnelCall {
  const call = context.values.get(callKey);
  if (!call) throw new Error('a handler of the tunnel was called past the authenticator');
  return call;
}

function identityOf(caller: Caller): PresentedIdentity {
  if (caller.kind !== 'agent') throw new Error('a method for agents was let through without one');
  return caller.identity;
}
