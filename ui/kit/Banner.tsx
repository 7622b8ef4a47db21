/** A line over a page or a form that must be read: what it is about, in icon and words. */
import type { JSX } from 'solid-js';
import { tv } from 'tailwind-variants/lite';
import type { Tone } from '../text/words.ts';
import { Icon, type IconName } from './Icon.tsx';

const banner = tv({
  base: 'flex items-center gap-2.5 rounded-md border px-3 py-2 text-sm forced-border',
  variants: {
    tone: {
      ok: 'border-ok/25 bg-ok-soft text-ok',
      warn: 'border-warn/25 bg-warn-soft text-warn',
      bad: 'border-bad/25 bg-bad-soft text-bad',
      info: 'border-info/25 bg-info-soft text-info',
      quiet: 'border-line bg-sunken text-soft',
    },
  },
});

const icons: Readonly<Record<Tone, IconName>> = { ok: 'ok', warn: 'warn', bad: 'error', info: 'info', quiet: 'info' };

type BannerProps = {
  readonly tone: Tone;
  readonly children: JSX.Element;
  readonly actions?: JSX.Element;
  /** Spoken at once (`alert`) or when the reader pauses (`status`); silent when neither. */
  readonly role?: 'alert' | 'status';
  readonly class?: string;
};

export function Banner(props: BannerProps): JSX.Element {
  return (
    <div class={banner({ tone: props.tone, class: props.class })} role={props.role}>
      <Icon name={icons[props.tone]} size={16} class="self-start mt-0.5" />
      <div class="min-w-0 flex-1 text-ink [overflow-wrap:anywhere]">{props.children}</div>
      {props.actions}
    </div>
  );
}
