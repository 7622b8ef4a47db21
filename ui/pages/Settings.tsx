/** `/settings`: what a person sets for themselves in this browser. */
import { For, type JSX } from 'solid-js';
import { useApp } from '../data/app.ts';
import type { Preference } from '../data/preferences.ts';
import { Panel } from '../kit/Panel.tsx';
import { Page } from '../shell/Page.tsx';

export function Settings(): JSX.Element {
  const { preferences } = useApp();
  return (
    <Page title="Settings" lead="For you, in this browser." cli={[]}>
      <Panel class="max-w-2xl">
        <div class="divide-y divide-line [&>fieldset]:py-4 [&>fieldset:first-child]:pt-0 [&>fieldset:last-child]:pb-0">
          <Choices
            name="Theme"
            preference={preferences.theme}
            options={[
              { value: 'system', text: 'As the system', note: 'Changes with it' },
              { value: 'light', text: 'Light' },
              { value: 'dark', text: 'Dark' },
            ]}
          />
          <Choices
            name="Times"
            preference={preferences.zone}
            options={[
              { value: 'utc', text: 'UTC', note: 'The same for everybody who looks' },
              { value: 'local', text: 'Local', note: 'With the offset written behind' },
            ]}
          />
          <Choices
            name="Single-letter keys"
            preference={preferences.singleKeys}
            options={[
              { value: true, text: 'On', note: '? shows them all' },
              { value: false, text: 'Off', note: 'Ctrl K and ⌘ K still work' },
            ]}
          />
        </div>
      </Panel>
    </Page>
  );
}

type Option<T> = { readonly value: T; readonly text: string; readonly note?: string };

function Choices<T extends string | boolean>(props: {
  readonly name: string;
  readonly preference: Preference<T>;
  readonly options: readonly Option<T>[];
}): JSX.Element {
  return (
    <fieldset class="grid gap-x-6 gap-y-2 sm:grid-cols-[10rem_1fr]">
      <legend class="float-left text-sm font-medium sm:contents">{props.name}</legend>
      <div class="space-y-1">
        <For each={props.options}>
          {(option) => (
            <label class="flex min-h-6 items-baseline gap-2.5 text-sm">
              <input
                type="radio"
                class="size-3.5 translate-y-0.5 accent-accent"
                name={props.name}
                checked={props.preference.get() === option.value}
                onChange={() => props.preference.set(option.value)}
              />
              {option.text}
              <span class="text-xs text-soft">{option.note}</span>
            </label>
          )}
        </For>
      </div>
    </fieldset>
  );
}
