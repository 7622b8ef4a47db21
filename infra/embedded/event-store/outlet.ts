/**
 * The sending side of one `Streams/Read` call: writes with backpressure, and knows when nobody is there any more. One
 * message at a time; a reader that does not read keeps its call waiting and nothing else.
 */
import type { ServerWritableStream, StatusObject } from '@grpc/grpc-js';
import type streamsPb from '@eventstore/db-client/generated/streams_pb.js';

export type ReadCall = ServerWritableStream<streamsPb.ReadReq, Buffer>;

export class Outlet {
  readonly #call: ReadCall;
  #gone = false;
  #wake: (() => void) | undefined;

  constructor(call: ReadCall) {
    this.#call = call;
    const leave = () => {
      this.#gone = true;
      this.#wake?.();
    };
    call.on('cancelled', leave);
    call.on('error', leave);
    call.on('close', leave);
    call.on('drain', () => this.#wake?.());
  }

  /** True once the client has left or `end` or `fail` was called: write nothing more. */
  get gone(): boolean {
    return this.#gone;
  }

  async write(message: Buffer): Promise<void> {
    if (this.#gone || this.#call.write(message)) return;
    await this.pause();
  }

  /** Waits until the client takes more, the given event comes, or the client leaves. */
  async pause(subscribe?: (wake: () => void) => () => void): Promise<void> {
    if (this.#gone) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const unsubscribe = subscribe?.(resolve);
    await promise;
    unsubscribe?.();
    this.#wake = undefined;
  }

  end(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#call.end();
    this.#wake?.();
  }

  fail(status: Pick<StatusObject, 'code' | 'details'>): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#call.emit('error', status);
    this.#wake?.();
  }
}
