/**
 * What the writers did, as they saw it from outside: every command with every time it was sent, and what came back. The checker
 * decides on this and on the log alone; it believes no word of the product's own.
 */

/** One answer. `comparable` is the body without what differs between two equal answers: the signature of a token. */
export type Answer = {
  readonly status: number;
  /** Code of a refusal. */
  readonly code: string | undefined;
  readonly comparable: string;
  /** `x-clustral-position`, when the answer carried one. */
  readonly position: bigint | undefined;
};

/** One time that a command was sent. Milliseconds of one monotonic clock; without an answer the connection was cut. */
export type Attempt = {
  /** Sent with it; the facts that came of it carry it. */
  readonly correlationId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly answer: Answer | undefined;
  /** False when nobody took the connection, so that nothing can have come of it. */
  readonly wasSent: boolean;
};

/** A fact that a command must leave: its type, and what its data must hold at least. */
export type ExpectedFact = { readonly type: string; readonly data: Readonly<Record<string, unknown>> };

export type CommandRecord = {
  /** Name of the method in the schema. */
  readonly method: string;
  /** The `Idempotency-Key` as it was sent. */
  readonly key: string;
  /** The same as the facts carry it: SHA-256 over key, actor and method. */
  readonly factKey: string;
  readonly expected: readonly ExpectedFact[];
  /** Refusals that the history allows: another writer may have had the name. */
  readonly allowedRefusals: readonly string[];
  /** Others change the same thing, so that a repeated answer may show what they made of it. */
  readonly isShared: boolean;
  /** In the order in which they were sent; grows until the run ends. */
  readonly attempts: Attempt[];
};

/** True for an answer that says "done". */
export const isDone = (answer: Answer | undefined): boolean =>
  answer !== undefined && answer.status >= 200 && answer.status < 300;

/** True for an answer after which nobody need ask again: done, or refused for a reason that stays. */
export const isFinal = (answer: Answer | undefined): answer is Answer => answer !== undefined && answer.status < 500;

/** True when its sender cannot know whether it was applied: no answer, or one that says "not now". */
export const isAmbiguous = ({ answer, wasSent }: Attempt): boolean =>
  answer === undefined ? wasSent : answer.status === 503;
