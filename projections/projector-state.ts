/**
 * What the projector must remember beside the documents, stored in the same commit: how the lease stands at its position,
 * which log it follows, and why it has stopped when it has.
 */
import { collectionOf } from './read-store.ts';

/** The one projection: all read models advance together, so one position speaks for them all. */
export const projectionName = 'read-models';
export const stateId = 'projector';

export type ProjectorState = {
  readonly _id: string;
  /** Newest epoch that took over, at the stored position (D18). */
  readonly epoch: number;
  /** The last policy fact applied: a log in which it is not there, or is another, is another log. */
  readonly last: { readonly stream: string; readonly revision: number; readonly id: string } | null;
  /** Why the projection stopped, for people; null while it goes on. */
  readonly halted: string | null;
};

export const projectorCollection = collectionOf<ProjectorState>({ name: 'projector', fields: {}, indexes: [] });

export const pulseId = 'pulse';

/** The projector's sign of life. Instants are milliseconds since the epoch. */
export type Pulse = {
  readonly _id: string;
  readonly at: number;
  /** When the read models were last known to include everything in the log. */
  readonly currentAt: number | null;
  /** How many positions they were behind at `at`. */
  readonly events: number;
};

/** In the same collection as the state, and in no commit of facts. */
export const pulseCollection = collectionOf<Pulse>({ name: projectorCollection.name, fields: {}, indexes: [] });
