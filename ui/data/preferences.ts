/** What a person set for themselves in this browser: theme, zone, single keys, width of the rail. Nothing else is kept here. */
import { createSignal, type Accessor } from 'solid-js';
import type { Zone } from '../text/time.ts';

export type Theme = 'system' | 'light' | 'dark';

export type Preference<T> = { readonly get: Accessor<T>; readonly set: (value: T) => void };

export type Preferences = {
  readonly theme: Preference<Theme>;
  readonly zone: Preference<Zone>;
  /** Whether single letters act: WCAG 2.1.4 wants a switch. */
  readonly singleKeys: Preference<boolean>;
  readonly isRailNarrow: Preference<boolean>;
};

/** Read from storage once, written with each change; without storage they last as long as the page. */
export function createPreferences(storage: Storage | undefined, root: HTMLElement): Preferences {
  const theme = kept<Theme>('clustral.theme', { storage, among: ['system', 'light', 'dark'] });
  applyTheme(root, theme.get());
  return {
    theme: {
      get: theme.get,
      set(value) {
        theme.set(value);
        applyTheme(root, value);
      },
    },
    zone: kept<Zone>('clustral.zone', { storage, among: ['utc', 'local'] }),
    singleKeys: kept('clustral.single-keys', { storage, among: [true, false] }),
    isRailNarrow: kept('clustral.narrow-rail', { storage, among: [false, true] }),
  };
}

function applyTheme(root: HTMLElement, theme: Theme): void {
  if (theme === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = theme;
}

/** The first of `among` is the value until somebody chooses another. */
function kept<T extends string | boolean>(
  key: string,
  { storage, among }: { readonly storage: Storage | undefined; readonly among: readonly [T, ...T[]] },
): Preference<T> {
  const stored = read(storage, key);
  const [get, set] = createSignal<T>(among.find((value) => JSON.stringify(value) === stored) ?? among[0]);
  return {
    get,
    set(value) {
      set(() => value);
      write(storage, key, JSON.stringify(value));
    },
  };
}

// Storage may throw (private windows, full, forbidden by policy); a preference is not worth an error.
function read(storage: Storage | undefined, key: string): string | null {
  try {
    return storage?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

function write(storage: Storage | undefined, key: string, value: string): void {
  try {
    storage?.setItem(key, value);
  } catch {
    // It lasts as long as the page.
  }
}
