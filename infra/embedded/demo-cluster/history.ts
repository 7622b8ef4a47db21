/**
 * The last changes of the store in order of revision, so that any number of watches can read on from where they are.
 * A watch is a revision and nothing else: no queue is kept for it, and a reader too slow for the history is told
 * that its revision expired, as the API server tells it.
 *
 * Invariant: revisions follow each other without gaps, so a revision is a place in the list.
 */
import { limits } from './limits.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

/** One change of one object. */
export interface Change {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  readonly object: KubeObject;
  /** The object before the change; undefined for a new one. */
  readonly previous: KubeObject | undefined;
}

export class History {
  #changes: Change[] = [];
  #sizes: number[] = [];
  #bytes = 0;
  #head = 0;

  /** Appends a change; `bytes` is the size of its object as JSON. */
  push(change: Change, bytes: number): void {
    this.#changes.push(change);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    while (this.#changes.length - this.#head > limits.historyChanges || this.#bytes > limits.historyBytes) this.#drop();
  }

  /**
   * The change after a revision: undefined when there is none yet, 'expired' when it is no longer kept.
   * @param latest the store's revision
   */
  after(revision: number, latest: number): Change | undefined | 'expired' {
    if (revision >= latest) return undefined;
    const first = this.#changes[this.#head];
    if (first === undefined || revision + 1 < first.revision) return 'expired';
    return this.#changes[this.#head + revision + 1 - first.revision];
  }

  /** The oldest revision a watch can start from. */
  oldest(latest: number): number {
    const first = this.#changes[this.#head];
    return first === undefined ? latest : first.revision - 1;
  }

  #drop(): void {
    this.#bytes -= this.#sizes[this.#head] ?? 0;
    this.#head += 1;
    // Cutting the front off an array moves all of it: done once per full length instead of once per change.
    if (this.#head < limits.historyChanges) return;
    this.#changes = this.#changes.slice(this.#head);
    this.#sizes = this.#sizes.slice(this.#head);
    this.#head = 0;
  }
}
