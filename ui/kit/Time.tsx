/** Instants: told from now, exact on hover and for machines. Countdowns use the time of the server. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { Show, type JSX } from 'solid-js';
import { useApp } from '../data/app.ts';
import { instant, relative, span } from '../text/time.ts';

/** Milliseconds of a timestamp, whole. */
export const millis = (time: Timestamp): number => Number(time.seconds) * 1_000 + Math.floor(time.nanos / 1_000_000);

/** `4m ago`; the exact instant on hover. Nothing known is said in words. */
export function Ago(props: { readonly at: Timestamp | undefined; readonly none?: string }): JSX.Element {
  const { clock, preferences } = useApp();
  return (
    <Show when={props.at} fallback={<span class="text-faint">{props.none ?? 'never'}</span>}>
      {(at) => (
        <time
          class="whitespace-nowrap tabular-nums"
          datetime={new Date(millis(at())).toISOString()}
          title={instant(millis(at()), preferences.zone.get())}
        >
          {relative(millis(at()), clock.now())}
        </time>
      )}
    </Show>
  );
}

/** The exact instant, in the zone that the person chose. */
export function Instant(props: { readonly at: Timestamp | undefined; readonly timeOnly?: boolean }): JSX.Element {
  const { preferences, clock } = useApp();
  const written = (at: Timestamp): string => instant(millis(at), preferences.zone.get());
  return (
    <Show when={props.at} fallback={<span class="text-faint">never</span>}>
      {(at) => (
        <time
          class="whitespace-nowrap font-mono text-xs tabular-nums"
          datetime={new Date(millis(at())).toISOString()}
          title={props.timeOnly ? written(at()) : relative(millis(at()), clock.now())}
        >
          {props.timeOnly ? written(at()).slice(11) : written(at())}
        </time>
      )}
    </Show>
  );
}

/** `41m left`, warm when less than ten minutes remain. Not announced each second: the frame speaks at five minutes and at one. */
export function Left(props: { readonly until: Timestamp }): JSX.Element {
  const { clock, preferences } = useApp();
  const leftMs = (): number => millis(props.until) - clock.now();
  return (
    <time
      class={`whitespace-nowrap tabular-nums ${leftMs() < 600_000 ? 'font-medium text-warn' : ''}`}
      datetime={new Date(millis(props.until)).toISOString()}
      title={instant(millis(props.until), preferences.zone.get())}
    >
      {leftMs() > 0 ? `${span(leftMs())} left` : 'ended'}
    </time>
  );
}
