/**
 * The agent as a whole: gets an identity, serves with it, and when it no longer counts waits quietly for a new invitation.
 * The rule it lives by (D1): an agent that was told to go says why once, holds no connection, and does not knock again and
 * again.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LaneEncoder } from '@clustral/schemas/lane-codec.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { backoff, pause, spread } from './backoff.ts';
import type { AgentConfig } from './config.ts';
import { Connections } from './connections.ts';
import type { AgentProcess } from './connection.ts';
import { failureSentence, isClockProblem, isUntrusted, type Place } from './failure-sentence.ts';
import { UntrustedServer } from './first-contact.ts';
import type { Identity } from './identity.ts';
import type { IdentityKeeper } from './identity-keeper.ts';
import { IdentityUnreachable } from './identity-store.ts';
import type { Kubernetes } from './kubernetes.ts';
import { refusalIn } from './refusal-code.ts';
import type { RenewalPatience } from './identity-renewals.ts';
import { Service } from './service.ts';
import type { ServerVersion } from './version-answer.ts';

/** How long an agent waits where nothing hurries it, milliseconds. */
export type Patience = RenewalPatience & {
  /** Without a usable identity: between two looks for a new bootstrap token. */
  readonly lookMs: number;
  /** Without a usable identity: until everything is tried again as it is. */
  readonly tryAgainMs: number;
};

export type AgentParts = {
  readonly config: AgentConfig;
  readonly keeper: IdentityKeeper;
  readonly kubernetes: Kubernetes;
  readonly version: string;
  readonly now: () => Date;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly patience: Patience;
  readonly log: Log;
};

const tickMs = 250;
const finishMs = 2_000;
const windUpMs = 1_000;
const versionGoodMs = 60_000;

