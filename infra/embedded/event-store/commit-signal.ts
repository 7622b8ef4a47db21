/**
 * Wakes whoever waits for the next commit. A subscription waits here with nothing but its cursor: what was committed it
 * reads from the database like everything else, so there is no live buffer that could overflow or differ.
 */
export class CommitSignal {
  #waiting = new Set<() => void>();

  /** Calls `wake` once, at the next commit. The answer takes it back. */
  next(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  committed(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }
}
