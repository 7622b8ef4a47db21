/**
 * The API server that this agent serves. It speaks HTTP/2 to it, and HTTP/1.1 when the server knows nothing else; long requests
 * travel on other connections than short ones, so that watches never take their room, and an upgrade on one of its own. It follows
 * no redirect, sends nothing twice (D22) and trusts the given CA only. The rule it lives by: every failure is one sentence to
 * whoever asked.
 */
import type { TLSSocket } from 'node:tls';
import type { RequestHead } from '@clustral/schemas/lane-codec.ts';
import { failureSentence, type Place } from './failure-sentence.ts';
import { apiServerTls, type ApiServerTls, type KubernetesConfig } from './kubernetes-config.ts';
import { PendingRequest } from './pending-request.ts';
import { headProblem, isLong, requestHeaders } from './request-headers.ts';
import { NoToken, ownToken, type OwnToken } from './service-account-token.ts';
import { SessionPool, type PooledSession } from './session-pool.ts';
import { dialTls, type TlsDial } from './tls-dial.ts';
import { upgradeCall, upgradeProblem } from './upgrade-head.ts';
import { H1Upstream } from './upstream-h1.ts';
import { H2Request, type H2Target } from './upstream-h2.ts';
import { UpgradeRequest } from './upstream-upgrade.ts';
import { agentError, type UpstreamCall, type UpstreamHandlers, type UpstreamRequest } from './upstream.ts';
import { VersionAnswer, type ServerVersion } from './version-answer.ts';

const dialMs = 10_000;
const versionMs = 3_000;
const mostShortSessions = 4;
const mostLongSessions = 16;

export type KubernetesOptions = {
  readonly config: KubernetesConfig;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
};

export class Kubernetes {
  readonly #options: KubernetesOptions;
  readonly #place: Place;
  readonly #token: OwnToken;
  readonly #target: H2Target;
  readonly #short: SessionPool;
  readonly #long: SessionPool;
  #http1: H1Upstream | undefined;

  constructor(options: KubernetesOptions) {
    const { config, monotonic, now } = options;
    const authority = config.url.host;
    this.#options = options;
    this.#place = { what: "The cluster's API server", host: authority, trust: config.trustedBy };
    this.#token = ownToken(config.token, monotonic);
    this.#target = { authority, place: this.#place, now };
    const dial = (): Promise<TLSSocket> => this.#dialHttp2();
    this.#short = new SessionPool({ authority, monotonic, dial, most: mostShortSessions });
    this.#long = new SessionPool({ authority, monotonic, dial, most: mostLongSessions });
  }

