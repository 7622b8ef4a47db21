/** Parts of a page that are places of their own: links, so that each can be shared, opened beside and gone back to. */
import { For, Show, type JSX } from 'solid-js';

export type Tab = {
  readonly href: string;
  readonly name: string;
  readonly isHere: boolean;
  readonly count?: number | undefined;
};

export function Tabs(props: { readonly label: string; readonly tabs: readonly Tab[] }): JSX.Element {
  return (
    <nav aria-label={props.label} class="mb-4 flex gap-1 overflow-x-auto border-b border-line">
      <For each={props.tabs}>
        {/* Not the router's own link: that one marks every tab of the same page as the current one. */}
        {(tab) => (
          <a
            href={tab.href}
            aria-current={tab.isHere ? 'page' : undefined}
            class="-mb-px inline-flex h-9 items-center gap-1.5 border-b-2 border-transparent px-3 text-sm font-medium whitespace-nowrap text-soft hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-ink"
          >
            {tab.name}
            <Show when={tab.count}>
              <span class="rounded-full bg-sunken px-1.5 text-xs tabular-nums">{tab.count}</span>
            </Show>
          </a>
        )}
      </For>
    </nav>
  );
}
