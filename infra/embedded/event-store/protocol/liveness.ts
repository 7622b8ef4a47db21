/** Tells a subscriber when it goes live, each time it does, and when it no longer is. */
import type { GrpcCall } from '../grpc/grpc-call.ts';
import { encodeCaughtUp, encodeFellBehind } from './event-encoding.ts';

/** A subscription this far behind the end is told that it fell behind. */
const fellBehindEvents = 1_000;

export class Liveness {
  readonly #call: GrpcCall;
  now = false;

  constructor(call: GrpcCall) {
    this.#call = call;
  }

  async reached(): Promise<void> {
    if (this.now) return;
    this.now = true;
    if (!this.#call.send(encodeCaughtUp())) await this.#call.writable();
  }

  async behind(events: number): Promise<void> {
    if (!this.now || events < fellBehindEvents) return;
    this.now = false;
    if (!this.#call.send(encodeFellBehind())) await this.#call.writable();
  }
}
