/**
 * The envelope of every stored fact: what the log keeps beside a fact's own data, and how a reader sees a fact that
 * was read back. It refuses personal data beyond the two fields of a caller's connection (behaviour.md D27): an actor is a kind
 * and an id, never a name. Facts are stored JSON, versioned by addition: fields are added, never renamed.
 */

/** A fact as its stream category defines it: a past-tense type, which is also its audit name, and small JSON data. */
export type Fact = { readonly type: string; readonly data: object };

/** Who caused a fact. `service` is a part of the product acting by itself (a connection seen, a reactor). */
export type Actor = { readonly kind: 'user' | 'agent' | 'service'; readonly id: string };

/** What every fact carries beside its data (D27). The `$` names are EventStoreDB's convention for causality. */
export type FactMetadata = {
  /** Version of the fact's data; a reader upcasts from it. Starts at 1. */
  readonly schemaVersion: number;
  readonly actor: Actor;
  /** The writer's epoch (D18): a fact below the newest take-over before it in the log is void. */
  readonly epoch: number;
  readonly $correlationId: string;
  readonly $causationId?: string;
  /** The server-made id of the request that caused it (D28). */
  readonly requestId?: string;
  readonly sourceAddress?: string;
  readonly userAgent?: string;
  readonly traceparent?: string;
  /** Set when the command carried an `Idempotency-Key`: SHA-256 of key, actor and method, and of the body. */
  readonly idempotency?: { readonly key: string; readonly body: string };
};

/** A fact about to be appended. `id` is a UUID; deterministic where a retry must not store it twice. */
export type NewFact<F extends Fact = Fact> = F & { readonly id: string; readonly metadata: FactMetadata };

/** A fact as read back from the log. `position` is its place in the one total order. */
export type Recorded<F extends Fact = Fact> = F & {
  readonly id: string;
  readonly stream: string;
  /** 0-based, without gaps within the stream. */
  readonly revision: number;
  readonly position: bigint;
  readonly recordedAt: Date;
  readonly metadata: FactMetadata;
};

/** The revision a stream must be at for an append to be taken: a number, or `none` for a stream without facts. */
export type Revision = number | 'none';
