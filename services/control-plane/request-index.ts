/**
 * Where an access request lives: whose it is and for which cluster, which names its stream. Requests that are open are
 * all here. Of those that have ended only the last ten thousand are, for whoever decides on one in the moment after:
 * older ones are found in the read model, which has long had them by then.
 */
import type { ClusterId, UserId } from '@clustral/schemas/ids.ts';
import type { KnownAccess } from './domain/access.ts';

/** The one access that a request is part of. */
export type RequestPlace = { readonly userId: UserId; readonly clusterId: ClusterId };

const mostEnded = 10_000;

/** What the index holds, in its order. */
export type RequestParts = {
  readonly openRequests: Iterable<readonly [string, RequestPlace]>;
  readonly endedRequests: Iterable<readonly [string, RequestPlace]>;
};

export const noRequests: RequestParts = { openRequests: [], endedRequests: [] };

export class RequestIndex {
  readonly #open: Map<string, RequestPlace>;
  /** In the order in which they ended. */
  readonly #ended: Map<string, RequestPlace>;

  constructor({ openRequests, endedRequests }: RequestParts = noRequests) {
    this.#open = new Map(openRequests);
    this.#ended = new Map(endedRequests);
  }

  parts(): RequestParts {
    return { openRequests: [...this.#open], endedRequests: [...this.#ended] };
  }

  /** Takes what a fact made of an access. */
  take(before: KnownAccess | undefined, after: KnownAccess): void {
    const { userId, clusterId } = after;
    const open = openIds(after);
    for (const id of open) this.#open.set(id, { userId, clusterId });
    for (const id of before ? openIds(before) : []) if (!open.includes(id)) this.#end(id);
  }

  /** Whose requests are open; somebody with two on one cluster comes twice. */
  openPlaces(): Iterable<RequestPlace> {
    return this.#open.values();
  }

  place(accessRequestId: string): RequestPlace | undefined {
    return this.#open.get(accessRequestId) ?? this.#ended.get(accessRequestId);
  }

  #end(id: string): void {
    const place = this.#open.get(id);
    if (!place) return;
    this.#open.delete(id);
    this.#ended.set(id, place);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > mostEnded && oldest !== undefined) this.#ended.delete(oldest);
  }
}

const openIds = ({ pending, grant }: KnownAccess): readonly string[] =>
  [pending, grant].flatMap((part) => (part ? [part.accessRequestId] : []));
