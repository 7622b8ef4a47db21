/** One audit event in full: what the log has of it, what it belongs to, and its raw form to copy. All of it is text of others. */
import { toJsonString } from '@bufbuild/protobuf';
import { For, Show, type JSX } from 'solid-js';
import { unwrap } from 'solid-js/store';
import { AuditEventSchema, AuditService, type AuditEvent } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { useRpc } from '../data/rpc.ts';
import { TextLink } from '../kit/Button.tsx';
import { CopyButton, Id } from '../kit/Copy.tsx';
import { Icon } from '../kit/Icon.tsx';
import { Facts } from '../kit/Panel.tsx';
import { Status } from '../kit/Status.tsx';
import { OrNone, Untrusted } from '../kit/Text.tsx';
import { Instant, millis } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { auditPath, clusterPath } from '../text/paths.ts';
import { span } from '../text/time.ts';
import { severityWord } from '../text/words.ts';
import { linesOfValue } from '../text/structure.ts';

export function AuditDetail(props: { readonly uid: string }): JSX.Element {
  const found = useRpc(AuditService.method.getAuditEvent, () => ({ uid: props.uid }));
  return (
    <View query={found} skeleton="facts">
      {(event) => <Event event={event()} />}
    </View>
  );
}

/** Beyond this the two times of an event are told apart. */
const skewMs = 2_000;

function Event(props: { readonly event: AuditEvent }): JSX.Element {
  return (
    <div class="space-y-5 text-sm">
      <div class="space-y-2">
        <p class="text-base font-medium [overflow-wrap:anywhere]">
          <Untrusted text={props.event.message || props.event.event} />
        </p>
        <p class="flex flex-wrap gap-2">
          <Status {...severityWord(props.event.severity)} />
          <Status
            {...(props.event.success
              ? { word: 'Succeeded', tone: 'ok' as const }
              : { word: 'Refused or failed', tone: 'bad' as const })}
          />
        </p>
        <Show when={props.event.error}>
          {(error) => (
            <p class="text-bad">
              <Untrusted text={error()} />
            </p>
          )}
        </Show>
      </div>
      <EventFacts event={props.event} />
      <Related event={props.event} />
      <Details event={props.event} />
      <Raw event={props.event} />
    </div>
  );
}

function EventFacts(props: { readonly event: AuditEvent }): JSX.Element {
  const skew = (): number | undefined => {
    const { time, receivedAt } = props.event;
    return time && receivedAt ? millis(receivedAt) - millis(time) : undefined;
  };
  return (
    <Facts
      rows={[
        [
          'Code',
          <span class="font-mono text-xs">
            {props.event.code} <Untrusted text={props.event.event} />
          </span>,
        ],
        ['Happened', <Instant at={props.event.time} />],
        [
          'Recorded',
          Math.abs(skew() ?? 0) > skewMs ? (
            <>
              <Instant at={props.event.receivedAt} />{' '}
              <span class="text-xs text-warn">{span(Math.abs(skew() ?? 0))} apart</span>
            </>
          ) : undefined,
        ],
        ['Who', <OrNone text={props.event.user} none="the system" />],
        [
          'Cluster',
          props.event.clusterName === '' ? undefined : (
            <TextLink href={clusterPath(props.event.clusterName)}>
              <Untrusted text={props.event.clusterName} />
            </TextLink>
          ),
        ],
        [
          'About',
          props.event.resourceName === '' ? undefined : (
            <>
              <Untrusted text={props.event.resourceType} />{' '}
              <span class="font-mono text-xs">
                <Untrusted text={props.event.resourceName} />
              </span>
            </>
          ),
        ],
        ['Log position', <span class="font-mono text-xs">{props.event.position}</span>],
        ['Event id', <Id id={props.event.uid} what="event id" />],
      ]}
    />
  );
}

/** What the event says beyond what all events say. */
function Details(props: { readonly event: AuditEvent }): JSX.Element {
  const lines = () => linesOfValue(props.event.metadata ?? {});
  return (
    <Show when={lines().length > 0}>
      <section aria-label="Details">
        <h3 class="mb-1.5 text-xs font-medium text-faint">Details</h3>
        <dl class="divide-y divide-line rounded-md border border-line text-xs">
          <For each={lines()}>
            {([path, value]) => (
              <div class="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-3 px-3 py-1.5">
                <dt class="font-mono text-soft [overflow-wrap:anywhere]">
                  <Untrusted text={path} />
                </dt>
                <dd class="font-mono [overflow-wrap:anywhere]">
                  <Untrusted text={value} />
                </dd>
              </div>
            )}
          </For>
        </dl>
      </section>
    </Show>
  );
}

function Raw(props: { readonly event: AuditEvent }): JSX.Element {
  const raw = (): string => toJsonString(AuditEventSchema, unwrap(props.event), { prettySpaces: 2 });
  return (
    <details class="group">
      <summary class="inline-flex min-h-6 items-center gap-1 text-xs text-soft hover:text-ink">
        <Icon name="right" size={13} class="transition-transform group-open:rotate-90" />
        As the API gives it
      </summary>
      <div class="relative mt-1.5 rounded-md border border-line bg-sunken">
        <span class="absolute top-1.5 right-1.5">
          <CopyButton text={raw()} what="event as JSON" />
        </span>
        <pre
          class="max-h-96 overflow-auto p-3 pr-9 font-mono text-2xs leading-4"
          tabindex="0"
          aria-label="Event as JSON"
        >
          <For each={raw().split('\n')}>
            {(line) => (
              <>
                <Untrusted text={line} />
                {'\n'}
              </>
            )}
          </For>
        </pre>
      </div>
    </details>
  );
}

/** Ways to what belongs to the event. */
function Related(props: { readonly event: AuditEvent }): JSX.Element {
  const links = (): readonly (readonly [string, Record<string, string>])[] => {
    const { category, correlationId, causationId, resourceId, userId, metadata } = props.event;
    // The facts of a request are about it; a proxied call names the one whose grant it was made under.
    const named = category === 'access_requests' ? resourceId : metadata?.['accessRequestId'];
    const requestId = typeof named === 'string' ? named : '';
    return [
      ['Everything of this correlation', correlationId, { correlation: correlationId }],
      ['What caused it', causationId, { sel: causationId }],
      ['All about the same thing', resourceId, { resource: resourceId }],
      ['All by the same person', userId, { user: userId }],
      ['All done under this request', requestId, { request: requestId }],
    ].flatMap(([text, id, filter]) => (id === '' ? [] : [[text, filter] as [string, Record<string, string>]]));
  };
  return (
    <Show when={links().length > 0}>
      <section aria-label="Related">
        <h3 class="mb-1 text-xs font-medium text-faint">Related</h3>
        <ul>
          <For each={links()}>
            {([text, filter]) => (
              <li class="leading-6">
                <TextLink href={auditPath({ range: 'all', ...filter })}>{text}</TextLink>
              </li>
            )}
          </For>
        </ul>
      </section>
    </Show>
  );
}
