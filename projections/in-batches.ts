/**
 * Gathers what a source yields into batches: as much as comes within a short while, never more than a maximum. Where nothing
 * comes, an empty batch is yielded once in a while, so that its reader can do what is due by time.
 */

export type BatchLimits = {
  /** How many a batch may hold, and how long one that has begun waits for more; asked for each batch anew. */
  readonly now: () => { readonly most: number; readonly lingerMs: number };
  readonly idleMs: number;
};

/** Ends when the source ends; throws what it throws, after what came before was yielded. */
export async function* inBatches<T>(source: AsyncIterable<T>, limits: BatchLimits): AsyncGenerator<readonly T[]> {
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const { items, following } = await gather(iterator, next, limits);
      yield items;
      if (following === undefined) return;
      next = following;
    }
  } finally {
    // The pending call ends with the source; nobody waits for its value any more.
    void next.catch(() => undefined);
    void iterator.return?.().catch(() => undefined);
  }
}

type Gathered<T> = {
  readonly items: readonly T[];
  /** The call for what comes after the batch; undefined when the source has ended. */
  readonly following: Promise<IteratorResult<T>> | undefined;
};

async function gather<T>(
  iterator: AsyncIterator<T>,
  first: Promise<IteratorResult<T>>,
  limits: BatchLimits,
): Promise<Gathered<T>> {
  const items: T[] = [];
  const { most, lingerMs } = limits.now();
  let next = first;
  let timer = startTimer(limits.idleMs);
  try {
    while (items.length < most) {
      const result = await Promise.race([next, timer.over]);
      if (result === 'over') break;
      if (result.done === true) return { items, following: undefined };
      if (items.push(result.value) === 1) {
        clearTimeout(timer.id);
        timer = startTimer(lingerMs);
      }
      next = iterator.next();
    }
    return { items, following: next };
  } catch (error) {
    if (items.length === 0) throw error;
    return { items, following: next };
  } finally {
    clearTimeout(timer.id);
  }
}

function startTimer(ms: number): { readonly id: NodeJS.Timeout; readonly over: Promise<'over'> } {
  const { promise, resolve } = Promise.withResolvers<'over'>();
  return { id: setTimeout(resolve, ms, 'over'), over: promise };
}
