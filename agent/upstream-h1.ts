/**
 * Requests to an API server that speaks HTTP/1.1 only, on node's own client: it shows every header line as it came, keeps interim
 * answers to itself and never sends a request twice. The rule it lives by: a body is exactly as long as its head says, so that no
 * request can hide in another one's body.
 */
import { Agent, request, type RequestOptions } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import { failureSentence, type Place } from './failure-sentence.ts';
import { hostOf, portOf } from './tls-dial.ts';
import {
  agentError,
  replyHeaders,
  type UpstreamCall,
  type UpstreamHandlers,
  type UpstreamRequest,
} from './upstream.ts';

const mostSockets = 512;
const mostFreeSockets = 64;
/** A connection that nobody used for so long is closed. One in use is not: a watch may be quiet. */
const freeSocketMs = 60_000;

export type H1Options = {
  readonly url: URL;
  readonly place: Place;
  readonly now: () => Date;
  /** CAs and checks, as for the connection by which the protocol was found out. */
  readonly tls: ConnectionOptions;
  /** A connection failed: whom to trust may have changed. */
  readonly onFailure: () => void;
};

/** The connections. */
export class H1Upstream {
  readonly #options: H1Options;
  readonly #agent: Agent;

  constructor(options: H1Options) {
    this.#options = options;
    this.#agent = new Agent({
      ...options.tls,
      ALPNProtocols: ['http/1.1'],
      keepAlive: true,
      maxSockets: mostSockets,
      maxFreeSockets: mostFreeSockets,
      scheduling: 'lifo',
      timeout: freeSocketMs,
    });
  }

  open(call: UpstreamCall, handlers: UpstreamHandlers): UpstreamRequest {
    const { url } = this.#options;
    const framing = framingOf(call);
    const sent = request({
      agent: this.#agent,
      host: hostOf(url),
      port: portOf(url),
      method: call.method,
      path: call.target,
      headers: ['Host', url.host, ...call.headers, ...framing] as unknown as NonNullable<RequestOptions['headers']>,
    });
    return new H1Request(sent, call, { handlers, options: this.#options });
  }

  destroy(): void {
    this.#agent.destroy();
  }
}

function framingOf({ headers, bodyless, method }: UpstreamCall): readonly string[] {
  if (lengthOf(headers) !== undefined) return [];
  if (!bodyless) return ['transfer-encoding', 'chunked'];
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? ['content-length', '0'] : [];
}

function lengthOf(headers: readonly string[]): number | undefined {
  const at = headers.findIndex((line, index) => index % 2 === 0 && line === 'content-length');
  return at < 0 ? undefined : Number(headers[at + 1]);
}

class H1Request implements UpstreamRequest {
  readonly #request: ClientRequest;
  readonly #handlers: UpstreamHandlers;
  readonly #options: H1Options;
  #response: IncomingMessage | undefined;
  #over = false;
  /** Body bytes that the head announced and that are still to come; undefined when the body is chunked. */
  #left: number | undefined;

  constructor(sent: ClientRequest, call: UpstreamCall, parts: { handlers: UpstreamHandlers; options: H1Options }) {
    this.#request = sent;
    this.#handlers = parts.handlers;
    this.#options = parts.options;
    this.#left = lengthOf(call.headers);
    sent.on('response', (response) => this.#answer(response));
    sent.on('drain', () => this.#over || this.#handlers.drain());
    sent.on('error', (error) => this.#failed(error));
    sent.on('close', () => this.#failed(undefined));
    // Nobody asked for another protocol.
    sent.on('upgrade', (_response, socket) => socket.destroy());
    if (call.bodyless) this.end();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    if (this.#left !== undefined) {
      this.#left -= chunk.length;
      if (this.#left < 0) return this.#misframed();
    }
    return this.#request.write(chunk);
  }

  end(): void {
    if (this.#over || this.#request.writableEnded) return;
    if (this.#left !== undefined && this.#left > 0) this.#misframed();
    else this.#request.end();
  }

  resume(): void {
    this.#response?.resume();
  }

  cancel(): void {
    this.#over = true;
    this.#request.destroy();
  }

  #answer(response: IncomingMessage): void {
    if (this.#over) return;
    // Nobody asked for another protocol, and node takes a 101 without an `Upgrade` line for an answer.
    if (response.statusCode === 101) return void this.#request.destroy();
    this.#response = response;
    response.on('data', (chunk: Buffer) => {
      if (!this.#over && !this.#handlers.data(chunk)) response.pause();
    });
    response.on('end', () => this.#ended(response));
    response.on('error', () => undefined);
    this.#handlers.head(response.statusCode ?? 0, replyHeaders(response.rawHeaders));
  }

  #ended(response: IncomingMessage): void {
    if (this.#over || !response.complete) return;
    this.#over = true;
    this.#handlers.end();
    // The rest of a body that the server did not wait for.
    if (!this.#request.writableEnded) this.#request.destroy();
  }

  #failed(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    const { place, now, onFailure } = this.#options;
    if (this.#response) {
      this.#handlers.fail(agentError(`${place.what} at ${place.host} broke its answer off.`));
      return;
    }
    onFailure();
    const closed = Object.assign(new Error('closed'), { code: 'ECONNRESET' });
    this.#handlers.fail(agentError(failureSentence(error ?? closed, place, now())));
  }

  #misframed(): true {
    this.#over = true;
    this.#request.destroy();
    this.#handlers.fail(agentError('The request has a body of another length than it announced; it was given up.'));
    return true;
  }
}
