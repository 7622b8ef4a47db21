/** The boxes of a page: its head, its sections, lists of facts. */
import { A } from '@solidjs/router';
import { For, Show, type JSX } from 'solid-js';
import { Icon } from './Icon.tsx';

type HeadProps = {
  readonly title: JSX.Element;
  /** What stands in front of the title: the list that it belongs to. */
  readonly parent?: { readonly href: string; readonly name: string };
  readonly status?: JSX.Element;
  readonly lead?: JSX.Element;
  readonly actions?: JSX.Element;
};

/** Title row of a page: where it belongs, what it is, how it stands, what can be done. */
export function PageHead(props: HeadProps): JSX.Element {
  return (
    <header class="mb-5">
      <Show when={props.parent}>
        {(parent) => (
          <nav aria-label="Breadcrumb" class="mb-1 text-xs">
            <A href={parent().href} class="inline-flex min-h-6 items-center gap-0.5 text-soft hover:text-ink">
              {parent().name}
              <Icon name="right" size={13} />
            </A>
          </nav>
        )}
      </Show>
      <div class="flex flex-wrap items-start gap-x-6 gap-y-3">
        <div class="min-w-0 flex-[1_1_18rem]">
          <div class="flex flex-wrap items-center gap-x-3 gap-y-1">
            {/* Takes the focus after a walk from another page, so that reading begins here; it is nothing to press. */}
            <h1
              class="min-w-0 text-xl font-semibold tracking-tight outline-none [overflow-wrap:anywhere]"
              tabindex="-1"
            >
              {props.title}
            </h1>
            {props.status}
          </div>
          <Show when={props.lead}>
            <p class="mt-1 max-w-[72ch] text-sm text-soft">{props.lead}</p>
          </Show>
        </div>
        <div class="flex flex-wrap items-center gap-2">{props.actions}</div>
      </div>
    </header>
  );
}

type PanelProps = {
  readonly title?: string;
  readonly note?: JSX.Element;
  readonly actions?: JSX.Element;
  /** No padding: for tables, which bring their own. */
  readonly flush?: boolean;
  readonly class?: string;
  readonly children: JSX.Element;
};

/** A section with a border. Named by its title for those who jump from one to the next. */
export function Panel(props: PanelProps): JSX.Element {
  return (
    <section
      class={`rounded-lg border border-line bg-surface shadow-card ${props.class ?? ''}`}
      aria-label={props.title}
    >
      <Show when={props.title}>
        <div class="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-1.5">
          <h2 class="min-w-0 text-sm font-semibold [overflow-wrap:anywhere]">{props.title}</h2>
          <span class="text-xs text-faint">{props.note}</span>
          <div class="ml-auto flex items-center gap-2">{props.actions}</div>
        </div>
      </Show>
      <div class={props.flush ? '' : 'p-4'}>{props.children}</div>
    </section>
  );
}

/** Names and values. A value that is undefined leaves its line out. */
export function Facts(props: { readonly rows: readonly (readonly [string, JSX.Element | undefined])[] }): JSX.Element {
  return (
    <dl class="grid grid-cols-[minmax(7rem,max-content)_minmax(0,1fr)] gap-x-5 gap-y-2 text-sm max-sm:grid-cols-1 max-sm:gap-y-0.5">
      <For each={props.rows.filter(([, value]) => value !== undefined)}>
        {([name, value]) => (
          <>
            <dt class="text-soft max-sm:mt-1.5 max-sm:text-xs">{name}</dt>
            <dd class="min-w-0 [overflow-wrap:anywhere]">{value}</dd>
          </>
        )}
      </For>
    </dl>
  );
}

/** One number with its name, for the row above a list. */
export function Figure(props: { readonly name: string; readonly value: JSX.Element }): JSX.Element {
  return (
    <div class="flex flex-col-reverse">
      <dt class="text-xs text-faint">{props.name}</dt>
      <dd class="text-lg font-semibold tabular-nums">{props.value}</dd>
    </div>
  );
}
