/** Buttons and links that look like them: one primary act per page, the rest quiet. Nothing to press is smaller than 24 px. */
import { A } from '@solidjs/router';
import { Show, splitProps, type JSX } from 'solid-js';
import { tv, type VariantProps } from 'tailwind-variants/lite';
import { Icon, type IconName } from './Icon.tsx';

const button = tv({
  base: 'inline-flex select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md border font-medium transition-colors forced-border disabled:opacity-55',
  variants: {
    look: {
      primary: 'border-transparent bg-accent text-on-accent hover:bg-accent-strong',
      plain: 'border-line bg-surface text-ink shadow-card hover:bg-hover',
      quiet: 'border-transparent text-soft hover:bg-hover hover:text-ink',
      danger: 'border-transparent bg-bad-solid text-on-bad hover:opacity-90',
    },
    size: {
      md: 'h-8 px-3 text-sm',
      sm: 'h-7 px-2 text-xs',
      icon: 'size-8 text-sm',
    },
  },
  defaultVariants: { look: 'plain', size: 'md' },
});

type Look = VariantProps<typeof button> & { readonly icon?: IconName };

type ButtonProps = Look &
  Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, 'type'> & {
    readonly type?: 'button' | 'submit';
    /** Shows that it works on it, and cannot be pressed again. */
    readonly busy?: boolean;
  };

export function Button(props: ButtonProps): JSX.Element {
  const [own, rest] = splitProps(props, ['look', 'size', 'icon', 'class', 'children', 'busy', 'disabled', 'type']);
  return (
    <button
      {...rest}
      type={own.type ?? 'button'}
      class={button({ look: own.look, size: own.size, class: own.class })}
      disabled={own.disabled || own.busy}
      aria-busy={own.busy || undefined}
    >
      <Show when={own.icon}>{(name) => <Icon name={name()} size={15} />}</Show>
      {own.children}
    </button>
  );
}

/** A button of one icon. `label` is what it is called, and what stands there on hover. */
export function IconButton(props: ButtonProps & { readonly icon: IconName; readonly label: string }): JSX.Element {
  const [own, rest] = splitProps(props, ['label', 'look', 'size']);
  return (
    <Button {...rest} look={own.look ?? 'quiet'} size={own.size ?? 'icon'} aria-label={own.label} title={own.label} />
  );
}

export function LinkButton(
  props: Look & { readonly href: string; readonly class?: string; readonly children: JSX.Element },
): JSX.Element {
  return (
    <A href={props.href} class={button({ look: props.look, size: props.size, class: props.class })}>
      <Show when={props.icon}>{(name) => <Icon name={name()} size={15} />}</Show>
      {props.children}
    </A>
  );
}

/** A link in a sentence. */
export function TextLink(props: {
  readonly href: string;
  readonly children: JSX.Element;
  readonly class?: string;
}): JSX.Element {
  return (
    <A
      href={props.href}
      class={`text-accent underline decoration-accent/40 underline-offset-3 hover:decoration-current ${props.class ?? ''}`}
    >
      {props.children}
    </A>
  );
}
