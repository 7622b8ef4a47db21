/** What stands above a list: a box to type in, lists to choose from. What they say is in the address. */
import { createEffect, createSignal, on, onCleanup, type JSX } from 'solid-js';
import { Icon } from '../kit/Icon.tsx';
import { SelectField, type Choice } from '../kit/Field.tsx';

const typingMs = 250;

/** A box whose text counts once the person pauses. `/` puts the cursor into it. */
export function FilterBox(props: {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly placeholder?: string;
  readonly class?: string;
}): JSX.Element {
  const [typed, setTyped] = createSignal(props.value);
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  // Somebody went back, or cleared the filters.
  createEffect(
    on(
      () => props.value,
      (value) => setTyped(value),
      { defer: true },
    ),
  );
  const type = (value: string): void => {
    setTyped(value);
    clearTimeout(timer);
    timer = setTimeout(() => props.onValue(value), typingMs);
  };
  return (
    <div class={`relative ${props.class ?? 'w-64 max-w-full'}`}>
      <Icon name="search" size={15} class="pointer-events-none absolute top-2.25 left-2.5 text-faint" />
      <input
        class="input pl-8"
        type="search"
        data-filter
        aria-label={props.label}
        placeholder={props.placeholder ?? 'Filter'}
        value={typed()}
        onInput={(event) => type(event.currentTarget.value)}
      />
    </div>
  );
}

export function FilterSelect(props: {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly choices: readonly Choice[];
  readonly none?: string;
  /** Something is always chosen. */
  readonly isSet?: boolean;
}): JSX.Element {
  return (
    <div class="flex max-w-full items-center gap-2 [&_select]:w-40 [&_label]:text-xs [&_label]:font-normal [&_label]:text-soft [&>div]:flex [&>div]:items-center [&>div]:gap-2 [&>div]:space-y-0">
      <SelectField
        label={props.label}
        value={props.value}
        onValue={props.onValue}
        choices={props.choices}
        {...(props.isSet ? {} : { none: props.none ?? 'Any' })}
      />
    </div>
  );
}
