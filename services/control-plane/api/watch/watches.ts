/**
 * All open streams of `Watch`: so many of one person and so many in all. It hears each fact that the policy fold takes and
 * tells each viewer what they may know of it. It reads nothing and decides nothing.
 */
import { LRUCache } from 'lru-cache';
import { auditPrefixes } from '@clustral/schemas/events/catalogue.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ReviewRules } from '@clustral/schemas/events/role.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { WatchEvent, WatchTopic } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { disabled } from '../../authorize.ts';
import { decodePolicyFact, isPolicyStream, type PolicyFact } from '../../policy-facts.ts';
import type { PolicyQueries } from '../../policy.ts';
import { changeOf, topicsFor, type Change, type Viewer } from './change.ts';
import type { HeardStore } from './heard-store.ts';
import { RecentChanges } from './recent-changes.ts';
import { Watcher, type WatchMessage, type WatchTimes } from './watcher.ts';

export type WatchLimits = WatchTimes & {
  /** Streams of one person: a browser needs one. */
  readonly perPerson: number;
  readonly total: number;
  /** What is only for the audit comes by the thousand and is told this often at the most. */
  readonly auditEveryMs: number;
};

const usualLimits: WatchLimits = {
  heartbeatMs: 15_000,
  spacingMs: 100,
  stallMs: 30_000,
  perPerson: 8,
  total: 1_000,
  auditEveryMs: 1_000,
};

export type WatchesOptions = {
  readonly policy: Pick<PolicyQueries, 'onFact' | 'assertFresh' | 'lastPosition' | 'openAccess'>;
  /** Every append of this process, which is the log's one writer (D18): what is only for the audit the fold does not see. */
  readonly appends: Pick<HeardStore, 'listen'>;
  readonly now: () => Date;
  readonly monotonic: () => number;
  readonly limits?: Partial<WatchLimits>;
};

/** What is asked for. `after` = the position of the last message that was read, of whoever was cut off. */
export type Asked = { readonly topics: ReadonlySet<WatchTopic>; readonly after: bigint | undefined };

/** How the stream ends from outside. */
export type Stream = {
  readonly expiresAt: Date;
  readonly signal: AbortSignal;
  readonly cut: () => void;
};

const mostRequests = 20_000;

export class Watches {
  readonly #options: WatchesOptions;
  readonly #limits: WatchLimits;
  readonly #watchers = new Set<Watcher>();
  readonly #recent: RecentChanges;
  /** The rules of requests by id: what ends a request does not repeat them. */
  readonly #reviews = new LRUCache<string, ReviewRules>({ max: mostRequests });
  readonly #stopListening: () => void;
  /** Where the policy fold was when the log last took something that is only for the audit. */
  #auditAt = -1n;
  #auditNews: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: WatchesOptions) {
    const { policy } = options;
    this.#options = options;
    this.#limits = { ...usualLimits, ...options.limits };
    this.#recent = new RecentChanges(policy.lastPosition);
    for (const { pending, grant } of policy.openAccess()) {
      for (const request of [pending, grant?.request])
        if (request) this.#reviews.set(request.accessRequestId, request.review);
    }
    this.#stopListening = policy.onFact((fact) => this.#take(fact));
    options.appends.listen((stream) => this.#heardAppend(stream));
  }

  /** Opens a stream; what happens from now on is in it. Throws `RATE_LIMITED` when there are too many. */
  open(viewer: Viewer, asked: Asked, stream: Stream): AsyncIterable<WatchMessage> {
    this.#refuseTooMany(viewer);
    const { policy, now, monotonic } = this.#options;
    const { lastPosition } = policy;
    const missed = asked.after === undefined ? [] : this.#recent.since(asked.after, lastPosition);
    const position = (missed && asked.after) ?? lastPosition;
    const watcher = new Watcher({
      ...this.#limits,
      ...stream,
      viewer,
      topics: asked.topics,
      first: { event: missed ? WatchEvent.STARTED : WatchEvent.RESET, position },
      assertFresh: () => policy.assertFresh(),
      now,
      monotonic,
    });
    for (const change of missed ?? []) watcher.tell(topicsFor(change, viewer), change.position);
    if (asked.after !== undefined && this.#auditAt >= asked.after) this.#tellAudit(watcher);
    this.#watchers.add(watcher);
    const close = (): void => {
      this.#watchers.delete(watcher);
      watcher.end('gone');
    };
    stream.signal.addEventListener('abort', close, { once: true });
    if (stream.signal.aborted) close();
    return this.#untilOver(watcher, close);
  }

  /** Ends every stream with a word, and opens no more. */
  stop(): void {
    this.#isStopped = true;
    this.#stopListening();
    clearTimeout(this.#auditNews);
    for (const watcher of this.#watchers) watcher.end(restarting());
  }

  #heardAppend(stream: string): void {
    if (this.#isStopped || isPolicyStream(stream) || !isAudited(stream)) return;
    this.#auditAt = this.#options.policy.lastPosition;
    this.#auditNews ??= setTimeout(() => {
      this.#auditNews = undefined;
      for (const watcher of this.#watchers) this.#tellAudit(watcher);
    }, this.#limits.auditEveryMs);
  }

  async *#untilOver(watcher: Watcher, close: () => void): AsyncGenerator<WatchMessage> {
    try {
      yield* watcher.messages();
    } finally {
      close();
    }
  }

  #refuseTooMany({ userId }: Viewer): void {
    if (this.#isStopped) throw restarting();
    const { perPerson, total } = this.#limits;
    const own = [...this.#watchers].filter(({ viewer }) => viewer.userId === userId).length;
    const retry = { retryAfterSeconds: '15' };
    if (own >= perPerson)
      throw new Refusal('RATE_LIMITED', `You have ${own} such streams open already. Close one of them first.`, retry);
    if (this.#watchers.size >= total)
      throw new Refusal('RATE_LIMITED', 'Too many people watch just now. Ask from time to time instead.', retry);
  }

  #take(recorded: Recorded): void {
    const fact = decodePolicyFact(recorded);
    // Somebody it is about is denied until it can be read; there is nothing to show for it (ES-04).
    if (!fact) return;
    const change = this.#changeOf(fact);
    this.#recent.add(change);
    for (const watcher of this.#watchers) watcher.tell(topicsFor(change, watcher.viewer), change.position);
    if (fact.type === 'user.disabled') this.#endOf(fact.data.userId);
  }

  #changeOf(fact: Recorded<PolicyFact>): Change {
    if (fact.type === 'access_request.created' && fact.data.review)
      this.#reviews.set(fact.data.accessRequestId, fact.data.review);
    return changeOf(fact, (accessRequestId) => this.#reviews.get(accessRequestId));
  }

  #endOf(userId: Viewer['userId']): void {
    for (const watcher of this.#watchers) if (watcher.viewer.userId === userId) watcher.end(disabled(userId));
  }

  #tellAudit(watcher: Watcher): void {
    if (watcher.viewer.readsAll) watcher.tell([WatchTopic.AUDIT], this.#options.policy.lastPosition);
  }
}

const isAudited = (stream: string): boolean => auditPrefixes.some((prefix) => stream.startsWith(prefix));

const restarting = (): Refusal =>
  new Refusal('UPSTREAM_UNAVAILABLE', 'The control plane is being restarted. Open the stream again in a few seconds.');
