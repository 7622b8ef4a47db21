/** Audit events in rows: when, what in one sentence, who, where. */
import { A } from '@solidjs/router';
import { Show, type Accessor, type JSX } from 'solid-js';
import type { AuditEvent } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { Icon, type IconName } from '../kit/Icon.tsx';
import { Table, type Column } from '../kit/Table.tsx';
import { OrNone, Untrusted } from '../kit/Text.tsx';
import { Instant } from '../kit/Time.tsx';
import type { AuditState } from '../text/audit-filter.ts';
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

export function AuditTable(props: {
  readonly events: readonly AuditEvent[];
  readonly selected: string | undefined;
  readonly search: AuditState;
  /** The open event stands beside it: the day and the cluster give way. */
  readonly isNarrow: boolean;
}): JSX.Element {
  const columns = (): readonly Column<AuditEvent>[] => [
    {
      head: 'Time',
      cell: (event) => (
        <span class="text-soft">
          <Instant at={event().time} timeOnly={props.isNarrow} />
        </span>
      ),
    },
    { head: 'Event', isLead: true, cell: (event) => <What event={event} search={props.search} /> },
    {
      head: 'Who',
      cell: (event) => (
        <span class="block max-w-48 truncate">
          <OrNone text={event().user} none="the system" />
        </span>
      ),
    },
    ...(props.isNarrow
      ? []
      : [
          {
            head: 'Cluster',
            isEmpty: ({ clusterName }: AuditEvent) => clusterName === '',
            cell: (event: Accessor<AuditEvent>) => (
              <span class="text-soft">
                <OrNone text={event().clusterName} none="–" />
              </span>
            ),
          },
        ]),
  ];
  return (
    <Table
      name="Audit events"
      items={props.events}
      keyOf={({ uid }) => uid}
      columns={columns()}
      selected={props.selected}
    />
  );
}

function What(props: { readonly event: Accessor<AuditEvent>; readonly search: AuditState }): JSX.Element {
  const tone = (): Tone => severityWord(props.event().severity).tone;
  return (
    <div class="flex items-baseline gap-2.5">
      <span class={`translate-y-0.5 ${colours[tone()]}`} title={props.event().severity}>
        <Icon name={icons[tone()]} size={14} />
        <span class="sr-only">{props.event().severity}</span>
      </span>
      <div class="min-w-0 flex-1">
        <A
          href={auditPath({ ...present(props.search), sel: props.event().uid })}
          noScroll
          class="row-link line-clamp-2"
        >
          <Untrusted text={props.event().message || props.event().event} />
        </A>
        <div class="font-mono text-2xs text-faint">
          {props.event().code} <Untrusted text={props.event().event} />
          <Show when={props.event().staleEpoch}>
            <span class="ml-2 text-warn">without effect: written after a take-over</span>
          </Show>
        </div>
      </div>
    </div>
  );
}

const present = (search: AuditState): Record<string, string> =>
  Object.fromEntries(Object.entries(search).filter((entry): entry is [string, string] => entry[1] !== undefined));
