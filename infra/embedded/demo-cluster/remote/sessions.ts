/**
 * Commands, attachments and forwarded ports that are open: a bounded number of them, each no longer than its pod, its
 * client and the server.
 */
import { ignoreLeaving } from '../byte-queue.ts';
import type { Exchange } from '../exchange.ts';
import { limits } from '../limits.ts';
import type { KubeObject } from '../objects.ts';
import { tooManyRequests } from '../status.ts';
import type { Store } from '../store.ts';

export class Sessions {
  readonly #store: Store;
  #open = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Does the work of a session.
   * @param work is given what is aborted when the pod is gone, the client is gone or the server stops
   * @throws ApiError 429 when all places are taken; whatever the work throws, unless it was cut off
   */
  async hold(exchange: Exchange, pod: KubeObject, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#open >= limits.remoteSessions)
      throw tooManyRequests(`the demo cluster has ${limits.remoteSessions} sessions in pods open; try again later`);
    const podGone = new AbortController();
    const unlisten = this.#store.onChange(({ type, object }) => {
      if (type === 'DELETED' && object.metadata.uid === pod.metadata.uid) podGone.abort();
    });
    this.#open += 1;
    try {
      await work(AbortSignal.any([exchange.signal, podGone.signal]));
    } catch (error) {
      // The client left in the middle: there is nobody to tell.
      ignoreLeaving(error);
      exchange.end();
    } finally {
      unlisten();
      this.#open -= 1;
    }
  }
}
