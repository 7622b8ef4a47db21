/** Whether what is shown is current: a dot with a word in the bar, a banner over the page once it is not. */
import { Show, type JSX } from 'solid-js';
import { useApp } from '../data/app.ts';
import type { LiveState } from '../data/live-state.ts';
import { Banner } from '../kit/Banner.tsx';
import { span, timeOfDay } from '../text/time.ts';

type Words = { readonly word: string; readonly explained: string; readonly dot: string };

function wordsOf(state: LiveState): Words {
  switch (state.status) {
    case 'connecting':
      return { word: 'Connecting', explained: 'Live updates are being set up', dot: 'bg-faint' };
    case 'current':
      return state.mode === 'watch'
        ? { word: 'Live', explained: 'Changes show as they happen', dot: 'bg-ok' }
        : { word: 'Live', explained: 'Asked again every 15 seconds', dot: 'bg-ok' };
    case 'lost':
      return { word: 'Stale', explained: 'Live updates are lost', dot: 'bg-warn' };
    case 'paused':
      return { word: 'Paused', explained: 'Resting while nobody looks', dot: 'bg-faint' };
    default:
      return state satisfies never;
  }
}

export function LiveDot(): JSX.Element {
  const { live } = useApp();
  const words = (): Words => wordsOf(live.state());
  return (
    <span class="inline-flex items-center gap-1.5 text-xs text-soft" title={words().explained}>
      <span class={`size-2 rounded-full ${words().dot} forced-border`} aria-hidden="true" />
      <span class="max-sm:sr-only">{words().word}</span>
    </span>
  );
}

export function LiveBanner(): JSX.Element {
  const { live, clock } = useApp();
  const lost = (): (LiveState & { status: 'lost' }) | undefined => {
    const state = live.state();
    return state.status === 'lost' ? state : undefined;
  };
  return (
    <Show when={lost()}>
      {(state) => (
        <Banner tone="warn" class="mb-4">
          Live updates lost {span(clock.now() - state().since)} ago
          <Show when={state().retryAt}>{(at) => <>, retrying in {span(at() - clock.now())}</>}</Show>
          <Show when={state().asOf}>{(at) => <> – showing data as of {timeOfDay(at())}</>}</Show>.
        </Banner>
      )}
    </Show>
  );
}
