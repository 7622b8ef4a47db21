/**
 * How many subscriptions may be open, in all and per client. A client is known by the name it gives its connection: that
 * bounds what a fault in one part of the product can take from the others; it is no defence against a liar, who is kept
 * out by the folder's mode or the password.
 */
import { GrpcError, status } from '../grpc/status.ts';

const maxSubscriptions = 1_000;
const maxPerClient = 100;

export class SubscriptionLimit {
  readonly #perClient = new Map<string, number>();
  /** How many were refused so far. */
  refused = 0;
  #all = 0;

  get open(): number {
    return this.#all;
  }

  /** Takes a place and answers how to give it back. Throws `GrpcError` when there is none. */
  enter(client: string): () => void {
    const ofClient = this.#perClient.get(client) ?? 0;
    if (this.#all >= maxSubscriptions || ofClient >= maxPerClient) {
      this.refused += 1;
      throw new GrpcError(
        status.resourceExhausted,
        `too many subscriptions: ${this.#all} in all (at most ${maxSubscriptions}), ` +
          `${ofClient} of this client (at most ${maxPerClient})`,
      );
    }
    this.#all += 1;
    this.#perClient.set(client, ofClient + 1);
    return () => this.#leave(client);
  }

  #leave(client: string): void {
    this.#all -= 1;
    const left = (this.#perClient.get(client) ?? 1) - 1;
    if (left === 0) this.#perClient.delete(client);
    else this.#perClient.set(client, left);
  }
}
