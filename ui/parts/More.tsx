/** The foot of a list that comes in pages. */
import { Show, type JSX } from 'solid-js';
import { Button } from '../kit/Button.tsx';
import type { Pages } from '../data/rpc.ts';

export function MoreRows(props: { readonly pages: Pages<unknown>; readonly shown: string }): JSX.Element {
  return (
    <div class="flex items-center justify-between gap-3 border-t border-line px-4 py-2 text-xs text-soft">
      <span role="status">{props.shown}</span>
      <Show when={props.pages.hasMore()}>
        <Button size="sm" busy={props.pages.isFetchingMore()} onClick={() => props.pages.more()}>
          Load more
        </Button>
      </Show>
    </div>
  );
}
