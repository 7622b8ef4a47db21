/** What every page has: its title in the tab, focus on its heading after a walk from another page, and its commands for the terminal. */
import { createSignal, createEffect, For, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { useApp } from '../data/app.ts';
import { Button } from '../kit/Button.tsx';
import { Command } from '../kit/Copy.tsx';
import { Dialog } from '../kit/Dialog.tsx';
import { PageHead } from '../kit/Panel.tsx';
import { Untrusted } from '../kit/Text.tsx';
import type { CommandPart } from '../text/shell.ts';
import { visible } from '../text/untrusted.ts';

/** A command of the tool that does or shows what the page does or shows. */
export type CliLine = { readonly does: string; readonly parts: readonly CommandPart[] };

type PageProps = {
  readonly title: string;
  readonly parent?: { readonly href: string; readonly name: string };
  readonly status?: JSX.Element;
  readonly lead?: JSX.Element;
  readonly actions?: JSX.Element;
  readonly cli: readonly CliLine[];
  /** For dense lists: as wide as the window lets it be. */
  readonly isWide?: boolean;
  readonly children: JSX.Element;
};

export function Page(props: PageProps): JSX.Element {
  const { keys, notices, visit } = useApp();
  const [isCliOpen, setCliOpen] = createSignal(false);
  const [frame, setFrame] = createSignal<HTMLDivElement>();
  createEffect(() => {
    document.title = `${visible(props.title)} · Clustral`;
  });
  onMount(() => {
    // The first page has the focus where the browser puts it.
    if (visit.pages > 0) frame()?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    visit.pages += 1;
    const copyLink = (): void => {
      void navigator.clipboard
        .writeText(location.href)
        .then(() => notices.say({ text: 'Copied the link to this page.' }));
    };
    onCleanup(
      keys.add([
        { press: 'c', does: 'Copy the link', group: 'Anywhere', run: copyLink },
        { press: '.', does: 'Commands for the terminal', group: 'Anywhere', run: () => setCliOpen(true) },
      ]),
    );
  });
  return (
    <div ref={setFrame} class={`mx-auto w-full px-4 py-6 sm:px-6 ${props.isWide ? 'max-w-[110rem]' : 'max-w-6xl'}`}>
      <PageHead
        title={<Untrusted text={props.title} />}
        {...(props.parent ? { parent: props.parent } : {})}
        status={props.status}
        lead={props.lead}
        actions={
          <>
            <Show when={props.cli.length > 0}>
              <Button icon="terminal" aria-haspopup="dialog" onClick={() => setCliOpen(true)}>
                CLI
              </Button>
            </Show>
            {props.actions}
          </>
        }
      />
      {props.children}
      <Dialog
        isOpen={isCliOpen()}
        close={() => setCliOpen(false)}
        title="From the terminal"
        lead="What this page shows and does, as commands."
        side
      >
        <ul class="space-y-4">
          <For each={props.cli}>
            {(line) => (
              <li>
                <p class="mb-1.5 text-sm">{line.does}</p>
                <Command lines={[line.parts]} />
              </li>
            )}
          </For>
        </ul>
      </Dialog>
    </div>
  );
}