export class Agent {
  readonly #parts: AgentParts;
  readonly #connections = new Connections();
  readonly #encoder = new LaneEncoder();
  readonly #instanceId = randomUUID();
  readonly #abort = new AbortController();
  readonly #place: Place;
  readonly #running: Promise<void>;
  readonly #ticker: NodeJS.Timeout;
  #said = '';
  #kubernetesVersion: { readonly answer: Promise<ServerVersion>; readonly until: number } | undefined;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#place = { what: 'The control plane', host: parts.config.controlPlane.host, trust: 'the bootstrap token' };
    this.#ticker = setInterval(() => {
      const now = parts.monotonic();
      this.#connections.tick(now);
      parts.kubernetes.tick(now);
    }, tickMs);
    this.#running = this.#run();
  }

  get isConnected(): boolean {
    return this.#connections.isConnected;
  }

  /** Rejects with what no waiting helps against; otherwise resolves when the agent was stopped. */
  get running(): Promise<void> {
    return this.#running;
  }

  /** Says goodbye, lets open requests finish for a moment, and closes everything. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#connections.leave(finishMs);
    // A dial or a call that is still under way has its own deadline, and what it brings is closed at once.
    await Promise.race([this.#running.catch(() => undefined), delay(windUpMs, undefined, { ref: false })]);
    clearInterval(this.#ticker);
    this.#parts.kubernetes.destroy();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const { log } = this.#parts;
    while (!signal.aborted) {
      const identity = await this.#identity();
      if (!identity) return;
      const reason = await new Service({
        ...this.#parts,
        connections: this.#connections,
        encoder: this.#encoder,
        process: () => this.#process(),
      }).run(signal);
      if (signal.aborted) return;
      this.#connections.destroy();
      log.error(`This agent cannot serve any more. ${reason}`);
      await this.#awaitInvitation(identity);
    }
  }

  /** As it is kept, or new. Undefined when the agent was stopped meanwhile. Rejects with `UntrustedServer`. */
  async #identity(): Promise<Identity | undefined> {
    const { keeper, random } = this.#parts;
    const { signal } = this.#abort;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        return (await keeper.load()) ?? (await this.#firstEnrolment());
      } catch (error) {
        if (!(error instanceof IdentityUnreachable)) throw error;
        this.#say(error.message);
      }
      await pause(backoff(failures, random), signal);
    }
    return undefined;
  }

  /** Undefined when the agent was stopped meanwhile. Rejects with `UntrustedServer`. */
  async #firstEnrolment(): Promise<Identity | undefined> {
    const { keeper, patience, random } = this.#parts;
    const { signal } = this.#abort;
    for (let failures = 0; !signal.aborted;) {
      const token = keeper.invitation();
      if (token === undefined) {
        this.#say(
          'This agent has no identity yet, and AGENT_BOOTSTRAP_TOKEN or its file holds no token: it waits for one.',
        );
        await pause(spread(Math.min(patience.lookMs, 2_000), random), signal);
        continue;
      }
      const outcome = await this.#redeem(token);
      if (typeof outcome === 'object') return outcome;
      failures += 1;
      if (outcome === 'refused') await this.#untilTokenChanges(token);
      else await pause(backoff(failures, random), signal);
    }
    return undefined;
  }

  async #redeem(token: string, instead?: 'instead'): Promise<Identity | 'refused' | 'failed'> {
    const { keeper, config, log, now } = this.#parts;
    try {
      const identity = await keeper.enrol(token, instead);
      log.info({ clusterId: config.clusterId }, 'enrolled');
      this.#said = '';
      return identity;
    } catch (error) {
      // Whoever sits there is not the control plane that gave the token: no waiting makes it trustworthy.
      if (error instanceof UntrustedServer) throw error;
      if (isUntrusted(error) && !isClockProblem(error)) {
        throw new UntrustedServer(failureSentence(error, this.#place, now()));
      }
      const refusal = error instanceof Refusal ? { code: error.code, reason: error.message } : refusalIn(error);
      this.#say(refusal?.reason ?? failureSentence(error, this.#place, now()));
      return refusal?.code === 'BOOTSTRAP_TOKEN_INVALID' ? 'refused' : 'failed';
    }
  }

  async #untilTokenChanges(token: string): Promise<void> {
    const { keeper, patience, random, monotonic } = this.#parts;
    const { signal } = this.#abort;
    const until = monotonic() + spread(patience.tryAgainMs, random);
    while (!signal.aborted && monotonic() < until && keeper.invitation() === token) {
      await pause(spread(patience.lookMs, random), signal);
    }
  }

  /** Until there is another identity than the one that was refused, or it is time to try even that one again. */
  async #awaitInvitation(refused: Identity): Promise<void> {
    const { keeper, patience, random, monotonic } = this.#parts;
    const { signal } = this.#abort;
    const until = monotonic() + spread(patience.tryAgainMs, random);
    let refusedToken: string | undefined;
    while (!signal.aborted && monotonic() < until) {
      const found = await keeper.load();
      if (found && found.certificatePem !== refused.certificatePem) return;
      const token = keeper.invitation();
      if (token !== undefined && token !== refusedToken) {
        const outcome = await this.#redeem(token, 'instead');
        if (typeof outcome === 'object') return;
        if (outcome === 'refused') refusedToken = token;
      }
      await pause(spread(patience.lookMs, random), signal);
    }
  }

  async #process(): Promise<AgentProcess> {
    const { kubernetes, version, monotonic } = this.#parts;
    const now = monotonic();
    if (!this.#kubernetesVersion || now > this.#kubernetesVersion.until) {
      this.#kubernetesVersion = { answer: kubernetes.version(), until: now + versionGoodMs };
    }
    const answer = await this.#kubernetesVersion.answer;
    if (answer.problem !== undefined) this.#say(answer.problem);
    return {
      agentVersion: version,
      kubernetesVersion: answer.version,
      instanceId: this.#instanceId,
    };
  }

  // The same sentence once, until things change.
  #say(sentence: string): void {
    if (this.#said === sentence) return;
    this.#said = sentence;
    this.#parts.log.warn(sentence);
  }
}
