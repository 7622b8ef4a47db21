/**
 * Serving with an identity that is believed to be good: two connections to the control plane, dialled again for ever with full
 * jitter, and renewals before anything runs out. It ends when the control plane says that the identity does not count,
 * with that reason; what to do then is not decided here.
 */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Log } from '@clustral/kernel/log.ts';
import { backoff, pause } from './backoff.ts';
import type { AgentConfig } from './config.ts';
import { Connection, type AgentProcess, type ConnectionParts } from './connection.ts';
import type { Connections } from './connections.ts';
import { openSession } from './control-plane-session.ts';
import { failureSentence, type Place } from './failure-sentence.ts';
import { datesOf, type Identity } from './identity.ts';
import type { IdentityKeeper } from './identity-keeper.ts';
import { refusalIn, type ControlPlaneRefusal } from './refusal-code.ts';
import { IdentityRenewals, type RenewalPatience } from './identity-renewals.ts';
import { certificateProblem } from './renewal.ts';

/** For redundancy and lost packets, not for speed. */
const connectionCount = 2;
/** A connection that lasted so long was a good one. */
const settledMs = 10_000;

export type ServiceParts = Pick<ConnectionParts, 'kubernetes' | 'encoder' | 'monotonic' | 'random' | 'now'> & {
  readonly config: AgentConfig;
  readonly keeper: IdentityKeeper;
  readonly connections: Connections;
  readonly process: () => Promise<AgentProcess>;
  readonly patience: RenewalPatience;
  readonly log: Log;
};

type Connected = { readonly connection: Connection; readonly identity: Identity };

export class Service {
  readonly #parts: ServiceParts;
  readonly #ending = Promise.withResolvers<string>();
  readonly #abort = new AbortController();
  readonly #place: Place;
  #said = '';
  readonly #renewals: IdentityRenewals;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.#renewals = new IdentityRenewals({ ...parts, onFailed: (error, identity) => this.#failed(error, identity) });
    this.#place = { what: 'The control plane', host: parts.config.controlPlane.host, trust: 'AGENT_CONTROL_PLANE_URL' };
  }

  /** Serves until the identity is refused, and resolves with why; or until `signal` aborts, and resolves with an empty text. */
  async run(signal: AbortSignal): Promise<string> {
    const stop = (): void => this.#ending.resolve('');
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const work = [
      this.#renewals.run(this.#abort.signal),
      ...Array.from({ length: connectionCount }, () => this.#keepConnected()),
    ];
    for (const one of work) one.catch((error: unknown) => this.#ending.reject(error));
    try {
      const reason = await this.#ending.promise;
      if (reason !== '') this.#parts.connections.destroy();
      return reason;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#abort.abort();
      await Promise.allSettled(work);
    }
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#abort;
    const { monotonic, random } = this.#parts;
    let before: Connection | undefined;
    let failures = 0;
    while (!signal.aborted) {
      if (failures > 0) await pause(backoff(failures, random), signal);
      failures += 1;
      const connected = signal.aborted ? undefined : await this.#connect();
      if (!connected) continue;
      const { connection, identity } = connected;
      before?.drain();
      before = undefined;
      const openedAt = monotonic();
      const leaving = await Promise.race([connection.left, aborted(signal)]);
      if (leaving === undefined) return;
      if (monotonic() - openedAt > settledMs) failures = 1;
      if (leaving.kind === 'replace') {
        before = connection;
        failures = 0;
        // Many are told so at once; they shall not come at once.
        await pause(leaving.afterMs * (1 + random()), signal);
      } else {
        await this.#failed(leaving.error, identity);
      }
    }
  }

  /** Undefined when it did not come to be; whatever had to be done about it was done. */
  async #connect(): Promise<Connected | undefined> {
    const { keeper, now } = this.#parts;
    const identity = await keeper.load();
    if (!identity) {
      this.#ending.resolve('The identity of this agent is no longer where it was kept, or it is another cluster’s.');
      return undefined;
    }
    const dates = datesOf(identity);
    const problem = certificateProblem(dates, now().getTime());
    if (problem !== undefined) {
      this.#ending.resolve(problem);
      return undefined;
    }
    try {
      if (dates.tokenUntil <= now().getTime()) await this.#renewals.renewToken(identity);
      return await this.#dial(keeper.current ?? identity);
    } catch (error) {
      await this.#failed(error, identity);
      return undefined;
    }
  }

  async #dial(identity: Identity): Promise<Connected> {
    const { config, keeper, connections, process, log } = this.#parts;
    const url = config.controlPlane;
    const [session, description] = await Promise.all([
      openSession({ url, ca: identity.caBundlePem, identity }),
      process(),
    ]);
    const server = (session.socket as TLSSocket).getPeerX509Certificate();
    const connection = new Connection({
      ...this.#parts,
      session,
      url,
      process: description,
      heartbeatIntervalMs: config.heartbeatIntervalMs,
      token: () => keeper.current?.token ?? identity.token,
      onEpoch: (epoch) => connections.isNewest(epoch),
      onRevoked: (reason) => this.#ending.resolve(reason),
      onRefused: (refusal) =>
        void this.#refused(refusal, identity).catch((error: unknown) => this.#failed(error, identity)),
      onTrustBundle: (pem) => void this.#trust(pem, server).catch((error: unknown) => this.#say(String(error))),
    });
    connections.add(connection);
    // Renewed while this one was being dialled: it was not there to be replaced with the others.
    if (keeper.current && keeper.current.certificatePem !== identity.certificatePem) connection.replace(0);
    await Promise.race([connection.opened, aborted(this.#abort.signal)]);
    this.#said = '';
    log.info({ controlPlane: url.host }, 'connected to the control plane');
    return { connection, identity };
  }

  async #trust(caBundlePem: string, server: X509Certificate | undefined): Promise<void> {
    const isKept = server !== undefined && (await this.#parts.keeper.trust(caBundlePem, server));
    if (!isKept)
      this.#say('The control plane sent CA certificates that do not fit its own certificate; they were not kept.');
  }

  async #failed(error: unknown, identity: Identity): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const refusal = refusalIn(error);
    if (refusal) await this.#refused(refusal, identity);
    else this.#say(failureSentence(error, this.#place, this.#parts.now()));
  }

  async #refused({ code, reason }: ControlPlaneRefusal, identity: Identity): Promise<void> {
    if (code === 'AGENT_REVOKED') {
      this.#ending.resolve(reason);
    } else if (code === 'SUPERSEDED') {
      const found = await this.#parts.keeper.load();
      if (!found || found.certificatePem === identity.certificatePem) this.#ending.resolve(reason);
    } else if (code === 'AGENT_UNAUTHENTICATED') {
      await this.#renewRefusedToken(identity, reason);
    } else {
      this.#say(`The control plane refused this agent (${code}): ${reason}`);
    }
  }

  // An expired token with a good certificate is renewed (D1). What is refused right after that is refused for another reason.
  async #renewRefusedToken(identity: Identity, reason: string): Promise<void> {
    try {
      await this.#renewals.renewToken(identity);
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal?.code === 'AGENT_UNAUTHENTICATED') this.#ending.resolve(refusal.reason);
      else await this.#failed(error, identity);
      return;
    }
    if (this.#parts.keeper.current?.token === identity.token) this.#ending.resolve(reason);
  }

  // The same sentence once, until things change.
  #say(sentence: string): void {
    if (this.#said === sentence || this.#abort.signal.aborted) return;
    this.#said = sentence;
    this.#parts.log.warn(sentence);
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
