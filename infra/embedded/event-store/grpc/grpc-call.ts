/**
 * One call, from its first header to its last: messages in, messages out, one ending. It knows when nobody is there any more
 * and when the other side is slow; it does not know what the messages mean. Whoever serves a call sets what should happen to
 * each message before he returns, and ends the call exactly once; a second ending is ignored.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Budget } from './budget.ts';
import type { ConnectionState } from './connections.ts';
import { framed, MessageSplitter } from './message-splitter.ts';
import { endingHeaders, GrpcError, status, type StatusCode, type Trailers } from './status.ts';

const contentType = 'application/grpc+proto';
const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** What to do with what arrives; `end` when the client has said all. */
export type CallHandlers = { readonly message: (message: Buffer) => void; readonly end: () => void };

export type CallContext = {
  readonly headers: IncomingHttpHeaders;
  readonly connection: ConnectionState;
  readonly maxMessageBytes: number;
  readonly budget: Budget;
  /** Hears of errors that are bugs of ours; the process must end. */
  readonly fatal: (error: Error) => void;
};

export class GrpcCall {
  readonly headers: IncomingHttpHeaders;
  readonly connection: ConnectionState;
  /** By `performance.now()`; infinite when the client set no limit. */
  readonly deadlineAt: number;
  readonly #stream: ServerHttp2Stream;
  readonly #splitter: MessageSplitter;
  readonly #fatal: (error: Error) => void;
  readonly #goneListeners: (() => void)[] = [];
  #handlers: CallHandlers | undefined;
  #over = false;
  #wake: (() => void) | undefined;

  constructor(stream: ServerHttp2Stream, context: CallContext) {
    this.headers = context.headers;
    this.connection = context.connection;
    this.deadlineAt = performance.now() + timeoutMs(context.headers['grpc-timeout']);
    this.#fatal = context.fatal;
    this.#stream = stream;
    this.#splitter = new MessageSplitter(context.maxMessageBytes, context.budget);
    stream.once('close', () => this.#close());
    stream.on('aborted', () => this.#leave());
    stream.on('error', () => this.#leave());
    stream.on('drain', () => this.#wake?.());
  }

  /** True once the call has ended or the client has left: nothing that is sent arrives any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Is called once, when the call is closed: after any ending, and when the client simply left. */
  onGone(listener: () => void): void {
    this.#goneListeners.push(listener);
  }

  /** Starts the flow of messages. An error that a handler throws ends the call. */
  receive(handlers: CallHandlers): void {
    this.#handlers = handlers;
    this.#stream.on('data', (chunk: Buffer) => this.#attempt(() => this.#take(chunk)));
    this.#stream.on('end', () =>
      this.#attempt(() => {
        if (this.#splitter.unfinished) throw new GrpcError(status.internal, 'the last message breaks off');
        handlers.end();
      }),
    );
  }

  /** Sends bytes that are framed already, one message or many. False: wait for `writable` before the next. */
  sendFramed(bytes: Buffer): boolean {
    if (this.#over) return true;
    if (!this.#stream.headersSent) this.#respond();
    return this.#stream.write(bytes);
  }

  send(message: Buffer): boolean {
    return this.sendFramed(framed(message));
  }

  /** Resolves when the client takes more, when `wakeUp` is called, or when the call is over. */
  async writable(): Promise<void> {
    if (this.#over) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
  }

  /** Ends what waits in `writable`. */
  wakeUp(): void {
    this.#wake?.();
  }

  /** Ends the call well, with one last message if there is one. */
  finish(last?: Buffer): void {
    if (this.#over) return;
    if (!this.#stream.headersSent) this.#respond();
    this.#end(endingHeaders(status.ok, '', {}));
    if (last === undefined) this.#stream.end();
    else this.#stream.end(framed(last));
  }

  fail(code: StatusCode, message: string, trailers: Trailers = {}): void {
    if (this.#over) return;
    const headers = endingHeaders(code, message, trailers);
    if (this.#stream.headersSent) {
      this.#end(headers);
      this.#stream.end();
      return;
    }
    this.#over = true;
    this.#stream.respond({ ':status': 200, 'content-type': contentType, ...headers }, { endStream: true });
    this.#afterEnding();
  }

  /** Ends the call with what was thrown. */
  failWith(error: unknown): void {
    if (error instanceof GrpcError) this.fail(error.code, error.message, error.trailers);
    else this.#fatal(error instanceof Error ? error : new Error(String(error)));
  }

  #respond(): void {
    this.#stream.respond({ ':status': 200, 'content-type': contentType }, { waitForTrailers: true });
  }

  #end(headers: Record<string, string>): void {
    this.#over = true;
    this.#stream.once('wantTrailers', () => {
      this.#stream.sendTrailers(headers);
      this.#afterEnding();
    });
  }

  /** A client that still sends is told that nobody listens, once the answer is on its way (RFC 9113, section 8.1). */
  #afterEnding(): void {
    this.#wake?.();
    if (!this.#stream.readableEnded) this.#stream.resume().close();
  }

  #take(chunk: Buffer): void {
    for (const message of this.#splitter.take(chunk)) {
      if (this.#over) return;
      this.#handlers?.message(message);
    }
  }

  #attempt(work: () => void): void {
    if (this.#over) return;
    try {
      work();
    } catch (error) {
      this.failWith(error);
    }
  }

  #leave(): void {
    this.#over = true;
    this.#wake?.();
  }

  #close(): void {
    this.#leave();
    this.#splitter.drop();
    for (const listener of this.#goneListeners) listener();
  }
}

/** Infinite without the header, and with one that is none. */
function timeoutMs(header: string | string[] | undefined): number {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(header)) ?? [];
  return digits === undefined ? Infinity : Number(digits) * (unitsMs[unit ?? ''] ?? 1);
}
