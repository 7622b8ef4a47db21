/**
 * Bringing an agent to its cluster: the one-time token, shown here and never again, the commands with the real host and id, and a list
 * that fills itself as the agent comes up. The token is pasted or piped, never part of a command line.
 */
import { createSignal, For, Show, type JSX } from 'solid-js';
import type { RegisterClusterResponse } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { useApp } from '../data/app.ts';
import { Banner } from '../kit/Banner.tsx';
import { Command, CopyButton } from '../kit/Copy.tsx';
import { Left } from '../kit/Time.tsx';
import { enrolmentSteps, type AgentPlace } from '../text/enrolment.ts';
import { EnrolmentChecklist } from './EnrolmentChecklist.tsx';

const placeNames: Readonly<Record<AgentPlace, string>> = { kubernetes: 'In the cluster', process: 'As a process' };

export function Enrolment(props: { readonly name: string; readonly registered: RegisterClusterResponse }): JSX.Element {
  const { origin } = useApp();
  const [place, setPlace] = createSignal<AgentPlace>('kubernetes');
  const steps = () =>
    enrolmentSteps(place(), { clusterId: props.registered.clusterId, host: new URL(origin).hostname });
  return (
    <div class="space-y-5">
      <section class="space-y-2" aria-label="Token">
        <h2 class="text-sm font-semibold">1. Take the token</h2>
        <Banner tone="warn">
          It enrols one agent, once, and is not shown again.
          <Show when={props.registered.bootstrapTokenExpiresAt}>
            {(until) => (
              <>
                {' '}
                <Left until={until()} />.
              </>
            )}
          </Show>
        </Banner>
        <Token token={props.registered.bootstrapToken} />
      </section>
      <section class="space-y-3" aria-label="Commands">
        <h2 class="text-sm font-semibold">2. Start the agent</h2>
        <div class="flex w-fit gap-1 rounded-md bg-sunken p-0.5" role="group" aria-label="Where the agent runs">
          <For each={['kubernetes', 'process'] as const}>
            {(one) => (
              <button
                type="button"
                class="h-7 rounded-sm px-2.5 text-xs text-soft aria-pressed:bg-surface aria-pressed:font-medium aria-pressed:text-ink aria-pressed:shadow-card"
                aria-pressed={place() === one}
                onClick={() => setPlace(one)}
              >
                {placeNames[one]}
              </button>
            )}
          </For>
        </div>
        <For each={steps()}>
          {(step) => (
            <div class="space-y-1.5">
              <p class="text-sm text-soft">{step.does}</p>
              <Command lines={step.lines} what={step.does} />
            </div>
          )}
        </For>
        <p class="text-xs text-soft">
          5443 is the port of the tunnel unless the operator of this installation chose another.
        </p>
      </section>
      <section aria-label="Progress">
        <h2 class="mb-2 text-sm font-semibold">3. Watch it come up</h2>
        <EnrolmentChecklist clusterId={props.registered.clusterId} />
      </section>
    </div>
  );
}

function Token(props: { readonly token: string }): JSX.Element {
  const [isShown, show] = createSignal(false);
  return (
    <div class="flex items-center gap-1 rounded-md border border-line bg-sunken py-1.5 pr-1.5 pl-3">
      <code class="min-w-0 flex-1 truncate font-mono text-xs" data-token>
        {isShown() ? props.token : '•'.repeat(32)}
      </code>
      <button
        type="button"
        class="h-6 rounded-sm px-2 text-xs text-soft hover:bg-hover hover:text-ink"
        aria-pressed={isShown()}
        onClick={() => show((is) => !is)}
      >
        {isShown() ? 'Hide' : 'Show'}
      </button>
      <CopyButton text={props.token} what="bootstrap token" />
    </div>
  );
}
