/**
 * The shapes that travel between the wire and the storage: an event somebody wants to append, an event as stored, and the
 * outcome of an append. Numbers are plain numbers (positions and revisions stay below 2^53); bytes stay bytes: the store
 * never looks into an event's data.
 */

/** An event as a client proposes it. `id` is the 16 bytes of a UUID. */
export type ProposedEvent = {
  readonly id: Uint8Array;
  readonly type: string;
  readonly json: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
};

/** An event as stored. `position` is its place in the one total order, from 1 up; `createdAt` is Unix milliseconds. */
export type StoredEvent = ProposedEvent & {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly createdAt: number;
};

/** `exactly` -1 means: the stream must have no events. */
export type Expected =
  | { readonly kind: 'exactly'; readonly revision: number }
  | { readonly kind: 'exists' }
  | { readonly kind: 'any' };

/**
 * What became of an append. `current` is the stream's last revision, -1 without events. Only `appended` means anything
 * was stored; `unavailable` and `busy` may be tried again.
 */
export type AppendOutcome =
  | { readonly kind: 'appended'; readonly revision: number; readonly position: number }
  | { readonly kind: 'wrongRevision'; readonly current: number }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'busy'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** One line for the host's log. */
export type Note = { readonly level: 'info' | 'warn' | 'error'; readonly message: string };
