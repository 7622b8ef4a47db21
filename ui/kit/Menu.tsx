/** A list of acts behind a button. */
import { Menu as Ark } from '@ark-ui/solid/menu';
import { For, Show, type JSX } from 'solid-js';
import { Portal } from 'solid-js/web';
import { Icon, type IconName } from './Icon.tsx';

type MenuItem = {
  readonly id: string;
  readonly text: string;
  readonly icon: IconName;
  /** Set for one of several of which one is on. */
  readonly isOn?: boolean;
  readonly run: () => void;
};

type MenuProps = {
  readonly trigger: JSX.Element;
  readonly label: string;
  readonly class?: string;
  /** What stands above the items and cannot be chosen. */
  readonly head?: JSX.Element;
  readonly groups: readonly (readonly MenuItem[])[];
};

export function Menu(props: MenuProps): JSX.Element {
  const run = (id: string): void =>
    props.groups
      .flat()
      .find((item) => item.id === id)
      ?.run();
  return (
    <Ark.Root
      onSelect={({ value }) => run(value)}
      positioning={{ placement: 'bottom-end', gutter: 6 }}
      lazyMount
      unmountOnExit
    >
      <Ark.Trigger class={props.class ?? ''} aria-label={props.label} title={props.label}>
        {props.trigger}
      </Ark.Trigger>
      <Portal>
        <Ark.Positioner>
          <Ark.Content class="z-50 min-w-56 animate-in rounded-lg bg-raised p-1 text-sm shadow-pop outline-none forced-border">
            <Show when={props.head}>
              <div class="border-b border-line px-2.5 py-2">{props.head}</div>
            </Show>
            <For each={props.groups}>
              {(group, index) => (
                <div class={index() > 0 ? 'mt-1 border-t border-line pt-1' : 'pt-1'} role="presentation">
                  <For each={group}>
                    {(item) => (
                      <Ark.Item
                        value={item.id}
                        class="flex h-8 items-center gap-2.5 rounded-md px-2.5 data-highlighted:bg-hover data-highlighted:outline-1 data-highlighted:outline-line"
                      >
                        <Icon name={item.icon} size={15} class="text-soft" />
                        <span class="flex-1">{item.text}</span>
                        <Show when={item.isOn}>
                          <Icon name="check" size={14} class="text-accent" />
                          <span class="sr-only">(on)</span>
                        </Show>
                      </Ark.Item>
                    )}
                  </For>
                </div>
              )}
            </For>
          </Ark.Content>
        </Ark.Positioner>
      </Portal>
    </Ark.Root>
  );
}
