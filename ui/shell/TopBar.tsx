/** The bar at the top: the palette, how current the page is, messages, theme, and who is signed in. */
import { useNavigate } from '@solidjs/router';
import { createSignal, For, lazy, Show, Suspense, type ComponentProps, type JSX } from 'solid-js';
import { useApp, usePerson } from '../data/app.ts';
import type { Theme } from '../data/preferences.ts';
import { IconButton } from '../kit/Button.tsx';
import { Dialog } from '../kit/Dialog.tsx';
import { Icon, type IconName } from '../kit/Icon.tsx';
import type { Menu as MenuOnce } from '../kit/Menu.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { timeOfDay } from '../text/time.ts';
import { KeyCaps } from './KeyboardSheet.tsx';
import { LiveDot } from './LiveDot.tsx';
import { Mark } from './Mark.tsx';
import { PlaceList } from './Rail.tsx';

// Menus bring the code that places them, 20 KB: the page is drawn first, with buttons that look the same.
const LoadedMenu = lazy(() => import('../kit/Menu.tsx').then(({ Menu }) => ({ default: Menu })));

function Menu(props: ComponentProps<typeof MenuOnce>): JSX.Element {
  return (
    <Suspense
      fallback={
        <button type="button" class={props.class} aria-label={props.label}>
          {props.trigger}
        </button>
      }
    >
      <LoadedMenu {...props} />
    </Suspense>
  );
}

type BarProps = { readonly openPalette: () => void; readonly openKeys: () => void };

export function TopBar(props: BarProps): JSX.Element {
  const [isNavOpen, setNavOpen] = createSignal(false);
  return (
    <header class="sticky top-0 z-30 flex h-12 items-center gap-1 border-b border-line bg-surface px-2 sm:px-4">
      <IconButton class="md:hidden" icon="menu" label="Open the navigation" onClick={() => setNavOpen(true)} />
      <span class="mr-1 md:hidden">
        <Mark size={20} />
      </span>
      <button
        type="button"
        class="mr-auto flex h-8 min-w-0 items-center gap-2 rounded-md border border-line bg-canvas px-2.5 text-sm text-soft hover:border-line-strong sm:w-72"
        aria-keyshortcuts="Control+K Meta+K"
        onClick={() => props.openPalette()}
      >
        <Icon name="search" size={15} />
        <span class="truncate max-sm:sr-only">Search or jump to…</span>
        <span class="ml-auto max-sm:hidden">
          <KeyCaps press="$mod+k" />
        </span>
      </button>
      <span class="px-2">
        <LiveDot />
      </span>
      <Messages />
      <ThemeMenu />
      <UserMenu openKeys={props.openKeys} />
      <Dialog isOpen={isNavOpen()} close={() => setNavOpen(false)} title="Clustral">
        <div class="-mx-3 -my-2">
          <PlaceList isNarrow={false} onGo={() => setNavOpen(false)} />
        </div>
      </Dialog>
    </header>
  );
}

const themes: readonly { readonly value: Theme; readonly text: string; readonly icon: IconName }[] = [
  { value: 'light', text: 'Light', icon: 'light' },
  { value: 'dark', text: 'Dark', icon: 'dark' },
  { value: 'system', text: 'As the system', icon: 'system' },
];

const squareButton = 'grid size-8 place-items-center rounded-md text-soft hover:bg-hover hover:text-ink';

function ThemeMenu(): JSX.Element {
  const { theme } = useApp().preferences;
  const icon = (): IconName => themes.find(({ value }) => value === theme.get())?.icon ?? 'system';
  return (
    <Menu
      label="Theme"
      class={squareButton}
      trigger={<Icon name={icon()} size={16} />}
      groups={[
        themes.map(({ value, text, icon }) => ({
          id: value,
          text,
          icon,
          isOn: theme.get() === value,
          run: () => theme.set(value),
        })),
      ]}
    />
  );
}

function UserMenu(props: { readonly openKeys: () => void }): JSX.Element {
  const { session, notices } = useApp();
  const person = usePerson();
  const navigate = useNavigate();
  const name = (): string => person().user.displayName || person().user.email;
  const signOut = (): void => {
    session
      .signOut()
      .catch(() =>
        notices.say({ tone: 'bad', text: 'Signing out did not work: the server did not answer. Try again.' }),
      );
  };
  return (
    <Menu
      label={`${initials(name())}, your account`}
      class="ml-1 grid size-8 place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent uppercase forced-border"
      trigger={<span aria-hidden="true">{initials(name())}</span>}
      head={
        <>
          <div class="font-medium">
            <Untrusted text={name()} />
          </div>
          <div class="text-xs text-soft">
            <Untrusted text={person().user.email} />
          </div>
          <div class="mt-1 text-xs text-faint">{person().roles.join(', ')}</div>
        </>
      }
      groups={[
        [
          { id: 'settings', text: 'Settings', icon: 'settings', run: () => navigate('/settings') },
          { id: 'keys', text: 'Keyboard', icon: 'keyboard', run: () => props.openKeys() },
        ],
        [{ id: 'sign-out', text: 'Sign out', icon: 'signOut', run: signOut }],
      ]}
    />
  );
}

/** Two letters that stand for a person. */
function initials(name: string): string {
  return (
    name
      .match(/(?<![\p{L}\p{N}])[\p{L}\p{N}]/gu)
      ?.slice(0, 2)
      .join('') ?? '?'
  );
}

/** Messages that have left the screen are kept here until the page is closed. */
function Messages(): JSX.Element {
  const { notices } = useApp();
  const [isOpen, setOpen] = createSignal(false);
  return (
    <>
      <IconButton icon="bell" label="Messages" onClick={() => setOpen(true)} />
      <Dialog isOpen={isOpen()} close={() => setOpen(false)} title="Messages" lead="Since this page was opened." side>
        <Show when={notices.list().length > 0} fallback={<p class="text-sm text-soft">Nothing so far.</p>}>
          <ul class="divide-y divide-line text-sm">
            <For each={notices.list()}>
              {(notice) => (
                <li class="flex gap-3 py-2">
                  <span class="font-mono text-xs leading-5 text-faint">{timeOfDay(notice.at)}</span>
                  <Untrusted text={notice.text} />
                </li>
              )}
            </For>
          </ul>
        </Show>
      </Dialog>
    </>
  );
}
