/**
 * Volume control of the audit that loses nothing: reads of the same kind, repeated within seconds, share one record that
 * lists each of them by id. The first of a kind is always on record by itself; only those after it are held back, for five
 * seconds at most, and count as not durable until then, so that a crash leaves a gap that covers them (D30). The rule it
 * lives by: whatever differs in who, why, what, whence or how it ended is never put together.
 */
import type { ProxyOutcome } from '@clustral/schemas/events/proxy.ts';
import { isFreshCorrelationId } from '@clustral/kernel/correlation.ts';
import type { Ending, RequestRecord } from './proxy-records.ts';

/** `quickMs`: what takes longer may be on record as begun already (D30), and then needs an end of its own. */
const limits = { windowMs: 5_000, perRecord: 200, kinds: 2_000, quickMs: 4_000 };

export type ReadGathererOptions = {
  readonly now: () => Date;
  /** Puts a shared record on record. `since`: when the oldest read that it stands for ended, in milliseconds of `now`. */
  readonly write: (shared: SharedRecord) => void;
};

export type SharedRecord = { readonly record: RequestRecord; readonly ending: Ending; readonly since: number };

/** Reads of one kind since its window opened. */
type Kind = { readonly opened: number; held: Held | undefined };
type Held = {
  readonly record: RequestRecord;
  readonly since: number;
  outcome: ProxyOutcome;
  readonly requestIds: string[];
  until: number;
};

/** Gathers the reads of one process. */
export class ReadGatherer {
  readonly #options: ReadGathererOptions;
  // All windows are equally long, so the order of insertion is the order in which they close.
  readonly #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReadGathererOptions) {
    this.#options = options;
  }

  /** When the oldest read held back ended, in milliseconds of the clock. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const { held } of this.#kinds.values()) {
      if (held && (oldest === undefined || held.since < oldest)) oldest = held.since;
    }
    return oldest;
  }

  /** True when the read is taken care of; false when it has to leave a record of its own. */
  take(record: RequestRecord, outcome: ProxyOutcome): boolean {
    if (!isPlain(record, outcome)) return false;
    const key = kindOf(record, outcome);
    const now = this.#options.now().getTime();
    const kind = this.#kinds.get(key);
    if (kind === undefined) {
      if (this.#kinds.size < limits.kinds) this.#open(key, { opened: now, held: undefined });
      return false;
    }
    const { held } = kind;
    if (held === undefined) {
      kind.held = { record, since: now, outcome, requestIds: [], until: now };
      return true;
    }
    held.requestIds.push(record.requestId);
    held.outcome = both(held.outcome, outcome);
    held.until = now;
    if (held.requestIds.length + 1 >= limits.perRecord) this.#write(kind, held);
    return true;
  }

  /** Puts all that is held back on record. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const kind of this.#kinds.values()) if (kind.held) this.#write(kind, kind.held);
    this.#kinds.clear();
  }

  #open(key: string, kind: Kind): void {
    this.#kinds.set(key, kind);
    this.#timer ??= setTimeout(() => this.#close(), limits.windowMs);
  }

  #close(): void {
    this.#timer = undefined;
    const now = this.#options.now().getTime();
    // A clock that was set back closes what is open: nothing is ever held longer for it.
    const over = ({ opened }: Kind): boolean => now < opened || now - opened >= limits.windowMs;
    for (const [key, kind] of [...this.#kinds].filter(([, each]) => over(each))) {
      this.#kinds.delete(key);
      if (!kind.held) continue;
      this.#write(kind, kind.held);
      this.#open(key, { opened: now, held: undefined });
    }
    const [next] = this.#kinds.values();
    clearTimeout(this.#timer);
    this.#timer = next && setTimeout(() => this.#close(), limits.windowMs - (now - next.opened));
  }

  #write(kind: Kind, { record, outcome, requestIds, until, since }: Held): void {
    kind.held = undefined;
    const repeats = { requestIds, until: new Date(until).toISOString() };
    this.#options.write({ record, ending: requestIds.length === 0 ? { outcome } : { outcome, repeats }, since });
  }
}

// A trace, or a correlation id that somebody chose, says that this one request will be looked for.
function isPlain({ strict, origin }: RequestRecord, { end, status, errorCode, durationMs }: ProxyOutcome): boolean {
  return (
    !strict &&
    end === 'completed' &&
    errorCode === null &&
    status !== null &&
    status < 400 &&
    durationMs < limits.quickMs &&
    origin.traceparent === undefined &&
    isFreshCorrelationId(origin.correlationId)
  );
}

function kindOf({ clusterId, basis, request, origin, startedAt }: RequestRecord, { status }: ProxyOutcome): string {
  const { credentialId, userRevision, roleId, roleRevision, accessRequestId } = basis;
  // The day is that of the stream which the record goes to (D26).
  const day = Math.floor(startedAt.getTime() / 86_400_000);
  return `${credentialId} ${clusterId} ${userRevision} ${roleId} ${roleRevision} ${accessRequestId} ${day} ${status} ${request.method} ${request.path}\n${origin.sourceAddress}\n${origin.userAgent}`;
}

const both = (one: ProxyOutcome, other: ProxyOutcome): ProxyOutcome => ({
  ...one,
  bytesSent: one.bytesSent + other.bytesSent,
  bytesReceived: one.bytesReceived + other.bytesReceived,
  durationMs: Math.max(one.durationMs, other.durationMs),
});
