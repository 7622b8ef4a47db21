/** The Kubernetes groups of a role. The one that no RBAC rule limits is marked. */
import { For, Show, type JSX } from 'solid-js';
import { Chip } from '../kit/Status.tsx';

const all = 'system:masters';

export function Groups(props: { readonly groups: readonly string[]; readonly most?: number }): JSX.Element {
  const shown = (): readonly string[] => props.groups.slice(0, props.most ?? props.groups.length);
  const left = (): number => props.groups.length - shown().length;
  return (
    <span class="inline-flex flex-wrap gap-1">
      <For each={shown()}>
        {(group) => <Chip text={group} {...(group === all ? { tone: 'bad' as const, icon: 'warn' as const } : {})} />}
      </For>
      <Show when={left() > 0}>
        <span class="text-xs text-soft">and {left()} more</span>
      </Show>
    </span>
  );
}

/** True when a role gives everything, whatever the cluster's RBAC says. */
export const givesAll = (groups: readonly string[]): boolean => groups.includes(all);
