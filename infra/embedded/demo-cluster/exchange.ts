/**
 * One request and its answer, whichever HTTP version carried them. The rest of the folder sees headers as bytes read
 * as UTF-8, a bounded body, and writes that wait for a slow reader.
 *
 * It refuses bodies over the limit and bodies that do not arrive in time.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import { limits } from './limits.ts';
import type { JsonObject } from './objects.ts';
import { ApiError, tooLarge } from './status.ts';

/** The part of a response that HTTP/1.1 and HTTP/2 have in common. */
interface Reply {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  setHeader(name: string, value: string): unknown;
  /** Node's types leave it out for HTTP/2; the method is there. */
  flushHeaders?(): void;
  write(chunk: string): boolean;
  end(): unknown;
  end(chunk: string): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
  removeListener(event: 'drain', listener: () => void): unknown;
}

/** A connection whose client asked for another protocol (RFC 9110 7.8). */
export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  /** What the client sent after the request, before anybody agreed to anything. */
  head: Buffer;
}

/** What an exchange needs to know besides the request and its answer. */
interface Circumstances {
  /** Aborted when the server stops. */
  stopping: AbortSignal;
  /** Given when the client asked for an upgrade; `release` takes the answer off the socket. */
  upgrade?: Upgrade & { release: () => void };
}

export class Exchange {
  readonly method: string;
  /** The request target as sent. */
  readonly target: string;
  /** Ends when the client is gone or the server stops. */
  readonly signal: AbortSignal;
  readonly #request: IncomingMessage | Http2ServerRequest;
  readonly #reply: Reply;
  readonly #upgrade: Circumstances['upgrade'];
  #taken = false;

  constructor(
    request: IncomingMessage | Http2ServerRequest,
    reply: ServerResponse | Http2ServerResponse,
    { stopping, upgrade }: Circumstances,
  ) {
    this.method = request.method ?? 'GET';
    this.target = request.url ?? '/';
    this.#request = request;
    this.#reply = reply;
    const gone = new AbortController();
    this.#upgrade = upgrade;
    (upgrade?.socket ?? reply).once('close', () => gone.abort());
    this.signal = AbortSignal.any([gone.signal, stopping]);
  }

  /** Every value of a header in the order sent; repeated headers stay apart, bytes are read as UTF-8. */
  headerValues(name: string): string[] {
    const raw = this.#request.rawHeaders;
    const values: string[] = [];
    for (let at = 0; at < raw.length; at += 2) {
      if (raw[at]?.toLowerCase() === name) values.push(utf8(raw[at + 1] ?? ''));
    }
    return values;
  }

  /** Header names in lower case with a prefix, each once. */
  headerNames(prefix: string): string[] {
    const names = this.#request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    return [...new Set(names.filter((name) => name.startsWith(prefix)))];
  }

  /** The first value of a header; '' when it was not sent. */
  header(name: string): string {
    return this.headerValues(name)[0] ?? '';
  }

  /**
   * The whole body.
   * @throws ApiError 413 over the limit, 408 when it does not arrive in time
   */
  async body(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const late = setTimeout(() => this.#request.destroy(bodyTimeout()), limits.bodyMs);
    try {
      // Leaving the loop must not destroy the connection: a refusal still has to be sent over it.
      for await (const chunk of this.#request.iterator({ destroyOnReturn: false })) {
        const part = Buffer.from(chunk as Uint8Array);
        bytes += part.length;
        if (bytes > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
        chunks.push(part);
      }
    } finally {
      clearTimeout(late);
    }
    return Buffer.concat(chunks);
  }

  setHeader(name: string, value: string): void {
    this.#reply.setHeader(name, value);
  }

  /** Whether an answer has begun, so that no other can be given. */
  get answered(): boolean {
    return this.#reply.headersSent || this.#taken;
  }

  /** Whether the client asked for another protocol. */
  get isUpgrade(): boolean {
    return this.#upgrade !== undefined;
  }

  /** Gives the connection away: from now on whoever took it speaks to the client. Only for upgrades. */
  takeOver(): Upgrade {
    if (this.#upgrade === undefined) throw new Error('only the connection of an upgrade can be taken over');
    this.#taken = true;
    this.#upgrade.release();
    return this.#upgrade;
  }

  /** Answers with a JSON document. */
  json(code: number, value: JsonObject, contentType = 'application/json'): void {
    this.text(code, `${JSON.stringify(value)}\n`, contentType);
  }

  /** Answers with text. */
  text(code: number, text: string, contentType = 'text/plain; charset=utf-8'): void {
    this.#reply.statusCode = code;
    this.#reply.setHeader('content-type', contentType);
    if (this.method === 'HEAD') this.#reply.end();
    else this.#reply.end(text);
  }

  /** Begins an answer that is written piece by piece; the head goes out at once. */
  begin(contentType: string): void {
    this.#reply.statusCode = 200;
    this.#reply.setHeader('content-type', contentType);
    this.#reply.flushHeaders?.();
  }

  /** Writes a piece and waits until a slow reader has room for the next, or is gone. */
  async write(chunk: string): Promise<void> {
    if (this.signal.aborted || this.#reply.write(chunk)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#reply.removeListener('drain', done);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      this.#reply.once('drain', done);
      this.signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Ends an answer that was begun, or a connection that was taken over. */
  end(): void {
    if (this.#taken) this.#upgrade?.socket.destroy();
    else if (!this.#reply.writableEnded) this.#reply.end();
  }
}

/** Node hands header bytes over one character each; Kubernetes names may hold any UTF-8. */
function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function bodyTimeout(): ApiError {
  return new ApiError(408, 'Timeout', { message: 'the body of the request did not arrive in time' });
}
