/**
 * Lets work with one key run one after the other, in the order in which it came. A queue has a limit and a wait has a
 * deadline: both end in `STORE_UNAVAILABLE`, because whoever waits that long waits for a log that does not answer.
 */
import { Refusal } from '@clustral/schemas/errors.ts';

const mostWaitersPerKey = 1_000;
const mostWaiters = 10_000;

type Waiter = { readonly grant: () => void };

export class KeyedLocks {
  /** A key that is taken, with those who wait for it. */
  readonly #queues = new Map<string, Waiter[]>();
  #waiting = 0;

  /** Takes the keys in the given order. Resolves with the function that gives them back. */
  async acquire(keys: readonly string[], deadlineMs: number): Promise<() => void> {
    const taken: string[] = [];
    const release = () => {
      for (const key of taken.splice(0)) this.#release(key);
    };
    try {
      for (const key of keys) {
        await this.#take(key, deadlineMs);
        taken.push(key);
      }
    } catch (cause) {
      release();
      throw cause;
    }
    return release;
  }

  async #take(key: string, deadlineMs: number): Promise<void> {
    const queue = this.#queues.get(key);
    if (!queue) {
      this.#queues.set(key, []);
      return;
    }
    if (queue.length >= mostWaitersPerKey || this.#waiting >= mostWaiters) throw tooMany();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { grant: resolve };
    queue.push(waiter);
    this.#waiting += 1;
    const timer = setTimeout(() => {
      // Granted in the meantime: then the key is ours, and nobody else would give it back.
      const place = queue.indexOf(waiter);
      if (place < 0) return;
      queue.splice(place, 1);
      reject(tooMany());
    }, deadlineMs);
    await promise.finally(() => {
      clearTimeout(timer);
      this.#waiting -= 1;
    });
  }

  #release(key: string): void {
    const next = this.#queues.get(key)?.shift();
    if (next) next.grant();
    else this.#queues.delete(key);
  }
}

const tooMany = (): Refusal =>
  new Refusal('STORE_UNAVAILABLE', 'Too many commands wait for the log to take this one. Try again in a few seconds.', {
    retryAfterSeconds: '2',
  });
