/**
 * How many bytes all calls together may hold at a time: messages that are still arriving and appends that wait to be
 * written. Who takes gives back, whatever becomes of the call.
 */
import { GrpcError, status } from './status.ts';

export class Budget {
  readonly #most: number;
  #used = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get used(): number {
    return this.#used;
  }

  /** Throws `GrpcError` RESOURCE_EXHAUSTED when there is no room. */
  take(bytes: number): void {
    if (this.#used + bytes > this.#most) {
      throw new GrpcError(status.resourceExhausted, 'the event store has too much in hand, try again later');
    }
    this.#used += bytes;
  }

  giveBack(bytes: number): void {
    this.#used -= bytes;
  }
}
