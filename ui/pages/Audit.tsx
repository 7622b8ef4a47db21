/**
 * `/audit`: the audit log. Every filter, the range and the open event are in the address. The list does not move by itself: what came
 * since it was asked for waits behind a line that says so.
 */
import { createEffect, createSignal, on, Show, type Accessor, type JSX } from 'solid-js';
import {
  AuditService,
  type AuditEvent,
  type ListAuditEventsResponse,
} from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { useApp } from '../data/app.ts';
import { answerOf, useRpc, useRpcPages, type Pages } from '../data/rpc.ts';
import { useUrlState } from '../data/url-state.ts';
import { useWide } from '../data/wide.ts';
import { Button } from '../kit/Button.tsx';
import { Dialog } from '../kit/Dialog.tsx';
import { Panel } from '../kit/Panel.tsx';
import { View } from '../kit/View.tsx';
import { AuditDetail } from '../parts/AuditDetail.tsx';
import { AuditFilters } from '../parts/AuditFilters.tsx';
import { AuditTable } from '../parts/AuditTable.tsx';
import { MoreRows } from '../parts/More.tsx';
import { Page } from '../shell/Page.tsx';
import {
  auditCommand,
  auditQuestion,
  auditShape,
  filterNames,
  rangeOf,
  type AuditFilter,
  type AuditState,
} from '../text/audit-filter.ts';
import { timeOfDay } from '../text/time.ts';

const pageSize = 100;
/** Below this the open event is a drawer over the list, not a column beside it. */
const sideBySide = '(width >= 72rem)';

export function Audit(): JSX.Element {
  const { clock } = useApp();
  const url = useUrlState(auditShape);
  const isWide = useWide(sideBySide);
  const [askedAt, setAskedAt] = createSignal(clock.now());
  const question = (): AuditFilter => auditQuestion(url.get(), askedAt());
  const pages = useRpcPages(
    AuditService.method.listAuditEvents,
    () => ({ ...question(), pageSize }),
    () => ({ key: 'uid', isStill: true }),
  );
  const hasNewer = useNewer(question, () => answerOf(pages.query)?.[0]?.events[0]?.uid);
  const isSplit = (): boolean => isWide() && url.get().sel !== undefined;
  const refresh = (): void => {
    setAskedAt(clock.now());
    void pages.query.refetch();
  };
  return (
    <Page
      title="Audit"
      isWide
      lead="Everything that was asked of Clustral and of the clusters behind it, as the log has it."
      actions={
        <Button icon="refresh" busy={pages.query.isFetching} onClick={refresh}>
          Refresh
        </Button>
      }
      cli={[
        { does: 'This search', parts: auditCommand(url.get(), askedAt()) },
        { does: 'For scripts, every field', parts: [...auditCommand(url.get(), askedAt()), '-o json'] },
      ]}
    >
      <AuditFilters url={url} now={askedAt()} />
      <div
        class={`mt-4 grid items-start gap-4 ${isSplit() ? 'grid-cols-[minmax(0,1fr)_26rem]' : 'grid-cols-[minmax(0,1fr)]'}`}
      >
        <Panel flush>
          <Show when={hasNewer()}>
            <button
              type="button"
              class="w-full border-b border-line bg-accent-soft py-1.5 text-xs font-medium text-accent"
              onClick={refresh}
            >
              There is something new: show
            </button>
          </Show>
          <Found url={url} pages={pages} askedAt={askedAt()} isNarrow={isSplit()} />
        </Panel>
        <Show when={url.get().sel}>
          {(uid) => (
            <Opened uid={uid()} isBeside={isWide()} close={() => url.set({ sel: undefined }, { replace: true })} />
          )}
        </Show>
      </div>
    </Page>
  );
}

type AuditUrl = ReturnType<typeof useUrlState<typeof auditShape>>;

type FoundProps = {
  readonly url: AuditUrl;
  readonly pages: Pages<ListAuditEventsResponse>;
  readonly askedAt: number;
  readonly isNarrow: boolean;
};

