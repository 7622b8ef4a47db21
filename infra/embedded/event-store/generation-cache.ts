/**
 * Keeps the entries used last, roughly: when the young generation is full the old one is dropped whole. A Map that evicts
 * its oldest key one by one takes longer for each eviction as the holes at its front grow.
 */
export class GenerationCache<K, V> {
  readonly #entriesPerGeneration: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** Holds between `entriesPerGeneration` and twice as many. */
  constructor(entriesPerGeneration: number) {
    this.#entriesPerGeneration = entriesPerGeneration;
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#entriesPerGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
