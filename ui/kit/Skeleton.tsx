/** What stands where an answer will be: the shape of it, after 150 ms only, so that quick answers do not flicker. */
import { createSignal, For, onCleanup, Show, type JSX } from 'solid-js';

const quietMs = 150;

/** `rows`: lines of a table or list. `facts`: names and values. `cards`: boxes side by side. */
export type SkeletonKind = 'rows' | 'facts' | 'cards';

export function Skeleton(props: { readonly kind: SkeletonKind }): JSX.Element {
  const [isShown, show] = createSignal(false);
  const timer = setTimeout(() => show(true), quietMs);
  onCleanup(() => clearTimeout(timer));
  return (
    // The space is taken from the beginning: nothing moves when the lines appear.
    <div class={isShown() ? '' : 'invisible'} role="status" aria-label="Loading">
      <Show when={props.kind === 'cards'} fallback={<Lines kind={props.kind} />}>
        <div class="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
          <For each={[1, 2, 3]}>
            {() => (
              <div class="rounded-lg border border-line bg-surface p-4">
                <Bar class="mb-3 h-4 w-32" />
                <Bar class="mb-2 h-3 w-48" />
                <Bar class="h-9 w-full" />
              </div>
            )}
          </For>
        </div>
      </Show>
    </div>
  );
}

function Lines(props: { readonly kind: SkeletonKind }): JSX.Element {
  return (
    <div class={props.kind === 'rows' ? 'divide-y divide-line' : 'space-y-3 p-4'}>
      <For each={[1, 2, 3, 4, 5]}>
        {(line) => (
          <div class={`flex items-center gap-6 ${props.kind === 'rows' ? 'h-10.25 px-4' : 'h-4'}`}>
            <Bar class="h-3 w-28" />
            <Bar class={`h-3 ${line % 2 === 0 ? 'w-56' : 'w-40'}`} />
            <Show when={props.kind === 'rows'}>
              <Bar class="ml-auto h-3 w-16 max-sm:hidden" />
            </Show>
          </div>
        )}
      </For>
    </div>
  );
}

const Bar = (props: { readonly class: string }): JSX.Element => (
  <span class={`block max-w-full animate-skeleton rounded-sm bg-line ${props.class}`} />
);
