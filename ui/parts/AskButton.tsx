/** The way to ask for access, for those who may. */
import { Show, type JSX } from 'solid-js';
import { useMay } from '../data/app.ts';
import { Button } from '../kit/Button.tsx';

export function AskButton(props: { readonly ask: () => void; readonly isSmall?: boolean }): JSX.Element {
  const may = useMay();
  return (
    <Show when={may.act()}>
      <Show
        when={props.isSmall}
        fallback={
          <Button look="primary" icon="key" onClick={() => props.ask()}>
            Ask for access
          </Button>
        }
      >
        <Button class="above-row-link" size="sm" onClick={() => props.ask()}>
          Ask for access
        </Button>
      </Show>
    </Show>
  );
}
