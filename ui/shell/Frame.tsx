/** The frame around every page of a signed-in person: rail, bar, keys, palette, and what must be told whatever page is open. */
import { useNavigate } from '@solidjs/router';
import { createEffect, createSignal, lazy, onCleanup, onMount, Show, Suspense, type JSX } from 'solid-js';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { useApp, usePerson } from '../data/app.ts';
import { answerOf, useRpc } from '../data/rpc.ts';
import { endingSoon } from '../text/ending.ts';
import { millis } from '../kit/Time.tsx';
import { KeyboardSheet } from './KeyboardSheet.tsx';
import { focusFilter, moveInList } from './list-keys.ts';
import { LiveBanner } from './LiveDot.tsx';
import { NoticeStack } from './Notices.tsx';
import { placesFor } from './places.ts';
import { Rail } from './Rail.tsx';
import { SessionEnd } from './SessionEnd.tsx';
import { TopBar } from './TopBar.tsx';

const Palette = lazy(() => import('./Palette.tsx').then(({ Palette }) => ({ default: Palette })));

export function Frame(props: { readonly children: JSX.Element }): JSX.Element {
  const { live } = useApp();
  const [isPaletteOpen, setPaletteOpen] = createSignal(false);
  const [areKeysOpen, setKeysOpen] = createSignal(false);
  useFrameKeys({ openPalette: () => setPaletteOpen(true), openKeys: () => setKeysOpen(true) });
  useEndingWords();
  onMount(() => {
    live.start();
    onCleanup(() => live.stop());
  });
  return (
    <div class="flex min-h-dvh">
      <a
        href="#page"
        class="sr-only z-50 rounded-md bg-accent px-3 py-2 text-sm font-medium text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the page
      </a>
      <Rail />
      <div class="flex min-w-0 flex-1 flex-col">
        <TopBar openPalette={() => setPaletteOpen(true)} openKeys={() => setKeysOpen(true)} />
        <main id="page" class="flex-1" tabindex="-1">
          <div class="mx-auto max-w-6xl px-4 pt-4 empty:hidden sm:px-6">
            <LiveBanner />
          </div>
          <Suspense>{props.children}</Suspense>
        </main>
      </div>
      <Show when={isPaletteOpen()}>
        <Suspense>
          <Palette isOpen close={() => setPaletteOpen(false)} />
        </Suspense>
      </Show>
      <KeyboardSheet isOpen={areKeysOpen()} close={() => setKeysOpen(false)} />
      <SessionEnd />
      <NoticeStack />
    </div>
  );
}

function useFrameKeys(open: { readonly openPalette: () => void; readonly openKeys: () => void }): void {
  const { keys } = useApp();
  const person = usePerson();
  const navigate = useNavigate();
  onMount(() => {
    const goTo = placesFor(person()).map(({ href, name, letter }) => ({
      press: `g ${letter}`,
      does: name,
      group: 'Go to' as const,
      run: () => navigate(href),
    }));
    onCleanup(
      keys.add([
        { press: '$mod+k', does: 'Search and commands', group: 'Anywhere', run: open.openPalette },
        { press: '?', does: 'This sheet', group: 'Anywhere', run: open.openKeys },
        ...goTo,
        { press: '/', does: 'Filter', group: 'In a list', run: () => focusFilter(document) },
        { press: 'j', does: 'Next row', group: 'In a list', run: () => moveInList(document, 1) },
        { press: 'k', does: 'Previous row', group: 'In a list', run: () => moveInList(document, -1) },
      ]),
    );
  });
}

/** Says five minutes and one minute before an access of one's own ends, once each. */
function useEndingWords(): void {
  const { clock, notices } = useApp();
  const me = useRpc(
    UserService.method.getMe,
    () => ({}),
    () => ({ key: 'clusterId' }),
  );
  const said = new Set<string>();
  createEffect(() => {
    const now = clock.now();
    for (const { clusterId, clusterName, until } of answerOf(me)?.access ?? []) {
      const minutes = until && endingSoon(millis(until), now);
      const mark = `${clusterId} ${until?.seconds} ${minutes}`;
      if (!minutes || said.has(mark)) continue;
      said.add(mark);
      const span = minutes === 1 ? 'a minute' : `${minutes} minutes`;
      notices.say({ tone: 'warn', text: `Your access to ${clusterName} ends in less than ${span}.`, href: '/home' });
    }
  });
}
