/** The list that fills itself while an agent comes up; asked every two seconds until it is done. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { createEffect, For, Show, type JSX } from 'solid-js';
import { AuditService } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { ClusterService } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { useApp } from '../data/app.ts';
import { answerOf, useRpc } from '../data/rpc.ts';
import { Icon, type IconName } from '../kit/Icon.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { enrolmentChecks, type Check, type CheckState } from '../text/checklist.ts';

const askEveryMs = 2_000;
const issuedAgoMs = 10_000;
const icons: Readonly<Record<CheckState, IconName>> = { done: 'ok', waiting: 'clock', failed: 'bad', later: 'dashed' };
const words: Readonly<Record<CheckState, string>> = {
  done: 'Done',
  waiting: 'Waiting',
  failed: 'Refused',
  later: 'Later',
};
const colours: Readonly<Record<CheckState, string>> = {
  done: 'text-ok',
  waiting: 'text-warn',
  failed: 'text-bad',
  later: 'text-faint',
};

export function EnrolmentChecklist(props: { readonly clusterId: string }): JSX.Element {
  const { notices, clock } = useApp();
  // The token was issued a moment ago; nothing before that is about the agent that redeems it.
  const since = timestampFromMs(clock.now() - issuedAgoMs);
  const often = () => ({ refetchInterval: askEveryMs as number });
  const cluster = useRpc(ClusterService.method.getCluster, () => ({ id: props.clusterId }), often);
  const events = useRpc(
    AuditService.method.listAuditEvents,
    () => ({ clusterId: props.clusterId, from: since, pageSize: 100 }),
    () => ({ refetchInterval: askEveryMs, key: 'uid' }),
  );
  const checks = (): readonly Check[] =>
    enrolmentChecks({ cluster: answerOf(cluster), events: answerOf(events)?.events ?? [] });
  createEffect((before: number) => {
    const done = checks().filter(({ state }) => state === 'done').length;
    if (done > before) notices.speak(`${done} of ${checks().length} steps done`);
    return done;
  }, 0);
  return (
    <ol class="divide-y divide-line rounded-lg border border-line bg-surface">
      <For each={checks()}>
        {(check) => (
          <li class="flex items-start gap-3 px-4 py-2.5 text-sm" data-check={check.state}>
            <Icon name={icons[check.state]} size={17} class={`mt-0.5 ${colours[check.state]}`} />
            <div class="min-w-0 flex-1">
              <div class={check.state === 'later' ? 'text-soft' : 'font-medium'}>{check.name}</div>
              <Show when={check.detail !== ''}>
                <p class="text-xs text-soft">
                  <Untrusted text={check.detail} />
                </p>
              </Show>
            </div>
            <span class={`text-xs font-medium ${colours[check.state]}`}>{words[check.state]}</span>
          </li>
        )}
      </For>
    </ol>
  );
}
