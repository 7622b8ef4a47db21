/**
 * Which request each Idempotency-Key was used for, whatever stream it went to: a key that comes again with another request is refused
 * (D33). A stream knows its own keys for ever; here are those of the last while, for requests that name another stream.
 */
import { LRUCache } from 'lru-cache';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Cause } from './ports.ts';

/** How long a key is good for one request. */
export const replayedForMs = 86_400_000;

const mostKeys = 50_000;

export class UsedKeys {
  readonly #bodies = new LRUCache<string, string>({ max: mostKeys, ttl: replayedForMs });

  /** Throws `IDEMPOTENCY_MISMATCH` when the key stands for another request. */
  refuseOther({ idempotency }: Cause): void {
    if (idempotency === undefined) return;
    const body = this.#bodies.get(idempotency.key);
    if (body !== undefined && body !== idempotency.body) throw keyUsedOtherwise();
  }

  /** From now on the key stands for this request. */
  note({ idempotency }: Cause): void {
    if (idempotency !== undefined) this.#bodies.set(idempotency.key, idempotency.body);
  }
}

export const keyUsedOtherwise = (): Refusal =>
  new Refusal(
    'IDEMPOTENCY_MISMATCH',
    'This Idempotency-Key was used within the last 24 hours for the same method with another body. Send a new key.',
  );
