/**
 * The changes of the last while, so that whoever was cut off hears what they missed. It holds so many and no more: of what
 * lies before, it says that it does not know.
 */
import type { Change } from './change.ts';

const most = 10_000;

export class RecentChanges {
  #changes: Change[] = [];
  /** Everything after this position is here. */
  #completeAfter: bigint;

  constructor(completeAfter: bigint) {
    this.#completeAfter = completeAfter;
  }

  /** Takes the next one; they come in the order of the log. */
  add(change: Change): void {
    this.#changes.push(change);
    // Half at once, so that one more costs nothing most of the time.
    if (this.#changes.length <= 2 * most) return;
    this.#completeAfter = this.#changes[most - 1]?.position ?? this.#completeAfter;
    this.#changes = this.#changes.slice(most);
  }

  /** Those after the position, oldest first; undefined when not all of them are known any more, or the position is of another log. */
  since(position: bigint, newest: bigint): readonly Change[] | undefined {
    if (position < this.#completeAfter || position > newest) return undefined;
    return this.#changes.filter((change) => change.position > position);
  }
}
