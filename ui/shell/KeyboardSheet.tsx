/** The sheet behind `?`: every key that acts now, drawn from where they are registered. */
import { For, Show, type JSX } from 'solid-js';
import { useApp } from '../data/app.ts';
import { Dialog } from '../kit/Dialog.tsx';
import { TextLink } from '../kit/Button.tsx';
import { keyCaps, type Key } from './keys.ts';

const isMac = (): boolean => /mac|iphone|ipad/i.test(navigator.platform);

/** A press as keys. */
export function KeyCaps(props: { readonly press: string }): JSX.Element {
  return (
    <span class="inline-flex gap-1">
      <For each={keyCaps(props.press, isMac())}>
        {(cap) => <kbd class="rounded-sm border border-line bg-surface px-1.5 font-mono text-2xs text-soft">{cap}</kbd>}
      </For>
    </span>
  );
}

export function KeyboardSheet(props: { readonly isOpen: boolean; readonly close: () => void }): JSX.Element {
  const { keys, preferences } = useApp();
  const groups = (): readonly (readonly [string, readonly Key[]])[] =>
    (['Anywhere', 'Go to', 'In a list'] as const)
      .map((group) => [group, keys.list().filter((key) => key.group === group)] as const)
      .filter(([, members]) => members.length > 0);
  return (
    <Dialog isOpen={props.isOpen} close={props.close} title="Keyboard">
      <Show when={!preferences.singleKeys.get()}>
        <p class="mb-3 text-sm text-soft">
          Single letters are off. <TextLink href="/settings">Settings</TextLink> turn them on.
        </p>
      </Show>
      <div class="grid gap-x-8 gap-y-4 sm:grid-cols-2">
        <For each={groups()}>
          {([group, members]) => (
            <section>
              <h3 class="mb-1.5 text-xs font-medium text-faint">{group}</h3>
              <ul class="space-y-1 text-sm">
                <For each={members}>
                  {(key) => (
                    <li class="flex items-center justify-between gap-3">
                      {key.does}
                      <KeyCaps press={key.press} />
                    </li>
                  )}
                </For>
              </ul>
            </section>
          )}
        </For>
      </div>
    </Dialog>
  );
}
