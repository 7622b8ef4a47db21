/** How something stands: an icon and a word, never colour alone (WCAG 1.4.1). */
import type { JSX } from 'solid-js';
import { tv } from 'tailwind-variants/lite';
import type { StatusWord, Tone } from '../text/words.ts';
import { Icon, type IconName } from './Icon.tsx';
import { Untrusted } from './Text.tsx';

const icons: Readonly<Record<Tone, IconName>> = { ok: 'ok', warn: 'clock', bad: 'bad', info: 'info', quiet: 'quiet' };

const badge = tv({
  base: 'inline-flex items-center gap-1 whitespace-nowrap rounded-full py-0.5 pr-2 pl-1.5 text-xs font-medium forced-border',
  variants: {
    tone: {
      ok: 'bg-ok-soft text-ok',
      warn: 'bg-warn-soft text-warn',
      bad: 'bg-bad-soft text-bad',
      info: 'bg-info-soft text-info',
      quiet: 'bg-sunken text-soft',
    },
  },
});

export function Status(props: StatusWord & { readonly icon?: IconName }): JSX.Element {
  return (
    <span class={badge({ tone: props.tone })}>
      <Icon name={props.icon ?? icons[props.tone]} size={13} />
      {props.word}
    </span>
  );
}

/** A label or a group: a small word in a box, as somebody wrote it. */
export function Chip(props: {
  readonly text: string;
  readonly tone?: 'quiet' | 'warn' | 'bad';
  readonly icon?: IconName;
}): JSX.Element {
  const tones = { quiet: 'border-line text-soft', warn: 'border-warn/40 text-warn', bad: 'border-bad/40 text-bad' };
  return (
    <span
      class={`inline-flex max-w-full items-center gap-1 rounded-sm border bg-surface px-1.5 font-mono text-xs ${tones[props.tone ?? 'quiet']}`}
    >
      {props.icon ? <Icon name={props.icon} size={12} /> : undefined}
      <Untrusted text={props.text} class="truncate" />
    </span>
  );
}
