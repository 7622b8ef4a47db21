/**
 * The proof that the read models are what the log makes of them (G4, ES-13), and their building anew. Both fold the whole log
 * beside what readers see, under traffic, and compare field by field at one and the same position; building anew then
 * switches readers over. It repairs nothing in place and trusts nothing but the log, whose closed days it proves on the way.
 */
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { utcDay } from '@clustral/schemas/events/proxy.ts';
import { extentCollection, extentId } from '../audit.ts';
import { openFold } from '../fold.ts';
import type { ReadModel } from '../model.ts';
import { projectionName } from '../projector-state.ts';
import type { Collection, ReadStore, ReadStoreReader } from '../read-store.ts';
import { horizonOf } from '../retention.ts';
import type { DayReport } from './day-proof.ts';
import { differenceNow, differencesOf, type Difference, type Horizon, type Pair } from './differences.ts';
import { Follower } from './follower.ts';

/** More than so many are not looked at again one by one: something is wrong as a whole. */
const mostDifferences = 1_000;
/** How often a document that seems to differ is looked at again while new facts keep coming. */
const looks = 50;

export type ReplayOptions = {
  readonly eventStore: EventStore;
  /** What readers see. */
  readonly live: ReadStoreReader;
  /** Empty, and nobody's but ours. */
  readonly built: ReadStore;
  /** All of them: they are built together. */
  readonly models: readonly ReadModel[];
  /** Names of the models to compare; all when empty. */
  readonly compared: readonly string[];
  readonly now: () => Date;
  readonly keepSeconds: number;
};

/** What was found. `documents` counts those that the log makes. */
export type ReplayReport = {
  readonly position: bigint;
  readonly facts: number;
  readonly collections: readonly {
    readonly model: string;
    readonly name: string;
    readonly documents: number;
    readonly differences: number;
  }[];
  /** The first thousand. */
  readonly differences: readonly Difference[];
  /** What became of the days that were closed (D26). */
  readonly days: DayReport;
};

/** Folds the log and compares. Throws `PoisonFact` when the log holds a fact that this build cannot apply. */
export async function verify(options: ReplayOptions): Promise<ReplayReport> {
  return replayed(options, async () => undefined);
}

/** As `verify`, then makes what was built the one that readers see. */
export async function rebuild(options: ReplayOptions): Promise<ReplayReport> {
  return replayed(options, async (follower) => {
    await follower.advanceTo(await positionOf(options.live));
    await options.built.publish();
  });
}

async function replayed(options: ReplayOptions, finish: (follower: Follower) => Promise<void>): Promise<ReplayReport> {
  const { eventStore, live, built, models, now, keepSeconds } = options;
  const follower = new Follower(eventStore, await openFold(built, models));
  try {
    const position = await positionOf(live);
    await follower.advanceTo(position);
    const at = horizonOf(now(), keepSeconds, await built.get(extentCollection, extentId));
    const comparison = new Comparison({ live, built }, { at, day: utcDay(new Date(at)) }, follower);
    for (const model of models) {
      if (options.compared.length > 0 && !options.compared.includes(model.name)) continue;
      for (const collection of model.collections) await comparison.compare(model.name, collection);
    }
    await finish(follower);
    const { collections, differences } = comparison;
    return { position, facts: follower.facts, collections, differences, days: follower.days.report() };
  } finally {
    follower.stop();
  }
}

class Comparison {
  readonly collections: ReplayReport['collections'][number][] = [];
  readonly differences: Difference[] = [];
  readonly #pair: Pair;
  readonly #horizon: Horizon;
  readonly #follower: Follower;

  constructor(pair: Pair, horizon: Horizon, follower: Follower) {
    this.#pair = pair;
    this.#horizon = horizon;
    this.#follower = follower;
  }

  async compare(model: string, collection: Collection): Promise<void> {
    const walk = differencesOf(this.#pair, collection, this.#horizon);
    const seeming: Difference[] = [];
    let step = await walk.next();
    let beyond = 0;
    for (; step.done !== true; step = await walk.next()) {
      if (seeming.length < mostDifferences) seeming.push(step.value);
      else beyond += 1;
    }
    let count = beyond;
    for (const one of seeming) {
      const difference = await this.#lookAgain(one);
      if (difference === undefined) continue;
      count += 1;
      if (this.differences.length < mostDifferences) this.differences.push(difference);
    }
    this.collections.push({ model, name: collection.name, documents: step.value, differences: count });
  }

  /** While the one side was read the other went on: a difference counts when both stand at the same position. */
  async #lookAgain(seeming: Difference): Promise<Difference | undefined> {
    let difference: Difference | undefined = seeming;
    for (let look = 0; look < looks; look += 1) {
      const before = await positionOf(this.#pair.live);
      await this.#follower.advanceTo(before);
      difference = await differenceNow(this.#pair, seeming, this.#horizon);
      if (difference === undefined || (await positionOf(this.#pair.live)) === before) return difference;
    }
    return difference;
  }
}

const positionOf = async (store: ReadStoreReader): Promise<bigint> => (await store.position(projectionName)) ?? 0n;
