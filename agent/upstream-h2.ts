/**
 * One request on an HTTP/2 connection to the API server. It is sent once and never again (D22); interim answers and trailers end
 * here. The rule it lives by: a reply that was cut short never looks complete.
 */
import { constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { failureSentence, type Place } from './failure-sentence.ts';
import {
  agentError,
  replyHeaders,
  type UpstreamCall,
  type UpstreamHandlers,
  type UpstreamRequest,
} from './upstream.ts';

/** What is the same for every request: who is asked, and by which name. */
export type H2Target = { readonly authority: string; readonly place: Place; readonly now: () => Date };

const resetOnItsWayMs = 50;

// Made once: an error costs more than a request when watches are cancelled by the thousand.
const cancelled = new Error('the request is not wanted any more');

/** In place of handlers that hear no more: Node keeps a stream until the next full collection, and all that hangs on it (0010). */
const nobody: UpstreamHandlers = {
  head: () => undefined,
  data: () => true,
  end: () => undefined,
  fail: () => undefined,
  drain: () => undefined,
};

export class H2Request implements UpstreamRequest {
  readonly #stream: ClientHttp2Stream;
  #handlers: UpstreamHandlers;
  readonly #target: H2Target;
  #over = false;
  #answering = false;
  #error: unknown;

  /** Sends the head. Throws when the session takes no more requests. */
  constructor(
    session: ClientHttp2Session,
    call: UpstreamCall,
    parts: { handlers: UpstreamHandlers; target: H2Target },
  ) {
    this.#handlers = parts.handlers;
    this.#target = parts.target;
    const { method, target, headers, bodyless } = call;
    const own = [':method', method, ':scheme', 'https', ':authority', parts.target.authority, ':path', target];
    const stream = session.request([...own, ...headers], { endStream: bodyless });
    this.#stream = stream;
    stream.on('response', (head, _flags, raw) => this.#answer(head[':status'] ?? 0, raw as unknown as string[]));
    stream.on('error', (error) => (this.#error = error));
    stream.on('close', () => this.#closed());
    if (!bodyless) stream.on('drain', () => this.#handlers.drain());
  }

  /** Called once when the stream no longer counts against the server's limit. */
  onClosed(listener: () => void): void {
    this.#stream.once('close', () => {
      // Node may send the reset after the next request's head; until then the server counts both.
      if (this.#stream.rstCode === constants.NGHTTP2_NO_ERROR) listener();
      else setTimeout(listener, resetOnItsWayMs).unref();
    });
  }

  write(chunk: Uint8Array): boolean {
    return this.#over || this.#stream.destroyed || this.#stream.writableEnded || this.#stream.write(chunk);
  }

  end(): void {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.end();
  }

  resume(): void {
    this.#stream.resume();
  }

  cancel(): void {
    this.#leave();
    // To close it instead would end the body first, and a body that was cut off would look whole.
    this.#stream.destroy(cancelled);
  }

  #answer(status: number, raw: readonly string[]): void {
    if (this.#over) return;
    this.#answering = true;
    const stream = this.#stream;
    // Not before: data may be announced ahead of the head that came with it.
    stream.on('data', (chunk: Buffer) => {
      if (!this.#handlers.data(chunk)) stream.pause();
    });
    stream.on('end', () => this.#ended());
    this.#handlers.head(status, replyHeaders(raw));
  }

  // A stream that was reset ends as well; its code tells the two apart.
  #ended(): void {
    if (this.#over || this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR || this.#stream.aborted) return;
    this.#leave().end();
    // The rest of a body that the server did not wait for.
    if (!this.#stream.writableEnded) this.#stream.destroy(cancelled);
  }

  #closed(): void {
    if (this.#over) return;
    this.#leave().fail(agentError(this.#whyClosed()));
  }

  /** Returns the handlers for their last word. */
  #leave(): UpstreamHandlers {
    const handlers = this.#handlers;
    this.#over = true;
    this.#handlers = nobody;
    return handlers;
  }

  #whyClosed(): string {
    const { place, now } = this.#target;
    if (this.#answering) return `${place.what} at ${place.host} broke its answer off.`;
    if (this.#error !== undefined) return failureSentence(this.#error, place, now());
    return `${place.what} at ${place.host} ended the request without an answer.`;
  }
}
