/**
 * Writes one answer to one client. The head is held until the event loop has turned, so that a small reply goes out in one
 * piece and a watch's head at once. After a 101 it writes bytes, with an end of their own direction only. An answer that cannot
 * be finished is cut off: it never ends in a way that makes half of it look whole (PX-20).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorAnswer } from '@clustral/kernel/http-errors.ts';
import { breakOff, carryBytes } from '@clustral/kernel/upgrade.ts';
import type { ReplyHead } from './reply-head.ts';

/** The answer to `request`. Every method does nothing once the client is gone. */
export class Reply {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #held: { readonly head: ReplyHead; chunk: Buffer | undefined } | undefined;
  /** The connection, once it has left HTTP. */
  #stream: Socket | undefined;
  #written = 0;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    // A write that meets a connection which is just going is told here as well; 'close' deals with it.
    response.on('error', nothing);
  }

  /** Status that the client was or will be given; null before there is one. */
  get status(): number | null {
    return this.#held?.head.status ?? (this.#response.headersSent ? this.#response.statusCode : null);
  }

  /** True once a byte may have left: the answer cannot become another one. */
  get begun(): boolean {
    return this.#response.headersSent;
  }

  /** Bytes of body, or of a stream, handed on. */
  get bytes(): number {
    return this.#written;
  }

  /** True when the connection left HTTP and each direction has come to its end. */
  get endedBothWays(): boolean {
    return this.#stream !== undefined && this.#stream.readableEnded && this.#stream.writableFinished;
  }

  head(head: ReplyHead): void {
    this.#held = { head, chunk: undefined };
    // An answer that must have no body waits for its end, which shows that it has none.
    if (head.length !== 0) setImmediate(release, this);
  }

  /** Sends the head of a 101; what follows goes to the socket as it is. */
  switch(head: ReplyHead, socket: Socket): void {
    if (this.#response.destroyed) return;
    this.#writeHead(head);
    this.#response.flushHeaders();
    carryBytes(socket);
    this.#stream = socket;
  }

  /** Returns false when the client must read first; its `drain` tells when. */
  data(chunk: Buffer): boolean {
    this.#written += chunk.length;
    if (this.#held && this.#held.chunk === undefined) {
      this.#held.chunk = chunk;
      return true;
    }
    // More than one piece in a turn is no small reply.
    this.release();
    return this.#response.destroyed || (this.#stream ?? this.#response).write(chunk);
  }

  end(): void {
    const { destroyed } = this.#response;
    if (destroyed) return;
    if (this.#held === undefined) return void (this.#stream ?? this.#response).end();
    const { head, chunk } = this.#held;
    this.#held = undefined;
    this.#writeHead(head);
    this.#response.end(chunk);
  }

  /** The whole answer, in place of whatever was held. Only before it has begun. */
  answer({ status, headers, body }: ErrorAnswer): void {
    this.#held = undefined;
    if (this.#response.destroyed) return;
    this.#response.writeHead(status, headers);
    this.#response.end(this.#request.method === 'HEAD' ? undefined : body);
    // What is still being sent is read on and thrown away: closing now could destroy the answer on its way.
    this.#request.resume();
  }

  /** Cuts the connection: the client sees that the answer is not whole. */
  abort(): void {
    this.#held = undefined;
    const { socket } = this.#response;
    // To HTTP/1.0 the end of the connection is the end of the body, to a stream its end: it must not end in good order.
    if (socket && (this.#stream || this.#request.httpVersionMinor === 0)) breakOff(socket);
    this.#response.destroy();
  }

  #writeHead({ status, headers }: ReplyHead): void {
    // That connections stay is settled between gateway and control plane; two headers in each answer would only be parsed.
    if (this.#response.shouldKeepAlive) this.#response.removeHeader('connection');
    this.#response.writeHead(status, headers);
  }

  /** Sends what is held. */
  release(): void {
    if (this.#held === undefined || this.#response.destroyed) return;
    const { head, chunk } = this.#held;
    this.#held = undefined;
    this.#writeHead(head);
    if (chunk === undefined) this.#response.flushHeaders();
    else this.#response.write(chunk);
  }
}

const nothing = (): void => undefined;
const release = (reply: Reply): void => reply.release();
