/** The rail at the left: where one can go. Narrow it shows icons with names on hover; on a telephone it is a drawer. */
import { A, useLocation } from '@solidjs/router';
import { For, Show, type JSX } from 'solid-js';
import { useApp, usePerson } from '../data/app.ts';
import { IconButton } from '../kit/Button.tsx';
import { Icon } from '../kit/Icon.tsx';
import { Mark } from './Mark.tsx';
import { placesFor, type Place } from './places.ts';

export function Rail(): JSX.Element {
  const { preferences } = useApp();
  const isNarrow = preferences.isRailNarrow.get;
  return (
    <aside
      class={`sticky top-0 hidden h-dvh shrink-0 flex-col border-r border-line bg-surface md:flex ${isNarrow() ? 'w-14' : 'w-54'}`}
    >
      <div class={`flex h-12 items-center border-b border-line ${isNarrow() ? 'justify-center' : 'px-4'}`}>
        <A
          href="/home"
          class="inline-flex min-h-6 items-center gap-2.5 font-semibold tracking-tight"
          aria-label="Clustral, home"
        >
          <Mark />
          <Show when={!isNarrow()}>Clustral</Show>
        </A>
      </div>
      <PlaceList isNarrow={isNarrow()} />
      <div class={`mt-auto border-t border-line p-2 ${isNarrow() ? 'text-center' : ''}`}>
        <IconButton
          icon="rail"
          label={isNarrow() ? 'Widen the navigation' : 'Narrow the navigation'}
          aria-expanded={!isNarrow()}
          onClick={() => preferences.isRailNarrow.set(!isNarrow())}
        />
      </div>
    </aside>
  );
}

/** The places in their groups; in the rail and in the drawer. */
export function PlaceList(props: { readonly isNarrow: boolean; readonly onGo?: () => void }): JSX.Element {
  const person = usePerson();
  const groups = (): readonly (readonly [string, readonly Place[]])[] =>
    (['Work', 'Govern'] as const).map((group) => [group, placesFor(person()).filter((place) => place.group === group)]);
  return (
    <nav aria-label="Main" class="flex flex-col gap-4 p-2 pt-3">
      <For each={groups()}>
        {([, places]) => (
          <ul class="flex flex-col gap-0.5">
            <For each={places}>{(place) => <PlaceLink place={place} {...props} />}</For>
          </ul>
        )}
      </For>
    </nav>
  );
}

function PlaceLink(props: {
  readonly place: Place;
  readonly isNarrow: boolean;
  readonly onGo?: () => void;
}): JSX.Element {
  const location = useLocation();
  const isHere = (): boolean =>
    location.pathname === props.place.href || location.pathname.startsWith(`${props.place.href}/`);
  return (
    <li>
      <a
        href={props.place.href}
        class={`flex h-8 items-center gap-2.5 rounded-md text-sm font-medium text-soft transition-colors hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent ${props.isNarrow ? 'justify-center' : 'px-2.5'}`}
        aria-current={isHere() ? 'page' : undefined}
        {...(props.isNarrow ? { 'aria-label': props.place.name, title: props.place.name } : {})}
        onClick={() => props.onGo?.()}
      >
        <Icon name={props.place.icon} size={17} />
        <Show when={!props.isNarrow}>{props.place.name}</Show>
      </a>
    </li>
  );
}
