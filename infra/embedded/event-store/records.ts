/**
 * The shapes that travel between the wire and the storage: an event somebody wants to append, an event as stored, and the
 * outcome of a change. Numbers are plain numbers (positions and revisions stay below 2^53); bytes stay bytes: the store never
 * looks into an event's data, but for the metadata of streams.
 */

/** What a client says of an event. `id` is the 16 bytes of a UUID. */
export type EventContent = {
  readonly id: Buffer;
  readonly type: string;
  readonly json: boolean;
  readonly data: Buffer;
  readonly metadata: Buffer;
};

/** An event as a client proposes it, with the digest of its content, which is known before its place is. */
export type ProposedEvent = EventContent & { readonly digest: Buffer };

/** Where an event lies. `position` is its place in the one total order, from 1 up; `createdAt` is Unix milliseconds. */
export type EventPlace = {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly createdAt: number;
};

export type StoredEvent = EventContent & EventPlace;

/** The revision of the event that ends a stream for good. On the wire it is the greatest int64. */
export const tombstoneRevision = Number.MAX_SAFE_INTEGER;

/** `exactly` -1 means: the stream must have no events. */
export type Expected =
  | { readonly kind: 'exactly'; readonly revision: number }
  | { readonly kind: 'exists' }
  | { readonly kind: 'any' };

/**
 * What became of a change. `revision` and `current` are the stream's last revision, -1 without events; `position` is that of
 * the last event written. Only `done` means that anything was stored; `unavailable` and `busy` may be tried again.
 */
export type Outcome =
  | { readonly kind: 'done'; readonly revision: number; readonly position: number }
  | { readonly kind: 'wrongRevision'; readonly current: number }
  | { readonly kind: 'tombstoned' }
  | { readonly kind: 'busy'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** One line for the host's log. */
export type Note = { readonly level: 'info' | 'warn' | 'error'; readonly message: string };
