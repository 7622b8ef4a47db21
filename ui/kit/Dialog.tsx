/** What opens over a page: a dialog in the middle, a drawer at the side, a question before something that cannot be taken back. */
import { Dialog as Ark } from '@ark-ui/solid/dialog';
import { createSignal, Show, type JSX } from 'solid-js';
import { Portal } from 'solid-js/web';
import type { Failure } from '../data/failure.ts';
import { Banner } from './Banner.tsx';
import { Button, IconButton } from './Button.tsx';
import { FailureFacts } from './FailurePanel.tsx';
import { Untrusted } from './Text.tsx';

type DialogProps = {
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly title: string;
  readonly lead?: JSX.Element;
  readonly side?: boolean;
  readonly children: JSX.Element;
  /** What has focus first; the first thing that can take it otherwise. */
  readonly initialFocus?: () => HTMLElement | null;
};

const places = {
  middle: {
    positioner: 'fixed inset-0 z-40 flex items-start justify-center overflow-y-auto p-4 pt-[10vh]',
    content: 'w-full max-w-lg animate-in rounded-xl',
  },
  side: {
    positioner: 'fixed inset-y-0 right-0 z-40 flex w-full max-w-xl',
    content: 'flex h-full w-full animate-slide flex-col overflow-y-auto',
  },
};

export function Dialog(props: DialogProps): JSX.Element {
  const place = () => (props.side ? places.side : places.middle);
  return (
    <Ark.Root
      open={props.isOpen}
      onOpenChange={({ open }) => !open && props.close()}
      lazyMount
      unmountOnExit
      {...(props.initialFocus ? { initialFocusEl: props.initialFocus } : {})}
    >
      <Portal>
        <Ark.Backdrop class="fixed inset-0 z-40 bg-shade" />
        <Ark.Positioner class={place().positioner}>
          <Ark.Content class={`relative bg-raised shadow-pop outline-none forced-border ${place().content}`}>
            <div class="flex items-start gap-3 border-b border-line py-3.5 pr-14 pl-5">
              <div class="min-w-0 flex-1">
                <Ark.Title class="text-lg font-semibold [overflow-wrap:anywhere]">{props.title}</Ark.Title>
                <Show when={props.lead}>
                  <Ark.Description class="mt-0.5 text-sm text-soft">{props.lead}</Ark.Description>
                </Show>
              </div>
            </div>
            <div class="px-5 py-4">{props.children}</div>
            {/* Last, so that the first field has the focus and not the way out. */}
            <IconButton class="absolute top-3 right-3" icon="close" label="Close" onClick={() => props.close()} />
          </Ark.Content>
        </Ark.Positioner>
      </Portal>
    </Ark.Root>
  );
}

type ConfirmProps = {
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly title: string;
  /** What will happen, in numbers where there are some. */
  readonly children: JSX.Element;
  readonly act: string;
  readonly isRunning: boolean;
  readonly failure: Failure | undefined;
  /** Must be typed first: for what reaches more than one person. */
  readonly typed?: string;
  readonly onConfirm: () => void;
};

/** Asks before an act that ends something. The quiet button comes first and has the focus. */
export function Confirm(props: ConfirmProps): JSX.Element {
  const [typed, setTyped] = createSignal('');
  const [keep, setKeep] = createSignal<HTMLButtonElement>();
  return (
    <Dialog isOpen={props.isOpen} close={props.close} title={props.title} initialFocus={() => keep() ?? null}>
      <div class="space-y-4 text-sm">
        {props.children}
        <Show when={props.typed}>
          {(name) => (
            <label class="block space-y-2">
              <span>
                Type{' '}
                <code class="font-mono font-semibold">
                  <Untrusted text={name()} />
                </code>{' '}
                to go on
              </span>
              <input
                class="input font-mono"
                value={typed()}
                onInput={(event) => setTyped(event.currentTarget.value)}
                autocomplete="off"
              />
            </label>
          )}
        </Show>
        <FormFailure failure={props.failure} />
        <div class="flex justify-end gap-2">
          <Button ref={setKeep} onClick={() => props.close()}>
            Keep
          </Button>
          <Button
            look="danger"
            busy={props.isRunning}
            disabled={props.typed !== undefined && typed() !== props.typed}
            onClick={() => props.onConfirm()}
          >
            {props.act}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

/** The failure of a command above the buttons of its form; nothing while there is none, or when a field of the form shows it. */
export function FormFailure(props: {
  readonly failure: Failure | undefined;
  readonly fields?: readonly string[];
}): JSX.Element {
  const shown = (): Failure | undefined =>
    props.failure?.field !== undefined && props.fields?.includes(props.failure.field) ? undefined : props.failure;
  return (
    <Show when={shown()}>
      {(failure) => (
        <Banner tone="bad" role="alert">
          <p class="font-medium">{failure().title}</p>
          <p>
            <Untrusted text={failure().message} /> <span class="text-soft">{failure().advice}</span>
          </p>
          <div class="[&>p]:mt-1 [&>p]:justify-start">
            <FailureFacts failure={failure()} />
          </div>
        </Banner>
      )}
    </Show>
  );
}
