/** A question that failed, told so that the person can act: sentence, advice, code with its page, the id that operators search for. */
import { Match, Show, Switch, type JSX } from 'solid-js';
import type { Failure } from '../data/failure.ts';
import { useApp } from '../data/app.ts';
import { Button } from './Button.tsx';
import { CopyButton } from './Copy.tsx';
import { Icon } from './Icon.tsx';
import { Untrusted } from './Text.tsx';

export function FailurePanel(props: {
  readonly failure: Failure;
  readonly retry?: () => void;
  readonly isRetrying?: boolean;
}): JSX.Element {
  const isForbidden = (): boolean => props.failure.kind === 'forbidden';
  return (
    <div class="flex flex-col items-center px-6 py-12 text-center" role="alert">
      <span
        class={`mb-3 grid size-10 place-items-center rounded-lg ${isForbidden() ? 'bg-warn-soft text-warn' : 'bg-bad-soft text-bad'}`}
      >
        <Icon name={isForbidden() ? 'lock' : 'error'} size={20} />
      </span>
      <p class="text-base font-semibold">{isForbidden() ? 'Not yours to see' : props.failure.title}</p>
      <p class="mt-1 max-w-[60ch] text-sm">
        <Untrusted text={props.failure.message} />
      </p>
      <p class="mt-1 max-w-[60ch] text-sm text-soft">
        <Switch fallback={props.failure.advice}>
          <Match when={isForbidden()}>
            <WhoMay />
          </Match>
        </Switch>
      </p>
      <Show when={props.retry && !isForbidden()}>
        <Button class="mt-4" icon="refresh" busy={props.isRetrying ?? false} onClick={() => props.retry?.()}>
          Try again
        </Button>
      </Show>
      <FailureFacts failure={props.failure} />
    </div>
  );
}

/** The line under a failure: its code, which leads to the page about it, and its correlation id. */
export function FailureFacts(props: { readonly failure: Failure }): JSX.Element {
  return (
    <p class="mt-4 flex flex-wrap items-center justify-center gap-x-3 gap-y-1 text-xs text-soft">
      <Show when={props.failure.help} fallback={<code class="font-mono">{props.failure.code}</code>}>
        {(help) => (
          <a
            href={help()}
            target="_blank"
            rel="noreferrer"
            class="inline-flex min-h-6 items-center gap-1 font-mono text-accent underline decoration-accent/40 underline-offset-3 hover:decoration-current"
          >
            {props.failure.code}
            <Icon name="away" size={12} />
          </a>
        )}
      </Show>
      <Show when={props.failure.correlationId}>
        {(id) => (
          <span class="inline-flex items-center gap-1">
            ref <code class="font-mono">{id()}</code>
            <CopyButton text={id()} what="correlation id" />
          </span>
        )}
      </Show>
    </p>
  );
}

function WhoMay(): JSX.Element {
  const { session } = useApp();
  const roles = (): string => {
    const state = session.state();
    return state.status === 'signed-in' && state.person.roles.length > 0 ? state.person.roles.join(', ') : 'none';
  };
  return (
    <>
      It takes the role <code class="font-mono text-xs">clustral-admin</code>, or{' '}
      <code class="font-mono text-xs">clustral-auditor</code> for reading. You have: {roles()}. Whoever runs the
      identity provider of this installation can give it to you.
    </>
  );
}
