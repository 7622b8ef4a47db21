/**
 * How often one key may do something: a bucket per key, refilled slowly. It remembers a limited number of keys, the last seen.
 * For enrolment the key is where a call came from, for renewals the cluster (TN-06).
 */
import { LRUCache } from 'lru-cache';

const burst = 20;
const refillEveryMs = 1_000;
const mostKeys = 10_000;

type Bucket = { tokens: number; at: number };

export class Throttle {
  readonly #buckets = new LRUCache<string, Bucket>({ max: mostKeys });

  /** Takes one try of the key; false when it has none left. `now` is monotonic, in milliseconds. */
  take(key: string, now: number): boolean {
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / refillEveryMs);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** The IPv4 address, or the /64 of an IPv6 address: whoever has one of those has all addresses in it. */
export function networkOf(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (!plain.includes(':')) return plain;
  const [head = ''] = plain.split('::');
  return head.split(':').slice(0, 4).join(':');
}
