/** What is copied with one press: ids, commands, links. It says that it did, also to those who do not see it. */
import { createSignal, For, Show, type JSX } from 'solid-js';
import { useApp } from '../data/app.ts';
import { shortId } from '../text/id.ts';
import { commandLine, type CommandPart, type Shell } from '../text/shell.ts';
import { Icon } from './Icon.tsx';

const confirmedMs = 1_600;

/** A button that copies. `what` is said afterwards: "Copied the request id". */
export function CopyButton(props: {
  readonly text: string;
  readonly what: string;
  readonly class?: string;
}): JSX.Element {
  const { notices } = useApp();
  const [isDone, setDone] = createSignal(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(props.text);
    } catch {
      return notices.say({ tone: 'warn', text: 'The browser did not let this page copy: select the text instead.' });
    }
    setDone(true);
    notices.speak(`Copied the ${props.what}`);
    setTimeout(() => setDone(false), confirmedMs);
  };
  return (
    <button
      type="button"
      class={`above-row-link inline-grid size-6 shrink-0 place-items-center rounded-sm text-faint transition-colors hover:bg-hover hover:text-ink ${props.class ?? ''}`}
      aria-label={`Copy the ${props.what}`}
      title={`Copy the ${props.what}`}
      onClick={() => void copy()}
    >
      <Icon name={isDone() ? 'check' : 'copy'} size={13} class={isDone() ? 'text-ok' : ''} />
    </button>
  );
}

/** An id: both ends of it, the whole on hover and in the clipboard. */
export function Id(props: { readonly id: string; readonly what: string }): JSX.Element {
  return (
    <span class="inline-flex items-center gap-0.5 whitespace-nowrap">
      <code class="font-mono text-xs text-soft" title={props.id}>
        {shortId(props.id)}
      </code>
      <CopyButton text={props.id} what={props.what} />
    </span>
  );
}

/** Command lines to copy, one block. Shells that need other quotes get a switch. */
export function Command(props: {
  readonly lines: readonly (readonly CommandPart[])[];
  readonly what?: string;
}): JSX.Element {
  const [shell, setShell] = createSignal<Shell>('posix');
  const text = (kind: Shell): string => props.lines.map((parts) => commandLine(parts, kind)).join('\n');
  const differs = (): boolean => text('posix') !== text('powershell');
  return (
    <div class="overflow-hidden rounded-md border border-line bg-sunken">
      <Show when={differs()}>
        <div class="flex gap-1 border-b border-line px-1.5 py-1" role="group" aria-label="Shell">
          <For each={['posix', 'powershell'] as const}>
            {(kind) => (
              <button
                type="button"
                class="h-6 rounded-sm px-2 text-2xs text-soft hover:text-ink aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:shadow-card"
                aria-pressed={shell() === kind}
                onClick={() => setShell(kind)}
              >
                {kind === 'posix' ? 'bash, zsh' : 'PowerShell'}
              </button>
            )}
          </For>
        </div>
      </Show>
      <div class="flex items-start gap-2 py-1.5 pr-1.5 pl-3">
        <pre class="min-w-0 flex-1 py-0.5 font-mono text-xs leading-5 whitespace-pre-wrap [overflow-wrap:anywhere]">
          {text(shell())}
        </pre>
        <CopyButton text={text(shell())} what={props.what?.toLowerCase() ?? 'command'} />
      </div>
    </div>
  );
}
