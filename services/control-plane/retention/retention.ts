/**
 * The job that keeps the days of proxied requests in order (D26): once an hour, cluster by cluster, and at the start what is
 * overdue. Nobody waits for it, and it takes nothing that is not asked of it: how long records are kept is configuration. Taking
 * what was deleted off the disk is the event store's own scavenge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@clustral/schemas/errors.ts';
import { leaseStream } from '@clustral/schemas/events/lease.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { RevisionConflict } from '@clustral/kernel/event-store-port.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import { horizonOf } from '@clustral/projections/retention.ts';
import type { PolicyQueries } from '../policy.ts';
import { DayKeeper, type DayKeeperOptions, type Kept } from './day-keeper.ts';

const everyMs = 3_600_000;
const againMs = 60_000;

export type RetentionOptions = Omit<DayKeeperOptions, 'assertFresh' | 'signal'> & {
  readonly policy: Pick<PolicyQueries, 'allClusters' | 'assertFresh'>;
  readonly now: () => Date;
  /** What an earlier run left must be on record before a day is closed over it. */
  readonly recovered: Promise<void>;
};

/** Starts it; resolves at once. */
export function startRetention(options: RetentionOptions): Running {
  const { log, recovered } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const retention = new Retention(options, signal);
  const running = (async () => {
    await recovered;
    while (!signal.aborted) {
      const isDone = await round(retention, { log, signal });
      // Not all installations at the full hour, and not every try at once.
      await sleep((isDone ? everyMs : againMs) * (0.5 + Math.random() / 2), undefined, { signal }).catch(
        () => undefined,
      );
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

type Surroundings = Pick<DayKeeperOptions, 'log' | 'signal'>;

async function round(retention: Retention, { log, signal }: Surroundings): Promise<boolean> {
  try {
    const { closed, deleted } = await retention.round();
    if (closed + deleted > 0) log.info({ closed, deleted }, 'days of proxied requests were closed and deleted');
    return true;
  } catch (cause) {
    if (signal.aborted) return false;
    const isForeseen = cause instanceof Refusal || cause instanceof RevisionConflict;
    log[isForeseen ? 'warn' : 'error']({ err: cause }, 'days of proxied requests cannot be kept in order now');
    return false;
  }
}

/** What the job does each time. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #signal: AbortSignal;
  readonly #keepers = new Map<ClusterId | null, DayKeeper>();
  #since: Date | undefined;

  constructor(options: RetentionOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Closes and deletes what is due of every cluster there ever was. Throws what the log throws. */
  async round(): Promise<Kept> {
    const { policy, now, keepSeconds } = this.#options;
    const since = (this.#since ??= await this.#beginning());
    const all = [...policy.allClusters()].flatMap((cluster) => ('clusterId' in cluster ? [cluster.clusterId] : []));
    let [closed, deleted] = [0, 0];
    for (const clusterId of [null, ...all]) {
      const at = now();
      const kept = await this.#keeperOf(clusterId).keep({
        now: at,
        since,
        horizon: horizonOf(at, keepSeconds, undefined),
      });
      closed += kept.closed;
      deleted += kept.deleted;
    }
    return { closed, deleted };
  }

  #keeperOf(clusterId: ClusterId | null): DayKeeper {
    const known = this.#keepers.get(clusterId);
    if (known) return known;
    const { policy, ...options } = this.#options;
    const made = new DayKeeper(clusterId, {
      ...options,
      assertFresh: () => policy.assertFresh(),
      signal: this.#signal,
    });
    this.#keepers.set(clusterId, made);
    return made;
  }

  // No record is older than the first control plane that might write one.
  async #beginning(): Promise<Date> {
    const { facts } = await this.#options.store.load(leaseStream);
    return facts[0]?.recordedAt ?? this.#options.now();
  }
}
