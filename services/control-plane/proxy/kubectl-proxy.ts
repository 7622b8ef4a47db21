/**
 * The control plane's half of the kubectl path: plain node:http, ahead of every router. A request is identified, admitted,
 * and then carried by an `Exchange`; whatever is refused is answered in one line of text and left on record. It never
 * decides anything itself, never retries, and takes nothing but the gateway's token for a kubeconfig credential (D9).
 */
import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorCatalogue, Refusal } from '@clustral/schemas/errors.ts';
import { isUuid, type ClusterId, type RequestId } from '@clustral/schemas/ids.ts';
import type { InternalClaims } from '@clustral/schemas/tokens.ts';
import type { Correlation } from '@clustral/kernel/correlation.ts';
import { refusalOf, type ErrorAnswer } from '@clustral/kernel/http-errors.ts';
import { kubernetesAnswer } from '@clustral/kernel/kubernetes-answer.ts';
import { correlationOf } from '@clustral/kernel/http-server.ts';
import type { Verifier } from '@clustral/kernel/jwt.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { askedProtocol, responseOn } from '@clustral/kernel/upgrade.ts';
import { clusterExists } from '../domain/standing.ts';
import type { Agents, Policy } from '../ports.ts';
import { admit, identify, type Admitted, type AnsweredHere, type Caller } from './admission.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Denials } from './denials.ts';
import { carry, type ExchangeOptions, type ExchangeParts } from './exchange.ts';
import { isStrict, storedPath } from './kubernetes-request.ts';
import { createOpenRequests, type OpenRequests } from './open-requests.ts';
import { proxyPrefix } from './path.ts';
import type { RequestOrigin } from './proxy-records.ts';

const drainMs = 1_500;
const lingerMs = 1_000;

export type KubectlProxyOptions = {
  readonly verifier: Verifier<InternalClaims>;
  readonly policy: Policy;
  readonly agents: Pick<Agents, 'open'>;
  readonly trail: AuditTrail;
  readonly denials: Pick<Denials, 'report'>;
  /** Resolves when the run marker knows that the cluster is in use; undefined when it does already. */
  readonly use: (clusterId: ClusterId) => Promise<void> | undefined;
  readonly docsBaseUrl: string;
  /** How long an API server may take to begin its answer (`PROXY_TUNNEL_TIMEOUT`, D5). */
  readonly headTimeoutMs: number;
  readonly log: Log;
  /** The wall clock, by which access ends. */
  readonly now: () => Date;
};

export type KubectlProxy = {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** The same for a request that asks to leave HTTP, whose connection is the proxy's from then on. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /** Refuses new requests, lets open ones finish for 1.5 s, ends the rest. */
  stop(): Promise<void>;
};

/** The handler of every request target below `/api/proxy/`. */
export function createKubectlProxy(options: KubectlProxyOptions): KubectlProxy {
  const open = createOpenRequests(options.policy, options.now);
  const proxy = new Proxying(options, open);
  return {
    handle: (request, response) => void proxy.handle(request, response),
    upgrade: (request, socket, head) => proxy.upgrade(request, socket, head),
    stop: () => proxy.stop(),
  };
}

/** What is known of a request before anything of it is checked. */
type Arrival = {
  readonly request: IncomingMessage;
  readonly requestId: RequestId;
  readonly at: Date;
  readonly correlation: Correlation;
};

type ToCarry = Pick<ExchangeParts, 'admitted' | 'response' | 'switching'> & { readonly arrival: Arrival };

class Proxying {
  readonly #options: KubectlProxyOptions;
  readonly #open: OpenRequests;
  readonly #exchanges: ExchangeOptions;
  /** Connections that left HTTP, or asked to: closing the server does not end them. */
  readonly #upgraded = new Set<Socket>();
  #stopping = false;

  constructor(options: KubectlProxyOptions, open: OpenRequests) {
    this.#options = options;
    this.#open = open;
    this.#exchanges = { ...options, open };
  }

