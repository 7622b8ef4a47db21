/**
 * Short messages to the person at the page: what was done, and what is about to end. They stay in a list after they left the screen,
 * because a message that was missed must not be lost, and they are spoken by screen readers through one live region.
 */
import { createSignal, type Accessor } from 'solid-js';
import type { Tone } from '../text/words.ts';

type Notice = {
  readonly id: number;
  readonly at: number;
  readonly tone: Tone;
  readonly text: string;
  /** A page of ours that says more. */
  readonly href: string | undefined;
};

export type Notices = {
  /** All since the page was opened, newest first, at most 50. */
  readonly list: Accessor<readonly Notice[]>;
  /** Those on screen now. */
  readonly onScreen: Accessor<readonly Notice[]>;
  readonly say: (notice: { readonly tone?: Tone; readonly text: string; readonly href?: string }) => void;
  readonly dismiss: (id: number) => void;
  /** The last thing that screen readers shall say without anything being shown. */
  readonly spoken: Accessor<string>;
  readonly speak: (text: string) => void;
};

const kept = 50;
const shownMs = 6_000;

export function createNotices(now: () => number): Notices {
  const [list, setList] = createSignal<readonly Notice[]>([]);
  const [shown, setShown] = createSignal<ReadonlySet<number>>(new Set());
  const [spoken, speak] = createSignal('');
  let last = 0;
  const dismiss = (id: number): void => void setShown((ids) => new Set([...ids].filter((other) => other !== id)));
  return {
    list,
    onScreen: () => list().filter(({ id }) => shown().has(id)),
    say({ tone = 'ok', text, href }) {
      last += 1;
      const id = last;
      setList((notices) => [{ id, at: now(), tone, text, href }, ...notices].slice(0, kept));
      setShown((ids) => new Set([...ids, id]));
      setTimeout(() => dismiss(id), shownMs);
    },
    dismiss,
    spoken,
    speak,
  };
}