function Found(props: FoundProps): JSX.Element {
  const { clock } = useApp();
  const state = (): AuditState => props.url.get();
  const isFiltered = (): boolean => filterNames.some((name) => state()[name] !== undefined);
  const isEmpty = (fetched: readonly ListAuditEventsResponse[]): boolean => fetched[0]?.events.length === 0;
  const total = useTotal(
    state,
    () => props.askedAt,
    () => isFiltered() && isEmpty(answerOf(props.pages.query) ?? []),
  );
  const clear = (): void => props.url.set(Object.fromEntries(filterNames.map((name) => [name, undefined])));
  const wholeLog = (
    <Button onClick={() => props.url.set({ range: 'all', from: undefined, to: undefined })}>All time</Button>
  );
  return (
    <View
      query={props.pages.query}
      skeleton="rows"
      isEmpty={isEmpty}
      filtered={isFiltered() ? { what: emptySentence(total()), clear } : undefined}
      empty={{
        icon: 'scroll',
        title: 'Nothing in this range',
        text: 'No command was given and no request was proxied. A longer range may hold something.',
        ...(rangeOf(state()) === 'all' ? {} : { action: wholeLog }),
        command: ['clustral audit'],
      }}
    >
      {(fetched) => (
        <>
          <AuditTable
            events={fetched().flatMap(({ events }) => events)}
            selected={state().sel}
            search={state()}
            isNarrow={props.isNarrow}
          />
          <MoreRows
            pages={props.pages}
            shown={shownSentence(fetched(), clock.atLocal(props.pages.query.dataUpdatedAt))}
          />
        </>
      )}
    </View>
  );
}

/** The open event: a column beside the list, or over it where there is no room. */
function Opened(props: { readonly uid: string; readonly isBeside: boolean; readonly close: () => void }): JSX.Element {
  return (
    <Show
      when={props.isBeside}
      fallback={
        <Dialog isOpen close={props.close} title="Event" side>
          <AuditDetail uid={props.uid} />
        </Dialog>
      }
    >
      <aside
        class="sticky top-16 max-h-[calc(100dvh-5rem)] overflow-y-auto rounded-lg"
        aria-label="Event"
        // What scrolls must be reachable by keyboard.
        tabindex="0"
      >
        <Panel
          title="Event"
          actions={
            <Button size="sm" look="quiet" icon="close" onClick={() => props.close()}>
              Close
            </Button>
          }
        >
          <AuditDetail uid={props.uid} />
        </Panel>
      </aside>
    </Show>
  );
}

/** Whether the same question would now be answered with something newer. */
function useNewer(question: Accessor<AuditFilter>, newest: Accessor<string | undefined>): Accessor<boolean> {
  const { live } = useApp();
  const probe = useRpc(
    AuditService.method.listAuditEvents,
    () => ({ ...question(), pageSize: 1 }),
    () => ({ key: 'uid', enabled: newest() !== undefined }),
  );
  createEffect(on(live.auditNews, () => void probe.refetch(), { defer: true }));
  return () => {
    const latest = answerOf(probe)?.events[0]?.uid;
    return latest !== undefined && newest() !== undefined && latest !== newest();
  };
}

/** How many there are in the range without the filters, asked only when it is to be told. */
function useTotal(
  state: Accessor<AuditState>,
  askedAt: Accessor<number>,
  isWanted: Accessor<boolean>,
): Accessor<string | undefined> {
  const bare = useRpc(
    AuditService.method.listAuditEvents,
    () => {
      const { range, from, to } = state();
      return { ...auditQuestion({ ...emptyState, range, from, to }, askedAt()), pageSize: 1 };
    },
    () => ({ key: 'uid', enabled: isWanted() }),
  );
  return () => {
    const answer = answerOf(bare);
    return answer && totalOf(answer);
  };
}

const emptyState = {
  ...(Object.fromEntries(filterNames.map((name) => [name, undefined])) as Record<
    (typeof filterNames)[number],
    undefined
  >),
  sel: undefined,
};

const emptySentence = (total: string | undefined): string =>
  total === undefined ? 'No events match.' : `No events match. ${total} in this range without filters.`;

const totalOf = ({ total, totalIsLowerBound }: ListAuditEventsResponse): string =>
  `${total.toLocaleString('en')}${totalIsLowerBound ? '+' : ''}`;

function shownSentence(pages: readonly ListAuditEventsResponse[], at: number): string {
  const shown = pages.reduce(
    (sum: number, { events }: { readonly events: readonly AuditEvent[] }) => sum + events.length,
    0,
  );
  const [first] = pages;
  return `${shown} of ${first ? totalOf(first) : '0'} events, as of ${timeOfDay(at)}`;
}
