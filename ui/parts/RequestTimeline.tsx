/** What became of a request, first to last. */
import { For, Show, type JSX } from 'solid-js';
import { AccessRequestStatus, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { useApp } from '../data/app.ts';
import { Icon, type IconName } from '../kit/Icon.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { Instant, Left, millis } from '../kit/Time.tsx';

type Step = {
  readonly at: Timestamp | undefined;
  readonly what: string;
  readonly who?: string;
  readonly why?: string;
  readonly icon: IconName;
  readonly colour: string;
};

function stepsOf(request: AccessRequest): readonly Step[] {
  const steps: Step[] = [
    { at: request.createdAt, what: 'Asked', who: request.requesterName, icon: 'key', colour: 'text-info' },
  ];
  for (const { approvedAt, reviewerName } of request.approvals)
    steps.push({ at: approvedAt, what: 'Approved', who: reviewerName, icon: 'check', colour: 'text-ok' });
  if (request.status === AccessRequestStatus.DENIED)
    return [
      ...steps,
      {
        at: request.decidedAt,
        what: 'Denied',
        who: request.reviewerName,
        why: request.endReason,
        icon: 'bad',
        colour: 'text-bad',
      },
    ];
  if (request.approvals.length === 0 && request.decidedAt)
    steps.push({
      at: request.decidedAt,
      what: 'Approved',
      who: request.reviewerName,
      icon: 'check',
      colour: 'text-ok',
    });
  return [...steps, ...endOf(request)];
}

function endOf({ status, endedAt, endReason, requesterName }: AccessRequest): readonly Step[] {
  const quiet = { at: endedAt, icon: 'clock', colour: 'text-faint' } as const;
  if (status === AccessRequestStatus.REVOKED)
    return [{ at: endedAt, what: 'Ended early', why: endReason, icon: 'ban', colour: 'text-bad' }];
  if (status === AccessRequestStatus.EXPIRED) return [{ ...quiet, what: 'Ran out' }];
  if (status === AccessRequestStatus.WITHDRAWN) return [{ ...quiet, what: 'Taken back', who: requesterName }];
  return [];
}

export function RequestTimeline(props: { readonly request: AccessRequest }): JSX.Element {
  const { clock } = useApp();
  const isOpen = (): boolean => props.request.status === AccessRequestStatus.APPROVED;
  const begins = (): boolean =>
    props.request.grantStartsAt !== undefined && millis(props.request.grantStartsAt) > clock.now();
  return (
    <Panel title="What became of it">
      <ol class="space-y-3 text-sm">
        <For each={stepsOf(props.request)}>
          {(step) => (
            <li class="flex gap-2.5">
              <Icon name={step.icon} size={15} class={`mt-0.5 ${step.colour}`} />
              <div class="min-w-0">
                <div>
                  <span class="font-medium">{step.what}</span>
                  <Show when={step.who}>
                    {(who) => (
                      <>
                        {' '}
                        by <Untrusted text={who()} />
                      </>
                    )}
                  </Show>
                </div>
                <Show when={step.why}>
                  {(why) => (
                    <p class="text-soft">
                      “<Untrusted text={why()} />”
                    </p>
                  )}
                </Show>
                <p class="text-soft">
                  <Instant at={step.at} />
                </p>
              </div>
            </li>
          )}
        </For>
        <Show when={isOpen() && props.request.grantExpiresAt}>
          {(until) => (
            <li class="flex gap-2.5">
              <Icon name="clock" size={15} class="mt-0.5 text-faint" />
              <div>
                <div class="font-medium">{begins() ? 'Begins and ends' : 'Ends'}</div>
                <Show when={begins()}>
                  <p class="text-soft">
                    <Instant at={props.request.grantStartsAt} />
                  </p>
                </Show>
                <p class="text-soft">
                  <Instant at={until()} /> · <Left until={until()} />
                </p>
              </div>
            </li>
          )}
        </Show>
      </ol>
    </Panel>
  );
}
