/**
 * What the store counts about itself. A counter only rises; a gauge is asked for when somebody looks. Nothing here grows with
 * the number of streams, clients or events.
 */
import type { Outcome } from './records.ts';

/** Upper bounds in seconds. */
const bounds = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;

export type HistogramSnapshot = {
  /** How many observations were at most so many seconds, for each bound. */
  readonly buckets: readonly { readonly upTo: number; readonly count: number }[];
  readonly count: number;
  readonly sum: number;
};

export class Histogram {
  readonly #counts = Array.from(bounds, () => 0);
  #count = 0;
  #sum = 0;
  /** The longest one so far. */
  longestMs = 0;

  observe(seconds: number): void {
    this.longestMs = Math.max(this.longestMs, seconds * 1_000);
    this.#count += 1;
    this.#sum += seconds;
    const index = bounds.findIndex((bound) => seconds <= bound);
    if (index >= 0) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  snapshot(): HistogramSnapshot {
    let below = 0;
    const buckets = bounds.map((upTo, index) => ({ upTo, count: (below += this.#counts[index] ?? 0) }));
    return { buckets, count: this.#count, sum: this.#sum };
  }
}

/** What only rises. */
export type Counts = {
  events: number;
  eventsRead: number;
  eventsScavenged: number;
  refusedChanges: number;
  wrongPasswords: number;
  readonly outcomes: Record<Outcome['kind'], number>;
};

/** What is counted where it happens. */
export class Metrics {
  readonly counts: Counts = {
    events: 0,
    eventsRead: 0,
    eventsScavenged: 0,
    refusedChanges: 0,
    wrongPasswords: 0,
    outcomes: { done: 0, wrongRevision: 0, tombstoned: 0, busy: 0, unavailable: 0 },
  };

  /** From the begin of a transaction to its end on disk. */
  readonly commits = new Histogram();
  readonly checkpoints = new Histogram();
  /** How long one slice of scavenging kept the writer waiting. */
  readonly scavenges = new Histogram();
}

/** What is seen of the log when somebody looks. */
export type LogGauges = {
  readonly head: number;
  readonly queuedChanges: number;
  readonly queuedBytes: number;
  readonly databaseBytes: number;
  readonly walBytes: number;
  /** Up to which position the chain of hashes was checked since the start. */
  readonly checkedPosition: number;
};

/** What is seen of the network, and what was refused there. */
export type ServerGauges = {
  readonly bytesInHand: number;
  readonly connections: number;
  readonly refusedConnections: number;
  readonly calls: number;
  readonly subscriptions: number;
  readonly refusedSubscriptions: number;
};

type Gauges = LogGauges & ServerGauges;

export type MetricsSnapshot = Gauges &
  Counts & {
    readonly commits: HistogramSnapshot;
    readonly checkpoints: HistogramSnapshot;
    readonly scavenges: HistogramSnapshot;
  };

/** A copy of plain data, which may travel between threads. */
export function snapshotOf(metrics: Metrics, gauges: Gauges): MetricsSnapshot {
  return {
    ...metrics.counts,
    ...gauges,
    commits: metrics.commits.snapshot(),
    checkpoints: metrics.checkpoints.snapshot(),
    scavenges: metrics.scavenges.snapshot(),
  };
}
