/** Text that somebody else wrote, always as text: marks of direction and characters without width are drawn as what they are. */
import { For, type JSX } from 'solid-js';
import { segmentsOf } from '../text/untrusted.ts';

export function Untrusted(props: {
  readonly text: string;
  readonly class?: string;
  readonly mono?: boolean;
}): JSX.Element {
  return (
    // Isolated, so that letters written from right to left do not reorder what stands beside them.
    <bdi class={`${props.mono ? 'font-mono' : ''} ${props.class ?? ''}`}>
      <For each={segmentsOf(props.text)}>
        {(segment) =>
          segment.kind === 'text' ? (
            segment.text
          ) : (
            <span class="mx-px rounded-sm bg-warn-soft px-1 font-mono text-2xs text-warn forced-border" data-mark>
              {segment.name}
            </span>
          )
        }
      </For>
    </bdi>
  );
}

/** For what may be empty: a dash that screen readers call what it is. */
export function OrNone(props: { readonly text: string; readonly none?: string }): JSX.Element {
  return (
    <>{props.text === '' ? <span class="text-faint">{props.none ?? 'none'}</span> : <Untrusted text={props.text} />}</>
  );
}
