/** The latest audit events about one thing, with a way to all of them. */
import { A } from '@solidjs/router';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { For, type JSX } from 'solid-js';
import { AuditService, type ListAuditEventsRequestSchema } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { useApp } from '../data/app.ts';
import { useRpc } from '../data/rpc.ts';
import { TextLink } from '../kit/Button.tsx';
import { Icon, type IconName } from '../kit/Icon.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { Ago } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { auditPath } from '../text/paths.ts';
import { severityWord, type Tone } from '../text/words.ts';

const icons: Readonly<Record<Tone, IconName>> = { ok: 'ok', warn: 'warn', bad: 'bad', info: 'info', quiet: 'quiet' };
const colours: Readonly<Record<Tone, string>> = {
  ok: 'text-ok',
  warn: 'text-warn',
  bad: 'text-bad',
  info: 'text-faint',
  quiet: 'text-faint',
};

export function RecentEvents(props: {
  readonly title: string;
  readonly filter: MessageInitShape<typeof ListAuditEventsRequestSchema>;
  /** Address of the whole list. */
  readonly all: string;
}): JSX.Element {
  const { live } = useApp();
  const events = useRpc(
    AuditService.method.listAuditEvents,
    () => ({ ...props.filter, pageSize: 20 }),
    () => ({ key: 'uid', refetchInterval: live.state().status === 'current' ? 15_000 : false }),
  );
  return (
    <Panel
      title={props.title}
      flush
      actions={
        <TextLink class="text-xs" href={props.all}>
          All in audit
        </TextLink>
      }
    >
      <View
        query={events}
        skeleton="rows"
        isEmpty={(answer) => answer.events.length === 0}
        empty={{
          icon: 'scroll',
          title: 'Nothing happened yet',
          text: 'Every command and every proxied request will stand here.',
        }}
      >
        {(answer) => (
          <ul class="divide-y divide-line text-sm">
            <For each={answer().events}>
              {(event) => (
                <li class="relative flex items-baseline gap-3 px-4 py-2 hover:bg-hover">
                  <span class={`translate-y-0.5 ${colours[severityWord(event.severity).tone]}`}>
                    <Icon name={icons[severityWord(event.severity).tone]} size={14} />
                    <span class="sr-only">{event.severity}</span>
                  </span>
                  <A
                    href={auditPath({ range: 'all', sel: event.uid })}
                    class="row-link min-w-0 flex-1 [overflow-wrap:anywhere]"
                  >
                    <Untrusted text={event.message || event.event} />
                  </A>
                  <span class="text-xs text-soft">
                    <Ago at={event.time} />
                  </span>
                </li>
              )}
            </For>
          </ul>
        )}
      </View>
    </Panel>
  );
}
