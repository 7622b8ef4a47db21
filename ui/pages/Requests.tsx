/** `/access/requests`: my requests, those that wait for me, and for readers all of them. The tab and the filters are in the address. */
import { createSignal, Show, type JSX } from 'solid-js';
import { AccessRequestStatus, AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { useMay, type May } from '../data/app.ts';
import { oneOf, text } from '../data/parameters.ts';
import { answerOf, useRpc, useRpcPages } from '../data/rpc.ts';
import { useUrlState } from '../data/url-state.ts';
import { Panel } from '../kit/Panel.tsx';
import { Tabs } from '../kit/Tabs.tsx';
import { View, type EmptyWords } from '../kit/View.tsx';
import { AskButton } from '../parts/AskButton.tsx';
import { AskDialog, type AskFor } from '../parts/AskDialog.tsx';
import { FilterSelect } from '../parts/Filter.tsx';
import { choicesOf, useClusters } from '../parts/lists.ts';
import { useMe } from '../parts/me.ts';
import { MoreRows } from '../parts/More.tsx';
import { RequestTable } from '../parts/RequestTable.tsx';
import { Page } from '../shell/Page.tsx';
import { count } from '../text/words.ts';

const tabNames = { mine: 'Mine', review: 'To review', all: 'All' } as const;
type TabName = keyof typeof tabNames;

const statuses = {
  pending: AccessRequestStatus.PENDING,
  approved: AccessRequestStatus.APPROVED,
  denied: AccessRequestStatus.DENIED,
  revoked: AccessRequestStatus.REVOKED,
  expired: AccessRequestStatus.EXPIRED,
  withdrawn: AccessRequestStatus.WITHDRAWN,
} as const;
type StatusName = keyof typeof statuses;

const shape = {
  tab: oneOf('mine', 'review', 'all'),
  status: oneOf(...(Object.keys(statuses) as StatusName[])),
  cluster: text,
};

export function Requests(): JSX.Element {
  const may = useMay();
  const url = useUrlState(shape);
  const [asking, setAsking] = createSignal<AskFor>();
  // Auditors ask for nothing: theirs is everybody's.
  const tab = (): TabName => url.get().tab ?? (may.act() ? 'mine' : 'all');
  const waiting = useRpc(
    AccessService.method.listAccessRequests,
    () => ({ toDecide: true, pageSize: 100 }),
    () => ({ enabled: may.act() }),
  );
  const tabs = () =>
    tabsFor(may).map((one) => ({
      href: `/access/requests?tab=${one}`,
      name: tabNames[one],
      isHere: tab() === one,
      count: one === 'review' ? answerOf(waiting)?.requests.length || undefined : undefined,
    }));
  return (
    <Page
      title="Requests"
      lead="Access for a while: somebody asks, somebody else decides, the clock ends it."
      actions={<AskButton ask={() => setAsking({})} />}
      cli={[
        { does: 'Your requests', parts: ['clustral access list --mine'] },
        { does: 'What waits for a decision', parts: ['clustral access list --to-decide'] },
        {
          does: 'Ask, and go on once it is there',
          parts: ['clustral access request <cluster> --role <role> --for 2h --wait'],
        },
        { does: 'Decide', parts: ['clustral access approve <request>'] },
      ]}
    >
      <Tabs label="Whose requests" tabs={tabs()} />
      <List tab={tab()} ask={() => setAsking({})} />
      <AskDialog asking={asking()} close={() => setAsking(undefined)} />
    </Page>
  );
}

function tabsFor(may: May): readonly TabName[] {
  return [...(may.act() ? (['mine', 'review'] as const) : []), ...(may.readAll() ? (['all'] as const) : [])];
}

function emptyWords(tab: TabName, ask: () => void): EmptyWords {
  if (tab === 'review')
    return {
      icon: 'check',
      title: 'Nothing waits for you',
      text: 'Requests that you may decide will stand here as they come in.',
    };
  if (tab === 'all')
    return { icon: 'key', title: 'Nobody has asked yet', text: 'Every request and what became of it will stand here.' };
  return {
    icon: 'key',
    title: 'You have not asked for anything',
    text: 'Ask for a role on a cluster for as long as a task takes. Whoever may decides, and it ends by itself.',
    action: <AskButton ask={ask} />,
    command: ['clustral access request <cluster> --role <role> --for 1h'],
  };
}

function List(props: { readonly tab: TabName; readonly ask: () => void }): JSX.Element {
  const url = useUrlState(shape);
  const me = useMe();
  const clusters = useClusters();
  const pages = useRpcPages(
    AccessService.method.listAccessRequests,
    () => ({
      pageSize: 50,
      clusterId: url.get().cluster ?? '',
      toDecide: props.tab === 'review',
      requesterId: props.tab === 'mine' ? (me.id() ?? '') : '',
      status:
        url.get().status === undefined ? AccessRequestStatus.UNSPECIFIED : statuses[url.get().status as StatusName],
    }),
    () => ({ enabled: props.tab !== 'mine' || me.id() !== undefined }),
  );
  const isFiltered = (): boolean => url.get().cluster !== undefined || url.get().status !== undefined;
  return (
    <Panel flush>
      <div class="flex flex-wrap items-center gap-x-5 gap-y-2 border-b border-line px-4 py-3">
        <Show when={props.tab !== 'review'}>
          <FilterSelect
            label="Status"
            value={url.get().status ?? ''}
            onValue={(status) => url.set({ status: status || undefined })}
            choices={(Object.keys(statuses) as StatusName[]).map((value) => ({
              value,
              text: value[0]?.toUpperCase() + value.slice(1),
            }))}
          />
        </Show>
        <FilterSelect
          label="Cluster"
          value={url.get().cluster ?? ''}
          onValue={(cluster) => url.set({ cluster: cluster || undefined })}
          choices={choicesOf(clusters.all())}
        />
      </div>
      <View
        query={pages.query}
        {...(props.tab === 'mine' ? { after: me.query } : {})}
        skeleton="rows"
        isEmpty={([first]) => first?.requests.length === 0}
        filtered={
          isFiltered()
            ? {
                what: 'No request matches these filters.',
                clear: () => url.set({ cluster: undefined, status: undefined }),
              }
            : undefined
        }
        empty={emptyWords(props.tab, props.ask)}
      >
        {(fetched) => {
          const requests = () => fetched().flatMap((page) => page.requests);
          return (
            <>
              <RequestTable name={tabNames[props.tab]} requests={requests()} showsWho={props.tab !== 'mine'} />
              <MoreRows pages={pages} shown={count(requests().length, 'request')} />
            </>
          );
        }}
      </View>
    </Panel>
  );
}
