/**
 * A request that asks the API server to leave HTTP, on a TLS connection of its own that carries nothing else before or after. Up to the
 * end of the answer's head node's own HTTP client reads it: a parser of ours beside it could disagree with the server's about where HTTP
 * ends. From a 101 on both directions are plain bytes, each with its own end. The rule it lives by: a connection that broke never
 * looks like one that ended.
 */
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { failureSentence, type Place } from './failure-sentence.ts';
import { refusalProblem, switchedHeaders, type UpgradeCall } from './upgrade-head.ts';
import { agentError, replyHeaders, type UpstreamHandlers, type UpstreamRequest } from './upstream.ts';

export type UpgradeParts = {
  /** As for any request, but after a 101 `end` is the end of one direction only. */
  readonly handlers: UpstreamHandlers;
  readonly place: Place;
  readonly now: () => Date;
};

/** A server that is gone without a word is found out by the kernel; a stream itself may be quiet for hours (UP-09). */
const keepAliveMs = 30_000;
/** How long the last bytes to a server may take when nobody is left who would be told of them. */
const lingerMs = 10_000;

export class UpgradeRequest implements UpstreamRequest {
  readonly #socket: TLSSocket;
  readonly #call: UpgradeCall;
  readonly #parts: UpgradeParts;
  #refusal: IncomingMessage | undefined;
  #switched = false;
  #ended = false;
  #over = false;

  /** Sends the request on a secured socket with `allowHalfOpen`, which is the request's own from now on. */
  constructor(socket: TLSSocket, call: UpgradeCall, parts: UpgradeParts) {
    this.#socket = socket;
    this.#call = call;
    this.#parts = parts;
    socket.setKeepAlive(true, keepAliveMs);
    const sent = request({
      createConnection: () => socket,
      method: call.method,
      path: call.target,
      headers: ['Host', parts.place.host, ...call.headers] as unknown as NonNullable<RequestOptions['headers']>,
    });
    sent.on('upgrade', (answer: IncomingMessage, _socket, rest) => this.#switch(answer, rest));
    sent.on('response', (answer) => this.#refuse(answer));
    sent.on('error', (error) => this.#unanswered(error));
    sent.on('close', () => this.#unanswered(undefined));
    sent.end();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    if (!this.#switched) throw new Error('bytes of a person before the 101');
    return this.#socket.destroyed || this.#socket.write(chunk);
  }

  /** Ends the direction to the server: TLS close_notify and FIN. Before the 101 it is kept until then. */
  end(): void {
    this.#ended = true;
    if (!this.#switched || this.#socket.destroyed) return;
    this.#socket.end();
    this.#linger();
  }

  resume(): void {
    if (this.#switched) this.#socket.resume();
    else this.#refusal?.resume();
  }

  cancel(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  #switch(answer: IncomingMessage, rest: Buffer): void {
    if (this.#over) return;
    const headers = switchedHeaders(answer.rawHeaders, this.#call.protocol);
    if (!headers) return this.#give('answered 101 and switches to something else than was asked for.');
    this.#switched = true;
    const socket = this.#socket;
    const { handlers } = this.#parts;
    if (rest.length > 0) socket.unshift(rest);
    handlers.head(101, headers);
    socket.on('data', (chunk: Buffer) => {
      if (!this.#over && !handlers.data(chunk)) socket.pause();
    });
    socket.on('drain', () => this.#over || handlers.drain());
    socket.on('end', () => this.#endOfServer());
    socket.on('close', () => this.#closed());
    // An error closes it too, and is told of there.
    socket.on('error', () => undefined);
    if (this.#ended) socket.end();
  }

  #endOfServer(): void {
    if (this.#over) return;
    this.#linger();
    this.#parts.handlers.end();
  }

  #linger(): void {
    if (!this.#ended || !this.#socket.readableEnded) return;
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    const { handlers, place } = this.#parts;
    // A server that has said all and left takes nothing of it back; what is still on its way to it is dropped.
    if (this.#socket.readableEnded) handlers.drain();
    else handlers.fail(agentError(`${place.what} at ${place.host} broke the connection off.`));
  }

  // An ordinary answer: the connection stays HTTP and is not used again.
  #refuse(answer: IncomingMessage): void {
    if (this.#over) return;
    const status = answer.statusCode ?? 0;
    // A 101 that does not switch (RFC 9110, section 15.2.2): where HTTP ends nobody can say.
    if (status === 101) return this.#give('answered 101 without saying what it switches to.');
    const problem = refusalProblem(status, this.#call.target);
    if (problem !== undefined) return this.#give(problem);
    this.#refusal = answer;
    const { handlers } = this.#parts;
    answer.on('data', (chunk: Buffer) => {
      if (!this.#over && !handlers.data(chunk)) answer.pause();
    });
    answer.on('end', () => {
      if (this.#over || !answer.complete) return;
      this.cancel();
      handlers.end();
    });
    answer.on('error', () => undefined);
    handlers.head(status, replyHeaders(answer.rawHeaders));
  }

  #give(what: string): void {
    if (this.#over) return;
    this.cancel();
    const { handlers, place } = this.#parts;
    handlers.fail(agentError(`${place.what} at ${place.host} ${what}`));
  }

  #unanswered(error: Error | undefined): void {
    if (this.#over || this.#switched) return;
    if (this.#refusal) return this.#give('broke its answer off.');
    this.cancel();
    const { handlers, place, now } = this.#parts;
    const closed = Object.assign(new Error('closed'), { code: 'ECONNRESET' });
    handlers.fail(agentError(failureSentence(error ?? closed, place, now())));
  }
}
