/**
 * Calls as components make them: questions are cached and asked again when something changed, commands are sent once with a key of
 * their own and make every open question be asked again. A component knows methods and messages, never a URL.
 */
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { callUnaryMethod, createConnectQueryKey } from '@connectrpc/connect-query-core';
import { QueryClient, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/solid-query';
import { createSignal, type Accessor } from 'solid-js';
import { useApp } from './app.ts';
import { backoffMs } from './backoff.ts';
import { failureOf, type Failure } from './failure.ts';

/** A question and what became of it. */
export type Query<T> = {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly isFetching: boolean;
  /** It failed, and there is no earlier answer. */
  readonly isLoadingError: boolean;
  /** It failed, and an earlier answer is still there. */
  readonly isRefetchError: boolean;
  readonly dataUpdatedAt: number;
  readonly refetch: () => Promise<unknown>;
};

/** First element of the key of every question; asking them all again goes by it. */
export const allQueries = ['connect-query'] as const;

const triesAgain = 2;

/** The cache of answers. What the live layer says is stale is asked again; so is what is seen again after a while. */
export function createQueryClient(random: () => number): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // Loopback works without a network.
        networkMode: 'always',
        retry: (failures, error) => failures < triesAgain && failureOf(error).kind === 'unreachable',
        retryDelay: (attempt) => backoffMs(attempt, random()),
      },
    },
  });
}

export type RpcOptions = {
  /** Not asked while false. */
  readonly enabled?: boolean;
  /** Asked again this often, whatever the live layer says. */
  readonly refetchInterval?: number | false;
  /** Asked once and then only by hand: for what must not move by itself. */
  readonly isStill?: boolean;
  /** Field by which list items are told apart, so that a row keeps its element; `id` unless named. */
  readonly key?: string;
};

/** A question. Read its answer through `answerOf` or `View`, never by `.data`, which suspends the page. */
export function useRpc<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  input: Accessor<MessageInitShape<I>>,
  options: Accessor<RpcOptions> = () => ({}),
): Query<MessageShape<O>> {
  const { transport } = useApp();
  return useQuery(() => {
    const { enabled = true, refetchInterval = false, key = 'id' } = options();
    const asked = input();
    return {
      queryKey: createConnectQueryKey({ schema: method, input: asked, transport, cardinality: 'finite' }),
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => callUnaryMethod(transport, method, asked, { signal }),
      enabled,
      refetchInterval,
      reconcile: key,
    };
  });
}

type PagedInput = { readonly pageToken?: string; readonly pageSize?: number };
type PagedOutput = { readonly nextPageToken: string };

export type Pages<T> = {
  /** The pages fetched so far, first to last. */
  readonly query: Query<readonly T[]>;
  readonly hasMore: Accessor<boolean>;
  readonly isFetchingMore: Accessor<boolean>;
  readonly more: () => void;
};

/** A question whose answer comes in pages, fetched one after the other as somebody asks for more. */
export function useRpcPages<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  input: Accessor<MessageInitShape<I> & PagedInput>,
  options: Accessor<RpcOptions> = () => ({}),
): Pages<MessageShape<O> & PagedOutput> {
  const { transport } = useApp();
  type Page = MessageShape<O> & PagedOutput;
  const query = useInfiniteQuery(() => {
    const { enabled = true, refetchInterval = false, isStill = false, key = 'id' } = options();
    const asked = input();
    return {
      ...(isStill ? { staleTime: Infinity, refetchOnWindowFocus: false, refetchOnReconnect: false } : {}),
      queryKey: createConnectQueryKey({ schema: method, input: asked, transport, cardinality: 'infinite' }),
      initialPageParam: '',
      queryFn: ({ pageParam, signal }: { readonly pageParam: string; readonly signal: AbortSignal }) =>
        callUnaryMethod(transport, method, { ...asked, pageToken: pageParam }, { signal }) as Promise<Page>,
      getNextPageParam: (last: Page) => last.nextPageToken || undefined,
      enabled,
      refetchInterval,
      reconcile: key,
    };
  });
  return {
    query: {
      get data() {
        return query.data?.pages;
      },
      get error() {
        return query.error;
      },
      get isPending() {
        return query.isPending;
      },
      get isFetching() {
        return query.isFetching;
      },
      get isLoadingError() {
        return query.isLoadingError;
      },
      get isRefetchError() {
        return query.isRefetchError;
      },
      get dataUpdatedAt() {
        return query.dataUpdatedAt;
      },
      refetch: () => query.refetch(),
    },
    hasMore: () => query.hasNextPage,
    isFetchingMore: () => query.isFetchingNextPage,
    more: () => void query.fetchNextPage(),
  };
}

/** The answer of a question if there is one; never suspends, never throws. */
export function answerOf<T>(query: Query<T>): T | undefined {
  return query.isPending || query.isLoadingError ? undefined : query.data;
}

export type Command<I, O> = {
  readonly isRunning: Accessor<boolean>;
  readonly failure: Accessor<Failure | undefined>;
  /** Sends it. Gives the answer, or nothing when it failed: `failure` then says how. */
  readonly run: (input: I) => Promise<O | undefined>;
  readonly reset: () => void;
};

/** A command. Sent again after no answer it carries the same key, so it happens once (behaviour of `Idempotency-Key`). */
export function useCommand<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
): Command<MessageInitShape<I>, MessageShape<O>> {
  const { transport } = useApp();
  const queryClient = useQueryClient();
  const [isRunning, setRunning] = createSignal(false);
  const [failure, setFailure] = createSignal<Failure>();
  let unanswered: { readonly text: string; readonly key: string } | undefined;
  return {
    isRunning,
    failure,
    reset: () => setFailure(undefined),
    async run(input) {
      if (isRunning()) return undefined;
      setRunning(true);
      setFailure(undefined);
      const text = textOf(input);
      const key = unanswered?.text === text ? unanswered.key : crypto.randomUUID();
      try {
        const answer = await callUnaryMethod(transport, method, input, { headers: { 'idempotency-key': key } });
        unanswered = undefined;
        await queryClient.invalidateQueries({ queryKey: allQueries });
        return answer;
      } catch (thrown) {
        const next = failureOf(thrown);
        unanswered = next.kind === 'unreachable' ? { text, key } : undefined;
        setFailure(next);
        return undefined;
      } finally {
        setRunning(false);
      }
    },
  };
}

const textOf = (input: unknown): string =>
  JSON.stringify(input, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
