/**
 * Room for files: a pod has so much, all pods together have so much. Whatever is kept takes from it first.
 */
import { FileError } from './file-error.ts';

export class Budget {
  readonly #limit: number;
  readonly #parent: Budget | undefined;
  #used = 0;
  #closed = false;

  /** @param parent the budget that what is taken here counts against as well */
  constructor(limit: number, parent?: Budget) {
    this.#limit = limit;
    this.#parent = parent;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** @throws FileError ENOSPC when there is not that much left */
  take(bytes: number): void {
    if (this.#closed || this.#used + bytes > this.#limit) throw new FileError('ENOSPC');
    this.#parent?.take(bytes);
    this.#used += bytes;
  }

  give(bytes: number): void {
    if (this.#closed) return;
    this.#used -= bytes;
    this.#parent?.give(bytes);
  }

  /** Gives everything back; nothing can be taken any more. */
  close(): void {
    this.give(this.#used);
    this.#closed = true;
  }
}
