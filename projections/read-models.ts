/**
 * How a service reads the read models: open once, ask with the query functions that stand beside each model. Nothing is
 * written here and nothing is decided by what is read (D16).
 *
 * Rule: an answer is whole or there is none. Until the projections have been built once, every query waits a bounded time and
 * then is `STORE_UNAVAILABLE`; half-built models answer nobody (ES-06).
 */
import { lagSeconds } from './lag.ts';
import { openReader, type ReadModelsPlace } from './place.ts';
import { projectionName, projectorCollection, stateId } from './projector-state.ts';
import type { ReadStoreReader } from './read-store.ts';
import { waitUntilReached } from './wait-until-reached.ts';

/** What the services hold. */
export type ReadModels = ReadStoreReader & {
  /**
   * Resolves when the read models include the log position (`x-clustral-position`); `STORE_UNAVAILABLE` when they do not
   * within `deadlineMs`, or at once when the projection has stopped.
   */
  waitFor(position: bigint, deadlineMs: number): Promise<void>;
  /** The log position that the read models include; undefined before the first fact. */
  reached(): Promise<bigint | undefined>;
  /** Whole seconds that they may be behind the log; undefined when that is not known (yet). */
  lagSeconds(): Promise<number | undefined>;
  /** True once the read models were built: queries are then answered. Asks without waiting, for readiness. */
  isBuilt(): boolean;
  close(): void;
};

/** Opens the read models at the place where another process writes them, and may not have begun. */
export async function openReadModels(place: ReadModelsPlace): Promise<ReadModels> {
  const reader = await openReader(place);
  return {
    get: (collection, id) => reader.get(collection, id),
    find: (collection, find) => reader.find(collection, find),
    count: (collection, filter, cap) => reader.count(collection, filter, cap),
    position: (projection) => reader.position(projection),
    reached: () => reader.position(projectionName),
    waitFor: (position, deadlineMs) =>
      waitUntilReached({
        position,
        deadlineMs,
        reached: () => reader.position(projectionName),
        halted: async () => (await reader.get(projectorCollection, stateId))?.halted ?? undefined,
      }),
    lagSeconds: () => lagSeconds(reader, Date.now()),
    isBuilt: () => reader.isBuilt(),
    close: () => reader.close(),
  };
}
