/** Where an agent keeps its identity, as whoever uses it sees it: a folder of its own, or a Secret of its own. */
import type { KeyPair } from '@clustral/kernel/x509.ts';
import type { Identity } from './identity.ts';

export type IdentityStore = {
  /** The newest whole identity; undefined when there is none. Rejects with `IdentityUnreachable`, or with node's error. */
  load(): Promise<Identity | undefined>;
  /** Puts the identity in the place of any other. Rejects with the old one untouched, or with the new one in place. */
  save(identity: Identity): Promise<void>;
  /** The key that waits for a certificate: the one made before, or a new one, kept before it is given. */
  pendingKey(): Promise<KeyPair>;
  /** Runs `work` while no other process that shares the identity changes it (D36). Rejects when another does for too long. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
};

/**
 * The identity cannot be read or written just now; the message says why, and what to do about it. It stands for no other error: whose
 * certificate is not trusted here is not the control plane.
 */
export class IdentityUnreachable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IdentityUnreachable';
  }
}
