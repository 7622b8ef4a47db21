/**
 * What the rest of the product may ask of the log. It says nothing of clusters or roles, and it offers no append
 * without an exact expected revision (behaviour.md D29). `event-store.ts` is the one implementation, on the official client;
 * whatever server stands behind it, embedded or real, passes `event-store.contract.ts`.
 */
import type { Fact, NewFact, Recorded, Revision } from '@clustral/schemas/events/envelope.ts';

/** Where an append ended: the stream's new last revision and the log position of the last fact written. */
export type Appended = { readonly revision: number; readonly position: bigint };

/** A stream as loaded: its facts from the asked revision on, oldest first, and the revision an append must expect. */
export type LoadedStream<F extends Fact> = { readonly facts: readonly Recorded<F>[]; readonly revision: Revision };

/**
 * What a subscription yields: each fact in order, checkpoints in between (nothing of the prefixes lies between the last fact
 * and there), and `caughtUp` each time it reaches the live end: also after a lost connection and, with nothing new, once in
 * a while, so its reader must not mind hearing it again.
 */
export type LogMessage =
  | { readonly kind: 'fact'; readonly fact: Recorded }
  | { readonly kind: 'checkpoint'; readonly position: bigint }
  | { readonly kind: 'caughtUp' };

export type SubscribeOptions = {
  /** Stream-name prefixes to deliver; facts of other streams only move the checkpoint. */
  readonly prefixes: readonly string[];
  /** Deliver what comes after this position; everything when absent. */
  readonly after?: bigint;
  readonly signal: AbortSignal;
};

/** The log. Every call has a deadline and throws `Refusal('STORE_UNAVAILABLE')` when the server does not answer in time. */
export interface EventStore {
  /** The facts of one stream, from revision `from` (default 0) on. A stream that does not exist is `{facts: [], revision: 'none'}`. */
  load<F extends Fact>(stream: string, from?: number): Promise<LoadedStream<F>>;
  /**
   * Appends all facts or none, durable when it resolves. The stream must be at `expected`, else it throws
   * `RevisionConflict`. Retrying with the same ids and the same `expected` after a lost answer gives the first result.
   */
  append(stream: string, expected: Revision, facts: readonly NewFact[]): Promise<Appended>;
  /** Facts of the log in order, for ever, reconnecting by itself with full jitter, until the signal aborts. */
  subscribe(options: SubscribeOptions): AsyncIterable<LogMessage>;
  /** The facts of the given prefixes from the newest backwards, at most `limit`. */
  readBackwards(options: {
    readonly prefixes: readonly string[];
    readonly limit: number;
  }): Promise<readonly Recorded[]>;
  /** Resolves when the server answered a read within `deadlineMs`; rejects otherwise. For readiness. */
  ping(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** What keeping the log in order takes besides (D26). Whoever decides or shows something has no business with it. */
export interface LogUpkeep {
  /** Gives the facts of one stream, oldest first, without holding them: for one that is too long to be loaded. Throws `StreamGone`. */
  walk(stream: string, take: (fact: Recorded) => void): Promise<void>;
  /**
   * Ends a stream for good: nothing is read from it or written to it again, and the next scavenge takes it out of the log.
   * It must be at `expected`, else `RevisionConflict`. Throws `StreamGone` when it was ended before.
   */
  tombstone(stream: string, expected: number): Promise<void>;
}

/** The stream was ended for good. */
export class StreamGone extends Error {
  readonly stream: string;
  constructor(stream: string) {
    super(`stream ${stream} was ended for good`);
    this.name = 'StreamGone';
    this.stream = stream;
  }
}

/** The stream was not at the expected revision: somebody else wrote. Load again and decide again. */
export class RevisionConflict extends Error {
  readonly stream: string;
  readonly expected: Revision;
  readonly actual: Revision;
  constructor(conflict: { stream: string; expected: Revision; actual: Revision }) {
    super(`stream ${conflict.stream} is at revision ${conflict.actual}, not at ${conflict.expected}`);
    this.name = 'RevisionConflict';
    this.stream = conflict.stream;
    this.expected = conflict.expected;
    this.actual = conflict.actual;
  }
}
