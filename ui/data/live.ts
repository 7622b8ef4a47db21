/**
 * Keeps what is shown current. One tab of the browser listens for all (streams are scarce where HTTP/1.1 is spoken) and tells the
 * others; the next one takes over when it goes. A server that cannot say what changed is asked every 15 s instead.
 *
 * Invariant: at most one attempt runs at a time, and each ends when the tab is hidden for long, the session ends or the page goes.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { createSignal, type Accessor } from 'solid-js';
import { backoffMs } from './backoff.ts';
import type { ChangedKind } from './changes.ts';
import {
  hiddenLimitMs,
  nextLiveState,
  silenceLimitMs,
  type LiveMode,
  type LiveSignal,
  type LiveState,
} from './live-state.ts';

/** A word of the server: what changed, nothing for a heartbeat. */
export type News = { readonly kinds: readonly ChangedKind[] };

export type LiveParts = {
  /** Listens until the stream or the signal ends. Not there when this server has no such method. */
  readonly watch: ((signal: AbortSignal) => AsyncIterable<News>) | undefined;
  /** One cheap question that shows that the server is there. */
  readonly poll: (signal: AbortSignal) => Promise<void>;
  readonly onNews: (kinds: readonly ChangedKind[]) => void;
  readonly now: () => number;
  readonly random: () => number;
  readonly page: LivePage;
};

/** What of the browser is used. `exclusively` runs the work in one tab at a time; `channel` reaches the others. */
export type LivePage = {
  readonly isHidden: () => boolean;
  readonly onVisibility: (listener: () => void) => () => void;
  readonly exclusively: (work: () => Promise<void>, signal: AbortSignal) => Promise<void>;
  readonly channel: {
    readonly post: (message: unknown) => void;
    readonly listen: (heard: (message: unknown) => void) => () => void;
  };
};

export type Live = {
  readonly state: Accessor<LiveState>;
  /** Counts words about the audit log: that page asks by itself whether there is something new. */
  readonly auditNews: Accessor<number>;
  readonly start: () => void;
  readonly stop: () => void;
};

const pollEveryMs = 15_000;
const tickEveryMs = 1_000;

export function createLive(parts: LiveParts): Live {
  const { page, now } = parts;
  const [state, setState] = createSignal<LiveState>({ status: 'connecting' });
  const [auditNews, setAuditNews] = createSignal(0);
  const signal = (next: LiveSignal): void => void setState((current) => nextLiveState(current, next));
  const hear = (news: News, mode: LiveMode): void => {
    signal({ type: 'heard', at: now(), mode });
    if (news.kinds.some((kind) => kind === 'audit' || kind === 'everything')) setAuditNews((count) => count + 1);
    if (news.kinds.length > 0) parts.onNews(news.kinds);
  };
  let running: AbortController | undefined;
  const cleanups: (() => void)[] = [];

  function listen(): void {
    running = new AbortController();
    const { signal: ended } = running;
    const report = (news: News, mode: LiveMode): void => {
      page.channel.post({ kinds: news.kinds, mode });
      hear(news, mode);
    };
    const failed = (retryAt: number): void => signal({ type: 'failed', at: now(), retryAt });
    void page.exclusively(() => lead(parts, { ended, report, failed }), ended);
  }

  let hiding: ReturnType<typeof setTimeout> | undefined;
  function onVisibility(): void {
    clearTimeout(hiding);
    if (page.isHidden()) {
      hiding = setTimeout(() => {
        running?.abort();
        signal({ type: 'paused' });
      }, hiddenLimitMs);
    } else if (state().status === 'paused') {
      signal({ type: 'resumed' });
      parts.onNews(['everything']);
      listen();
    }
  }

  return {
    state,
    auditNews,
    start() {
      cleanups.push(page.channel.listen((message) => isNews(message) && hear(message, message.mode)));
      cleanups.push(page.onVisibility(onVisibility));
      const ticking = setInterval(() => signal({ type: 'tick', at: now() }), tickEveryMs);
      cleanups.push(() => clearInterval(ticking));
      listen();
    },
    stop() {
      clearTimeout(hiding);
      running?.abort();
      for (const cleanup of cleanups.splice(0)) cleanup();
    },
  };
}

type Lead = {
  readonly ended: AbortSignal;
  readonly report: (news: News, mode: LiveMode) => void;
  readonly failed: (retryAt: number) => void;
};

/** Listens or asks until the signal ends, with a longer and longer wait after each failure. */
async function lead(parts: LiveParts, { ended, report, failed }: Lead): Promise<void> {
  let canWatch = parts.watch !== undefined;
  let failures = 0;
  while (!ended.aborted) {
    try {
      if (canWatch && parts.watch) {
        for await (const news of withoutSilence(parts.watch, ended)) {
          failures = 0;
          report(news, 'watch');
        }
      } else {
        await parts.poll(AbortSignal.any([ended, AbortSignal.timeout(pollEveryMs)]));
        failures = 0;
        report({ kinds: ['everything'] }, 'poll');
        await pause(pollEveryMs * (0.8 + 0.4 * parts.random()), ended);
        continue;
      }
    } catch (cause) {
      if (ended.aborted) return;
      if (cause instanceof ConnectError && cause.code === Code.Unimplemented) {
        canWatch = false;
        continue;
      }
    }
    const waitMs = backoffMs(failures, parts.random());
    failures += 1;
    failed(parts.now() + waitMs);
    await pause(waitMs, ended);
  }
}

/** The stream, ended when nothing at all came for as long as three heartbeats: a connection may be dead without saying so. */
async function* withoutSilence(watch: NonNullable<LiveParts['watch']>, ended: AbortSignal): AsyncGenerator<News> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), silenceLimitMs);
  try {
    for await (const news of watch(AbortSignal.any([ended, silent.signal]))) {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), silenceLimitMs);
      yield news;
    }
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  ended.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}

function isNews(message: unknown): message is News & { readonly mode: LiveMode } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'kinds' in message &&
    Array.isArray(message.kinds) &&
    'mode' in message
  );
}
