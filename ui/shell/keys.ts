/**
 * The keyboard: every key that does something is registered here with the words that the sheet shows, so that the sheet cannot be
 * wrong. Single letters rest while somebody types and can be switched off (WCAG 2.1.4); `$mod` is ⌘ on a Mac, Ctrl elsewhere.
 */
import { createSignal, type Accessor } from 'solid-js';
import { tinykeys } from 'tinykeys';

export type Key = {
  /** As tinykeys reads it: `g h`, `$mod+k`, `?`. */
  readonly press: string;
  readonly does: string;
  readonly group: 'Anywhere' | 'Go to' | 'In a list';
  readonly run: () => void;
};

export type Keys = {
  /** All that act now, as the sheet shows them; of two for one press the later one acts. */
  readonly list: Accessor<readonly Key[]>;
  /** Makes keys act until the returned function is called. */
  readonly add: (keys: readonly Key[]) => () => void;
  readonly stop: () => void;
};

export function createKeys(target: Window, areSingleKeysOn: () => boolean): Keys {
  const [list, setList] = createSignal<readonly Key[]>([]);
  const [bound, setBound] = createSignal<ReadonlyMap<string, () => void>>(new Map());
  const recent = rememberPresses(target);
  const press = (name: string) => (event: KeyboardEvent) => {
    // `c` at the end of `g c` is no `c`.
    if (name.length === 1 && list().some((one) => one.press === `${recent.before()} ${name}`)) return;
    const isPlain = !name.startsWith('$mod');
    if (isPlain && (!areSingleKeysOn() || isTyping(event.target) || isInDialog(event.target))) return;
    const key = list().findLast((one) => one.press === name);
    if (!key) return;
    event.preventDefault();
    key.run();
  };
  const bind = (): void => {
    for (const { press: name } of list()) {
      if (!bound().has(name))
        setBound((names) =>
          new Map(names).set(name, tinykeys(target, { [pattern(name)]: press(name) }, { ignore: () => false })),
        );
    }
  };
  return {
    list,
    add(keys) {
      setList((all) => [...all, ...keys]);
      bind();
      return () => setList((all) => all.filter((key) => !keys.includes(key)));
    },
    stop() {
      recent.stop();
      for (const unbind of bound().values()) unbind();
    },
  };
}

/** How long a sequence waits for its next key; tinykeys' own default. */
const sequenceMs = 1_000;

/** The key that was pressed before the current one, if it was pressed just now. Made before any other listener, so it runs first. */
function rememberPresses(target: Window): { readonly before: () => string | undefined; readonly stop: () => void } {
  let before: string | undefined;
  let last: { readonly key: string; readonly at: number } | undefined;
  const listener = ({ key, timeStamp }: KeyboardEvent): void => {
    before = last && timeStamp - last.at < sequenceMs ? last.key : undefined;
    last = { key, at: timeStamp };
  };
  target.addEventListener('keydown', listener);
  return { before: () => before, stop: () => target.removeEventListener('keydown', listener) };
}

// `?` needs Shift on many layouts and none on others: whatever brings the character counts.
const pattern = (name: string): string => (name === '?' ? '[Shift]+?' : name);

/** The presses as they are drawn: `g h` → two keys; `$mod+k` → one key with a modifier. */
export function keyCaps(press: string, isMac: boolean): readonly string[] {
  return press.split(' ').map((part) =>
    part
      .replace('$mod+', isMac ? '⌘' : 'Ctrl ')
      .replace('Enter', '↵')
      .replace(/(^|\s)([a-z])$/, (_, gap: string, letter: string) => gap + letter.toUpperCase()),
  );
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

const isInDialog = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('[role="dialog"],[role="alertdialog"],[role="menu"]') !== null;
