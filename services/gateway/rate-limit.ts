/**
 * Two limiters that never touch each other's budget (D3, GW-18, GW-19): the admin API per person (burst 100, 50 per 10 s),
 * the kubectl path per credential (burst 200, 100 a second, and a queue of 50 in order). Whoever is not recognised is
 * counted by source address, after the fact: a token that verifies is never refused for what its neighbours do.
 * The number of buckets is bounded; one that has filled up again is forgotten, which changes nothing for its owner.
 */
import { TokenBucket } from 'limiter';
import { LRUCache } from 'lru-cache';
import { errorCatalogue, Refusal } from '@clustral/schemas/errors.ts';
import type { ProxyLimits } from './config.ts';
import { addressGroup } from './source-address.ts';

export type RateLimits = {
  /** One call of the admin API. Throws `RATE_LIMITED`. */
  person(key: string): void;
  /** One call of nobody in particular. `group` is an address as `addressGroup` gives it. Throws `RATE_LIMITED`. */
  anonymous(group: string): void;
  /** One request on the kubectl path: at once, or later in order. Throws `RATE_LIMITED` when the queue is full. */
  credential(credentialId: string): Promise<void> | undefined;
};

/** Design document: 100 at once, 50 more every 10 s. */
const rest = { burst: 100, perInterval: 50, intervalMs: 10_000 };
const mostBuckets = 10_000;

/** Limits of the gateway. Time is `performance.now`, which no wall clock moves. */
export function createRateLimits(proxy: ProxyLimits): RateLimits {
  const people = buckets(rest);
  const addresses = buckets(rest);
  const credentials = buckets({ burst: proxy.burst, perInterval: proxy.perSecond, intervalMs: 1_000 });
  return {
    person: (key) => takeOrRefuse(people(key), 'You sent'),
    anonymous: (group) => takeOrRefuse(addresses(group), 'Your address sent'),
    credential(credentialId) {
      if (!proxy.enabled) return undefined;
      const entry = credentials(credentialId);
      // Whoever comes while others wait stands behind them.
      if (entry.waiting === 0 && entry.bucket.tryRemoveTokens(1)) return undefined;
      if (entry.waiting >= proxy.queue) {
        throw tooMany('This credential sent', Math.ceil((entry.waiting + 1) / proxy.perSecond));
      }
      entry.waiting += 1;
      return entry.bucket.removeTokens(1).then(
        () => void (entry.waiting -= 1),
        (cause: unknown) => {
          entry.waiting -= 1;
          throw cause;
        },
      );
    },
  };
}

/** Counts a failed recognition by its source and passes the failure on, unless the source has had too many of them. */
export function countStranger(limits: RateLimits, sourceAddress: string): (thrown: unknown) => never {
  return (thrown) => {
    // A provider that is down is nobody's fault out there.
    const status = thrown instanceof Refusal ? errorCatalogue[thrown.code].http : 500;
    if (status === 401 || status === 403) limits.anonymous(addressGroup(sourceAddress));
    throw thrown;
  };
}

type Entry = { readonly bucket: TokenBucket; waiting: number };
type Rate = { readonly burst: number; readonly perInterval: number; readonly intervalMs: number };

function buckets({ burst, perInterval, intervalMs }: Rate): (key: string) => Entry {
  const ttl = Math.ceil((burst / perInterval) * intervalMs) + 1_000;
  // Its clock is a timer of this length: of the default, a millisecond, every request would set one.
  const ttlResolution = 100;
  const entries = new LRUCache<string, Entry>({ max: mostBuckets, ttl, ttlResolution, updateAgeOnGet: true });
  return (key) => {
    const known = entries.get(key);
    if (known) return known;
    const bucket = new TokenBucket({ bucketSize: burst, tokensPerInterval: perInterval, interval: intervalMs });
    bucket.content = burst;
    const entry = { bucket, waiting: 0 };
    entries.set(key, entry);
    return entry;
  };
}

function takeOrRefuse({ bucket }: Entry, who: string): void {
  if (!bucket.tryRemoveTokens(1)) throw tooMany(who, Math.ceil(bucket.getWaitTime(1) / 1000));
}

const tooMany = (who: string, seconds: number): Refusal => {
  const wait = Math.max(1, seconds);
  return new Refusal('RATE_LIMITED', `${who} too many requests. Wait ${wait} s, then go on more slowly.`, {
    retryAfterSeconds: String(wait),
  });
};
