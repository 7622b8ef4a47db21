/** Lets the writers work or has them wait, and tells when all of them wait: then nothing changes any more. */

export class Gate {
  readonly #count: number;
  readonly #waiting = new Set<() => void>();
  #isOpen = true;
  #onQuiet: (() => void) | undefined;

  constructor(count: number) {
    this.#count = count;
  }

  /** For a writer, before each command. */
  pass(): Promise<void> {
    if (this.#isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      if (this.#waiting.size === this.#count) this.#onQuiet?.();
    });
  }

  /** Resolves when every writer has finished what it had begun; rejects after the limit. */
  async close(limitMs: number): Promise<void> {
    this.#isOpen = false;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#onQuiet = resolve;
    const late = () => reject(new Error(`a command was not answered within ${limitMs / 1_000} s`));
    const timer = setTimeout(late, limitMs);
    await promise.finally(() => clearTimeout(timer));
  }

  open(): void {
    this.#isOpen = true;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
