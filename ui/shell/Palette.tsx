/** The palette behind Ctrl/⌘ K: type a few letters or paste an id, press Enter. */
import { Combobox, createListCollection } from '@ark-ui/solid/combobox';
import { Dialog } from '@ark-ui/solid/dialog';
import { useNavigate } from '@solidjs/router';
import { createMemo, createSignal, For, Show, type JSX } from 'solid-js';
import { Portal } from 'solid-js/web';
import { AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { ClusterService } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { RoleService } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { useMay, usePerson } from '../data/app.ts';
import { answerOf, useRpc } from '../data/rpc.ts';
import { Icon } from '../kit/Icon.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { visible } from '../text/untrusted.ts';
import { paletteItems, type PaletteItem } from './palette-items.ts';
import { placesFor } from './places.ts';

export function Palette(props: { readonly isOpen: boolean; readonly close: () => void }): JSX.Element {
  return (
    <Dialog.Root open={props.isOpen} onOpenChange={({ open }) => !open && props.close()} lazyMount unmountOnExit>
      <Portal>
        <Dialog.Backdrop class="fixed inset-0 z-40 bg-shade" />
        <Dialog.Positioner class="fixed inset-0 z-40 flex items-start justify-center p-4 pt-[12vh]">
          <Dialog.Content class="w-full max-w-xl animate-in overflow-hidden rounded-xl bg-raised shadow-pop outline-none forced-border">
            <Dialog.Title class="sr-only">Search and commands</Dialog.Title>
            <Finder close={props.close} />
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}

function Finder(props: { readonly close: () => void }): JSX.Element {
  const navigate = useNavigate();
  const [query, setQuery] = createSignal('');
  const items = useItems(query);
  const collection = createMemo(() =>
    createListCollection<PaletteItem>({
      items: [...items()],
      itemToValue: ({ id }) => id,
      itemToString: ({ text }) => visible(text),
    }),
  );
  const go = (id: string | undefined): void => {
    const chosen = items().find((item) => item.id === id);
    if (!chosen) return;
    props.close();
    navigate(chosen.href);
  };
  return (
    <Combobox.Root
      collection={collection()}
      open
      inputBehavior="autohighlight"
      selectionBehavior="clear"
      loopFocus
      disableLayer
      onInputValueChange={({ inputValue }) => setQuery(inputValue)}
      onValueChange={({ value }) => go(value[0])}
    >
      <Combobox.Control class="flex items-center gap-3 border-b border-line px-4">
        <Icon name="search" size={17} class="text-faint" />
        <Combobox.Input
          class="h-12 min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-faint"
          placeholder="Go to a page, a cluster, a person, or paste an id"
          aria-label="Search and commands"
        />
      </Combobox.Control>
      <Combobox.Content class="max-h-[min(24rem,50vh)] overflow-y-auto p-1.5 outline-none">
        <For each={collection().items}>
          {(item) => (
            <Combobox.Item
              item={item}
              class="flex min-h-9 items-center gap-3 rounded-md px-2.5 text-sm data-highlighted:bg-accent-soft data-highlighted:outline-1 data-highlighted:outline-accent/40"
            >
              <Icon name={item.icon} size={16} class="text-soft" />
              <Combobox.ItemText class="min-w-0 flex-1 truncate">
                <Untrusted text={item.text} />
              </Combobox.ItemText>
              <span class="text-xs text-soft">{item.note}</span>
            </Combobox.Item>
          )}
        </For>
      </Combobox.Content>
      <Show when={items().length === 0}>
        <p class="px-4 pb-5 text-center text-sm text-soft">Nothing is called that. An id can be pasted whole.</p>
      </Show>
    </Combobox.Root>
  );
}

/** The things that can be found, asked for when the palette opens; usually they are there already. */
function useItems(query: () => string): () => readonly PaletteItem[] {
  const person = usePerson();
  const may = useMay();
  const clusters = useRpc(ClusterService.method.listClusters, () => ({}));
  const roles = useRpc(RoleService.method.listRoles, () => ({}));
  const requests = useRpc(AccessService.method.listAccessRequests, () => ({}));
  const people = useRpc(
    UserService.method.listUsers,
    () => ({}),
    () => ({ enabled: may.readAll() }),
  );
  return createMemo(() =>
    paletteItems(query(), {
      places: placesFor(person()),
      isAdmin: may.administer(),
      isActing: may.act(),
      isReader: may.readAll(),
      clusters: answerOf(clusters)?.clusters ?? [],
      roles: answerOf(roles)?.roles ?? [],
      people: answerOf(people)?.users ?? [],
      requests: answerOf(requests)?.requests ?? [],
    }),
  );
}