  async handle(request: IncomingMessage, response: ServerResponse, socket?: Socket): Promise<void> {
    const arrival = this.#arrive(request);
    let caller: Caller | undefined;
    try {
      caller = await identify(request, this.#options.verifier);
      const switching = socket && { protocol: askedProtocol(request), socket };
      const admitted = this.#admit(request, caller);
      if ('json' in admitted) answer(response, this.#json(admitted, arrival));
      else await this.#carry({ arrival, admitted, response, switching });
    } catch (thrown) {
      answer(response, this.#refused(arrival, caller, thrown));
      request.resume();
    }
  }

  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const response = responseOn(request, socket, head);
    if (response === undefined) return;
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    void this.handle(request, response, socket);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const until = performance.now() + drainMs;
    while (this.#open.size > 0 && performance.now() < until) await pause(50);
    const refusal = new Refusal('TUNNEL_ERROR', 'The control plane is being restarted. Send the request again.');
    this.#open.endAll('failed', refusal);
    this.#open.stop();
    // Whoever was answered just now gets to read it.
    for (const socket of this.#upgraded) setTimeout(() => socket.destroy(), lingerMs);
  }

  #arrive(request: IncomingMessage): Arrival {
    const correlation = correlationOf(request);
    return { request, requestId: randomUUIDv7() as RequestId, at: this.#options.now(), correlation };
  }

  #admit(request: IncomingMessage, caller: Caller): Admitted | AnsweredHere {
    this.#refuseWhenStopping();
    return admit(request, caller, this.#options);
  }

  // Nothing is refused to this person: it says only that the next process is not there yet.
  #refuseWhenStopping(): void {
    if (!this.#stopping) return;
    throw new Refusal('UPSTREAM_UNAVAILABLE', 'The control plane is being restarted. Try again in a few seconds.');
  }

  async #carry({ arrival, admitted, response, switching }: ToCarry): Promise<void> {
    const { requestId, at, request } = arrival;
    const { clusterId, impersonation } = admitted;
    const using = this.#options.use(clusterId);
    if (using !== undefined) {
      await using;
      this.#refuseWhenStopping();
    }
    const record = {
      requestId,
      clusterId,
      basis: impersonation.basis,
      request: admitted.request,
      // Whatever its path, nobody can read afterwards what went through a stream.
      strict: switching !== undefined || isStrict(admitted.request),
      startedAt: at,
      origin: originOf(arrival, true),
    };
    const answerOf = (refusal: Refusal): ErrorAnswer => this.#answer(refusal, arrival);
    await carry({ request, response, switching, admitted, record, answerOf }, this.#exchanges);
  }

  /** The answer to a refusal, which is put on record. A bug is logged and leaves as `INTERNAL_ERROR`. */
  #refused(arrival: Arrival, caller: Caller | undefined, thrown: unknown): ErrorAnswer {
    const { requestId, at, request } = arrival;
    if (!(thrown instanceof Refusal)) {
      this.#options.log.error({ err: thrown, requestId }, 'a proxied request failed in a way nobody foresaw');
    }
    const { code } = refusalOf(thrown);
    const status = errorCatalogue[code].http;
    // The rest is no refusal of this person: it says that nothing can be decided or recorded now.
    if (status < 500) {
      const denial = {
        requestId,
        clusterId: this.#existing(request.url ?? ''),
        userId: caller?.userId ?? null,
        credentialId: caller?.credentialId ?? null,
        errorCode: code,
        status,
        method: request.method ?? '',
        path: storedPath(request.url ?? ''),
        count: 1,
        at,
        origin: originOf(arrival, caller !== undefined),
      };
      if (caller !== undefined && !this.#options.trail.isFull()) this.#options.trail.denied(denial);
      else this.#options.denials.report(denial);
    }
    return this.#answer(thrown, arrival);
  }

  /** The cluster that a target names, when it exists. */
  #existing(url: string): ClusterId | null {
    const [named = ''] = url.slice(proxyPrefix.length).split(/[/?]/);
    if (!url.startsWith(proxyPrefix) || !isUuid(named)) return null;
    const clusterId = named.toLowerCase() as ClusterId;
    try {
      return clusterExists(this.#options.policy.cluster(clusterId)) ? clusterId : null;
    } catch {
      // A cluster whose facts cannot be read is there all the same.
      return clusterId;
    }
  }

  #answer(thrown: unknown, { correlation, request }: Arrival): ErrorAnswer {
    const { docsBaseUrl } = this.#options;
    const { correlationId, traceresponse } = correlation;
    const refused = kubernetesAnswer(thrown, { docsBaseUrl, correlationId }, request);
    return { ...refused, headers: { ...refused.headers, traceresponse } };
  }

  #json({ json }: AnsweredHere, { correlation }: Arrival): ErrorAnswer {
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(json)),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-correlation-id': correlation.correlationId,
      traceresponse: correlation.traceresponse,
    };
    return { status: 200, headers, body: json };
  }
}

/** Only the gateway says where a request comes from, and only after its token was verified. */
function originOf({ request, correlation }: Arrival, trusted: boolean): RequestOrigin {
  const forwarded = request.headers['x-forwarded-for'];
  const told = trusted && typeof forwarded === 'string' ? forwarded : undefined;
  return {
    correlationId: correlation.correlationId,
    traceparent: correlation.traceparent,
    sourceAddress: told ?? request.socket.remoteAddress,
    userAgent: request.headers['user-agent'],
  };
}

function answer(response: ServerResponse, { status, headers, body }: ErrorAnswer): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, headers);
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
