/**
 * The API server that this agent serves. It speaks HTTP/2 to it, and HTTP/1.1 when the server knows nothing else; long requests
 * travel on other connections than short ones, so that watches never take their room. It follows no redirect, sends nothing
 * twice (D22) and trusts the given CA only. The rule it lives by: every failure is one sentence to whoever asked.
 */
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { RequestHead } from '@clustral/schemas/lane-codec.ts';
import type { AgentConfig } from './config.ts';
import { failureSentence, type Place } from './failure-sentence.ts';
import { PendingRequest } from './pending-request.ts';
import { headProblem, isLong, requestHeaders } from './request-headers.ts';
import { NoToken, ServiceAccountToken } from './service-account-token.ts';
import { SessionPool, type PooledSession } from './session-pool.ts';
import { dialTls } from './tls-dial.ts';
import { H1Upstream } from './upstream-h1.ts';
import { H2Request, type H2Target } from './upstream-h2.ts';
import { agentError, type UpstreamCall, type UpstreamHandlers, type UpstreamRequest } from './upstream.ts';

const dialMs = 10_000;
const mostShortSessions = 4;
const mostLongSessions = 16;

export type KubernetesOptions = {
  readonly config: AgentConfig['kubernetes'];
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
};

export class Kubernetes {
  readonly #options: KubernetesOptions;
  readonly #place: Place;
  readonly #token: ServiceAccountToken;
  readonly #target: H2Target;
  readonly #short: SessionPool;
  readonly #long: SessionPool;
  #http1: H1Upstream | undefined;

  constructor(options: KubernetesOptions) {
    const { config, monotonic, now } = options;
    const authority = config.url.host;
    this.#options = options;
    this.#place = { what: "The cluster's API server", host: authority, trust: 'AGENT_KUBERNETES_CA_PATH' };
    this.#token = new ServiceAccountToken(config.tokenPath, monotonic);
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

  /** What the API server says its version is, or an empty text. Asked as the agent itself. */
  async version(): Promise<string> {
    const answer = Promise.withResolvers<string>();
    let text = '';
    const asked = this.#startWhenReady(
      (token) => ({
        method: 'GET',
        target: '/version',
        headers: ['accept', 'application/json', 'authorization', `Bearer ${token}`],
        bodyless: true,
      }),
      {
        pool: this.#short,
        handlers: {
          head: () => undefined,
          data: (chunk) => {
            if (text.length < mostVersionBytes) text += chunk.toString('utf8');
            return true;
          },
          end: () => answer.resolve(versionIn(text)),
          fail: () => answer.resolve(''),
          drain: () => undefined,
        },
      },
    );
    const timer = setTimeout(() => answer.resolve(''), versionMs);
    const version = await answer.promise;
    clearTimeout(timer);
    asked.cancel();
    return version;
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
    const { config } = this.#options;
    const checks: ConnectionOptions = config.skipTlsVerify ? { rejectUnauthorized: false } : {};
    const ca = config.skipTlsVerify ? [] : await readFile(config.caPath, 'utf8');
    const protocols = ['h2', 'http/1.1'];
    const socket = await dialTls({ url: config.url, ca, protocols, deadlineMs: dialMs, options: checks });
    if (socket.alpnProtocol === 'h2') return socket;
    socket.destroy();
    const http1 = new H1Upstream({
      url: config.url,
      place: this.#place,
      now: this.#options.now,
      tls: { ...checks, ca },
      onFailure: () => {
        // Asked anew at the next request: by then it may speak HTTP/2, or have another certificate.
        if (this.#http1 === http1) this.#http1 = undefined;
      },
    });
    this.#http1 ??= http1;
    throw new Error('the API server does not speak HTTP/2');
  }

  #sentence(error: unknown): string {
    if (error instanceof NoToken) return error.message;
    return failureSentence(error, this.#place, this.#options.now());
  }
}

type Start = { readonly pool: SessionPool; readonly handlers: UpstreamHandlers };

const versionMs = 3_000;
const mostVersionBytes = 16_384;

function versionIn(json: string): string {
  try {
    const { gitVersion } = JSON.parse(json) as { gitVersion?: unknown };
    return typeof gitVersion === 'string' ? gitVersion.slice(0, 64) : '';
  } catch {
    return '';
  }
}

function refused(handlers: UpstreamHandlers, message: string): UpstreamRequest {
  handlers.fail(agentError(message));
  return new PendingRequest(handlers);
}
