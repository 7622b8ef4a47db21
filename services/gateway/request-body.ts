/**
 * The body of a proxied request on its way through: backpressure both ways and the 10 MB limit (D4), also when the length
 * was not announced. It stands between Node's request and undici because undici destroys the stream it was given as soon
 * as an answer comes early, and destroying Node's request would cut the connection before the client has seen that answer.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Refusal } from '@clustral/schemas/errors.ts';

/** D4. Upgraded streams and answers have no such limit. */
const bodyLimitBytes = 10 * 1024 * 1024;

/** The refusal of a body over the limit. */
const tooLarge = (): Refusal =>
  new Refusal('REQUEST_TOO_LARGE', 'The request body is larger than 10 MB, which is the most that is carried.');

/** Throws `REQUEST_TOO_LARGE` when the announced length is over the limit. */
export function refuseAnnouncedLength(request: IncomingMessage): void {
  if (Number(request.headers['content-length'] ?? 0) > bodyLimitBytes) throw tooLarge();
}

/** Passes a request's body on. It fails with `REQUEST_TOO_LARGE` at the first byte over the limit, or when the client is gone. */
export class RequestBody extends Readable {
  readonly #source: IncomingMessage;
  #bytes = 0;

  constructor(source: IncomingMessage) {
    super({ highWaterMark: 65_536 });
    this.#source = source;
    source.on('data', this.#take).once('end', this.#end).once('error', this.#gone).once('close', this.#gone);
    source.pause();
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.off('data', this.#take).off('end', this.#end).off('close', this.#gone);
    // The error listener stays: a client that resets its connection must not end the process.
    done(error);
  }

  readonly #take = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > bodyLimitBytes) this.destroy(tooLarge());
    else if (!this.push(chunk)) this.#source.pause();
  };

  readonly #end = (): void => void this.push(null);

  readonly #gone = (): void => {
    // 'close' also follows a body that ended as it should and may not be passed on to its end yet.
    if (!this.#source.complete) this.destroy(new Error('the client closed the connection before its body ended'));
  };
}
