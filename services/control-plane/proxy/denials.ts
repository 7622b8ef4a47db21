/**
 * Refusals of people who are nobody yet (no token, a forged one, an expired one) on their way into the log (D31). Whoever
 * knocks can knock often, so only some become records of their own: 10 a minute per address and 20 a second in all. The
 * rest is counted per second and reason, and what there is no room for is told as a gap. Refusals of a known credential do
 * not come by here: its own limits bound them.
 */
import { randomUUIDv7 } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { RequestId } from '@clustral/schemas/ids.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Denial } from './proxy-records.ts';

const limits = { perSourceAndMinute: 10, perSecond: 20, sources: 10_000, reasons: 200 } as const;
const flushMs = 1_000;

export type Denials = {
  /** Takes one refusal, or several that were counted together. Never throws, never waits. */
  report(denial: Denial): void;
  /** Refusals that were lost before they came here. */
  lost(from: Date, to: Date): void;
  /** Hands what is counted to the trail. */
  stop(): void;
};

export type DenialsOptions = {
  readonly trail: Pick<AuditTrail, 'denied' | 'gap' | 'isFull'>;
  readonly now: () => Date;
};

/** The one counter of this process. */
export function createDenials(options: DenialsOptions): Denials {
  const counter = new Counter(options);
  const timer = setInterval(() => counter.flush(), flushMs);
  timer.unref();
  return {
    report: (denial) => counter.report(denial),
    lost: (from, to) => counter.lost(from, to),
    stop() {
      clearInterval(timer);
      counter.flush();
    },
  };
}

type Window = { readonly began: number; count: number };

class Counter {
  readonly #options: DenialsOptions;
  readonly #sources = new Map<string, Window>();
  readonly #counted = new Map<string, Denial>();
  #second: Window = { began: 0, count: 0 };
  #lost: { from: Date; to: Date } | undefined;

  constructor(options: DenialsOptions) {
    this.#options = options;
  }

  report(denial: Denial): void {
    if (denial.count === 1 && this.#hasRoom(denial)) this.#options.trail.denied(denial);
    else this.#count(denial);
  }

  lost(from: Date, to: Date): void {
    this.#lost = { from: this.#lost && this.#lost.from < from ? this.#lost.from : from, to };
  }

  flush(): void {
    const { trail } = this.#options;
    if (trail.isFull()) return;
    for (const denial of this.#counted.values()) trail.denied(denial);
    this.#counted.clear();
    if (this.#lost !== undefined) trail.gap({ clusterId: null, ...this.#lost, reason: 'refusals' });
    this.#lost = undefined;
  }

  #hasRoom(denial: Denial): boolean {
    const at = this.#options.now().getTime();
    if (this.#options.trail.isFull()) return false;
    if (at - this.#second.began >= 1_000) this.#second = { began: at, count: 0 };
    if (this.#second.count >= limits.perSecond) return false;
    const source = this.#sourceAt(sourceGroup(denial.origin.sourceAddress ?? ''), at);
    if (source === undefined || source.count >= limits.perSourceAndMinute) return false;
    source.count += 1;
    this.#second.count += 1;
    return true;
  }

  #sourceAt(source: string, at: number): Window | undefined {
    const known = this.#sources.get(source);
    if (known !== undefined && at - known.began < 60_000) return known;
    this.#sources.delete(source);
    if (this.#sources.size >= limits.sources) this.#forgetOld(at);
    // With 10,000 addresses within a minute it is a flood, and counting says as much as records would.
    if (this.#sources.size >= limits.sources) return undefined;
    const began: Window = { began: at, count: 0 };
    this.#sources.set(source, began);
    return began;
  }

  // Oldest first: a window that began anew was put at the end.
  #forgetOld(at: number): void {
    for (const [source, { began }] of this.#sources) {
      if (at - began < 60_000) return;
      this.#sources.delete(source);
    }
  }

  #count(denial: Denial): void {
    const key = `${denial.clusterId === null ? '' : denial.clusterId} ${denial.errorCode} ${denial.status}`;
    const before = this.#counted.get(key);
    if (before !== undefined) {
      this.#counted.set(key, { ...before, count: before.count + denial.count });
    } else if (this.#counted.size < limits.reasons) {
      this.#counted.set(key, counted(denial));
    } else {
      this.lost(denial.at, this.#options.now());
    }
  }
}

// Of many people, so nothing of any one of them is kept.
function counted({ clusterId, errorCode, status, count, at, origin }: Denial): Denial {
  const requestId = randomUUIDv7() as RequestId;
  return {
    requestId,
    clusterId,
    userId: null,
    credentialId: null,
    errorCode,
    status,
    method: '*',
    path: '',
    count,
    at,
    origin: { correlationId: origin.correlationId },
  };
}

/** The key under which addresses are counted: an IPv4 address, or the /64 of an IPv6 one. */
export function sourceGroup(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = (plain.split('%')[0] ?? '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  const groups = tail === undefined ? front : [...front, ...zeros, ...back];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
