import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLive, type Live, type LiveParts, type News } from './live.ts';
import { hiddenLimitMs, silenceLimitMs } from './live-state.ts';

type World = {
  readonly live: Live;
  readonly heard: string[];
  readonly posted: unknown[];
  readonly otherTab: (message: unknown) => void;
  readonly hide: (isHidden: boolean) => void;
};

const running: Live[] = [];

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  for (const live of running.splice(0)) live.stop();
  vi.useRealTimers();
});

function world({ watch, poll }: Pick<Partial<LiveParts>, 'watch' | 'poll'>): World {
  const heard: string[] = [];
  const posted: unknown[] = [];
  let isHidden = false;
  let otherTab: (message: unknown) => void = () => undefined;
  const visibility = new Set<() => void>();
  const live = createLive({
    watch,
    poll: poll ?? (() => Promise.resolve()),
    onNews: (kinds) => heard.push(kinds.join()),
    now: () => Date.now(),
    random: () => 0.5,
    page: {
      isHidden: () => isHidden,
      onVisibility(listener) {
        visibility.add(listener);
        return () => visibility.delete(listener);
      },
      exclusively: (work) => work(),
      channel: {
        post: (message) => posted.push(message),
        listen(listener) {
          otherTab = listener;
          return () => undefined;
        },
      },
    },
  });
  running.push(live);
  const hide = (is: boolean): void => {
    isHidden = is;
    for (const listener of visibility) listener();
  };
  return { live, heard, posted, otherTab: (message) => otherTab(message), hide };
}

/** A stream that says the words and then stays open until it is ended. */
const saying = (...words: News[]) =>
  async function* watch(signal: AbortSignal): AsyncGenerator<News> {
    yield* words;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
  };

describe('the live layer', () => {
  it('hands on what the server says and tells the other tabs', async () => {
    const { live, heard, posted } = world({ watch: saying({ kinds: ['roles'] }, { kinds: [] }) });
    live.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(live.state()).toMatchObject({ status: 'current', mode: 'watch' });
    expect(heard).toEqual(['roles']);
    expect(posted).toEqual([
      { kinds: ['roles'], mode: 'watch' },
      { kinds: [], mode: 'watch' },
    ]);
  });

  it('asks instead when the server knows no such method', async () => {
    const poll = vi.fn(() => Promise.resolve());
    const unimplemented = async function* watch(): AsyncGenerator<News> {
      yield* [];
      throw new ConnectError('no such method', Code.Unimplemented);
    };
    const { live, heard } = world({ watch: unimplemented, poll });
    live.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(live.state()).toMatchObject({ status: 'current', mode: 'poll' });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(poll).toHaveBeenCalledTimes(2);
    expect(heard).toEqual(['everything', 'everything']);
  });

  it('is lost after a silence, tries again, and says when', async () => {
    let attempts = 0;
    const mute = async function* watch(signal: AbortSignal): AsyncGenerator<News> {
      attempts += 1;
      if (attempts === 1) yield { kinds: [] };
      yield* saying()(signal);
    };
    const { live } = world({ watch: mute });
    live.start();
    await vi.advanceTimersByTimeAsync(silenceLimitMs + 2_000);
    expect(live.state()).toMatchObject({ status: 'lost' });
    expect(attempts).toBeGreaterThan(1);
  });

  it('does not storm a server that refuses', async () => {
    const poll = vi.fn(() => Promise.reject(new Error('down')));
    const { live } = world({ watch: undefined, poll });
    live.start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(live.state().status).toBe('lost');
    expect(poll.mock.calls.length).toBeLessThan(12);
  });

  it('hears from the tab that listens', () => {
    const { live, heard, otherTab } = world({ watch: saying() });
    live.start();
    otherTab({ kinds: ['access'], mode: 'watch' });
    otherTab('nonsense');
    expect(heard).toEqual(['access']);
    expect(live.state().status).toBe('current');
  });

  it('rests while nobody looks, and asks for everything when somebody does again', async () => {
    const { live, heard, hide } = world({ watch: saying({ kinds: [] }) });
    live.start();
    await vi.advanceTimersByTimeAsync(10);
    hide(true);
    await vi.advanceTimersByTimeAsync(hiddenLimitMs - 1);
    expect(live.state().status).not.toBe('paused');
    await vi.advanceTimersByTimeAsync(2);
    expect(live.state().status).toBe('paused');
    hide(false);
    await vi.advanceTimersByTimeAsync(10);
    expect(heard).toEqual(['everything']);
    expect(live.state().status).toBe('current');
  });

  it('counts words about the audit log for the page that asks by itself', async () => {
    const { live } = world({
      watch: saying({ kinds: ['audit'] }, { kinds: ['roles'] }, { kinds: ['audit', 'roles'] }),
    });
    live.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(live.auditNews()).toBe(2);
  });
});
