/**
 * What all controllers are given and what they answer.
 */
import type { World } from './objects.ts';
import type { Store } from './store.ts';

/** What a controller works with. */
export interface Workshop {
  store: Store;
  world: World;
  /** How long a pod takes to start and to stop, in milliseconds. */
  podStartMs: number;
  podStopMs: number;
  /** The certificate that clients in the cluster would trust (PEM). */
  rootCertificate: string;
}

/** What a controller answers: when to look again although nothing changed (milliseconds), or nothing. */
export type Again = number | undefined;