  /** Makes a request as the person that the head names. Its failure may be told before this returns. */
  open(head: RequestHead, body: { readonly bodyless: boolean }, handlers: UpstreamHandlers): UpstreamRequest {
    const problem = headProblem(head);
    if (problem !== undefined) return refused(handlers, problem);
    const token = this.#token.peek();
    const pool = isLong(head) ? this.#long : this.#short;
    const { method, target } = head;
    const callWith = (agentToken: string): UpstreamCall => {
      return { method, target, headers: requestHeaders(head, agentToken), ...body };
    };
    try {
      const started = token === undefined ? undefined : this.#startAtOnce(callWith(token), { pool, handlers });
      return started ?? this.#startWhenReady(callWith, { pool, handlers });
    } catch (error) {
      // The connection ended a moment ago, and node says so only now.
      return refused(handlers, this.#sentence(error));
    }
  }

  /** Asks to leave HTTP as the person that the head names. Its failure may be told before this returns. */
  upgrade(head: RequestHead, handlers: UpstreamHandlers): UpstreamRequest {
    const problem = headProblem(head) ?? upgradeProblem(head);
    if (problem !== undefined) return refused(handlers, problem);
    const unwanted = new AbortController();
    const pending = new PendingRequest(handlers, () => unwanted.abort());
    const start = async (): Promise<void> => {
      const token = this.#token.peek() ?? (await this.#token.settled());
      const { socket } = await this.#dial({ protocols: ['http/1.1'], allowHalfOpen: true, signal: unwanted.signal });
      if (pending.isCancelled) return void socket.destroy();
      const { now } = this.#options;
      pending.begin(new UpgradeRequest(socket, upgradeCall(head, token), { handlers, place: this.#place, now }));
    };
    start().catch((error: unknown) => pending.refuse(agentError(this.#sentence(error))));
    return pending;
  }

  /** What the API server says its version is. Asked as the agent itself. */
  async version(): Promise<ServerVersion> {
    const answer = new VersionAnswer(`${this.#place.what} at ${this.#place.host}`);
    const asked = this.#startWhenReady(
      (token) => ({
        method: 'GET',
        target: '/version',
        headers: ['accept', 'application/json', ...(token === '' ? [] : ['authorization', `Bearer ${token}`])],
        bodyless: true,
      }),
      { pool: this.#short, handlers: answer },
    );
    const found = await answer.within(versionMs);
    asked.cancel();
    return found;
  }

  /** To be called several times a second. */
  tick(now: number): void {
    this.#short.tick(now);
    this.#long.tick(now);
  }

  /** Ends every connection and with it every request. */
  destroy(): void {
    this.#short.destroy();
    this.#long.destroy();
    this.#http1?.destroy();
  }

  #startAtOnce(call: UpstreamCall, { pool, handlers }: Start): UpstreamRequest | undefined {
    if (this.#http1) return this.#http1.open(call, handlers);
    const pooled = pool.ready();
    return pooled && this.#send(call, { pool, pooled, handlers });
  }

  #startWhenReady(callWith: (token: string) => UpstreamCall, { pool, handlers }: Start): UpstreamRequest {
    const pending = new PendingRequest(handlers);
    const start = async (): Promise<void> => {
      const token = this.#token.peek() ?? (await this.#token.settled());
      const call = callWith(token);
      // Each further round means that others took the room of a connection which was just opened.
      for (let round = 0; !pending.isCancelled; round += 1) {
        const started = this.#startAtOnce(call, { pool, handlers });
        if (started) return pending.begin(started);
        if (!pool.canGrow || round > mostLongSessions)
          return pending.begin(this.#startCrowded(call, { pool, handlers }));
        await pool.grow().catch((error: unknown) => {
          if (!this.#http1) throw error;
        });
      }
    };
    start().catch((error: unknown) => pending.refuse(agentError(this.#sentence(error))));
    return pending;
  }

  // Short requests wait for their turn, within their own time limit; a long one could wait for hours.
  #startCrowded(call: UpstreamCall, { pool, handlers }: Start): UpstreamRequest {
    const pooled = pool === this.#short ? pool.leastFull() : undefined;
    if (pooled) return this.#send(call, { pool, pooled, handlers });
    return refused(handlers, `${this.#place.what} has as many requests open as its connections allow. Try again.`);
  }

  #send(call: UpstreamCall, { pool, pooled, handlers }: Start & { readonly pooled: PooledSession }): UpstreamRequest {
    const sent = new H2Request(pooled.session, call, { handlers, target: this.#target });
    sent.onClosed(pool.use(pooled));
    return sent;
  }

  async #dialHttp2(): Promise<TLSSocket> {
    const { config, now } = this.#options;
    const { socket, tls } = await this.#dial({ protocols: ['h2', 'http/1.1'] });
    if (socket.alpnProtocol === 'h2') return socket;
    socket.destroy();
    const http1 = new H1Upstream({
      url: config.url,
      place: this.#place,
      now,
      tls,
      onFailure: () => {
        // Asked anew at the next request: by then it may speak HTTP/2, or have another certificate.
        if (this.#http1 === http1) this.#http1 = undefined;
      },
    });
    this.#http1 ??= http1;
    throw new Error('the API server does not speak HTTP/2');
  }

  async #dial({ protocols, signal, allowHalfOpen }: Dial): Promise<{ socket: TLSSocket; tls: ApiServerTls }> {
    const { config } = this.#options;
    const tls = await apiServerTls(config);
    const options = { ...tls, ...(allowHalfOpen && { allowHalfOpen }) };
    const how = { url: config.url, protocols, deadlineMs: dialMs, ca: tls.ca, options };
    return { socket: await dialTls(signal ? { ...how, signal } : how), tls };
  }

  #sentence(error: unknown): string {
    if (error instanceof NoToken) return error.message;
    return failureSentence(error, this.#place, this.#options.now());
  }
}

type Dial = Pick<TlsDial, 'protocols' | 'signal'> & { readonly allowHalfOpen?: true };

type Start = { readonly pool: SessionPool; readonly handlers: UpstreamHandlers };

function refused(handlers: UpstreamHandlers, message: string): UpstreamRequest {
  handlers.fail(agentError(message));
  return new PendingRequest(handlers);
}
