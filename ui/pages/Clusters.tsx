/** `/clusters`: every cluster, how its agent stands, and what is about to end. */
import { A } from '@solidjs/router';
import { Show, type JSX } from 'solid-js';
import { ClusterStatus, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { useApp, useMay } from '../data/app.ts';
import { oneOf, text } from '../data/parameters.ts';
import { useUrlState } from '../data/url-state.ts';
import { LinkButton } from '../kit/Button.tsx';
import { Figure, Panel } from '../kit/Panel.tsx';
import { Table, type Column } from '../kit/Table.tsx';
import { OrNone, Untrusted } from '../kit/Text.tsx';
import { Ago, Left, millis } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { ClusterStatusBadge, Labels } from '../parts/ClusterStatus.tsx';
import { FilterBox, FilterSelect } from '../parts/Filter.tsx';
import { useClusters } from '../parts/lists.ts';
import { Page } from '../shell/Page.tsx';
import { clusterPath } from '../text/paths.ts';
import { count } from '../text/words.ts';

const shape = { q: text, status: oneOf('connected', 'disconnected', 'pending') };
const statuses = {
  connected: ClusterStatus.CONNECTED,
  disconnected: ClusterStatus.DISCONNECTED,
  pending: ClusterStatus.PENDING,
};
/** A certificate that ends sooner is shown warm: the agent renews 30 days ahead, so something keeps it from that. */
const certificateNearMs = 14 * 86_400_000;

export function Clusters(): JSX.Element {
  const may = useMay();
  const clusters = useClusters();
  const url = useUrlState(shape);
  const shown = (): readonly Cluster[] => clusters.all().filter((cluster) => matches(cluster, url.get()));
  const isFiltered = (): boolean => url.get().q !== undefined || url.get().status !== undefined;
  const register = (
    <LinkButton href="/clusters/new" look="primary" icon="plus">
      Register a cluster
    </LinkButton>
  );
  return (
    <Page
      title="Clusters"
      lead="Each one dials out to Clustral through its agent; none has a way in from outside."
      actions={<Show when={may.administer()}>{register}</Show>}
      cli={[
        { does: 'This list', parts: ['clustral clusters list -o wide'] },
        { does: 'Register one', parts: ['clustral clusters register <name> --label env=prod'] },
      ]}
    >
      <Panel flush>
        <div class="flex flex-wrap items-center gap-x-5 gap-y-3 border-b border-line px-4 py-3">
          <FilterBox
            label="Filter clusters"
            value={url.get().q ?? ''}
            onValue={(q) => url.set({ q: q || undefined }, { replace: true })}
          />
          <FilterSelect
            label="Agent"
            value={url.get().status ?? ''}
            onValue={(status) => url.set({ status: status || undefined })}
            choices={[
              { value: 'connected', text: 'Connected' },
              { value: 'disconnected', text: 'Disconnected' },
              { value: 'pending', text: 'Waiting for its agent' },
            ]}
          />
          <Show when={clusters.all().length > 0}>
            <Figures clusters={clusters.all()} />
          </Show>
        </div>
        <View
          query={clusters.query}
          skeleton="rows"
          isEmpty={() => shown().length === 0}
          filtered={
            isFiltered() && clusters.all().length > 0
              ? {
                  what: `No cluster matches. There ${clusters.all().length === 1 ? 'is' : 'are'} ${count(clusters.all().length, 'cluster')} without filters.`,
                  clear: () => url.set({ q: undefined, status: undefined }),
                }
              : undefined
          }
          empty={{
            icon: 'server',
            title: 'No cluster yet',
            text: 'A cluster is registered here and gets a one-time token. Its agent redeems the token and dials out; nothing has to be opened towards it.',
            ...(may.administer() ? { action: register } : {}),
            command: ['clustral clusters register <name>'],
          }}
        >
          {() => <Table name="Clusters" items={shown()} keyOf={({ id }) => id} columns={columns} />}
        </View>
      </Panel>
    </Page>
  );
}

function matches(
  cluster: Cluster,
  { q, status }: { readonly q: string | undefined; readonly status: keyof typeof statuses | undefined },
): boolean {
  if (status !== undefined && cluster.status !== statuses[status]) return false;
  const words = [
    cluster.name,
    cluster.description,
    ...Object.entries(cluster.labels).map(([key, value]) => `${key}=${value}`),
  ];
  return q === undefined || words.join(' ').toLowerCase().includes(q.toLowerCase());
}

function Figures(props: { readonly clusters: readonly Cluster[] }): JSX.Element {
  const amount = (status: ClusterStatus): number =>
    props.clusters.filter((cluster) => cluster.status === status).length;
  return (
    <dl class="ml-auto flex gap-6 text-right max-sm:hidden">
      <Figure name="Connected" value={`${amount(ClusterStatus.CONNECTED)} of ${props.clusters.length}`} />
      <Figure name="Disconnected" value={amount(ClusterStatus.DISCONNECTED)} />
    </dl>
  );
}

const columns: readonly Column<Cluster>[] = [
  {
    head: 'Cluster',
    cell: (cluster) => (
      <>
        <A class="row-link font-medium" href={clusterPath(cluster().name)}>
          <Untrusted text={cluster().name} />
        </A>
        <Show when={cluster().description !== ''}>
          <div class="line-clamp-1 text-xs text-soft">
            <Untrusted text={cluster().description} />
          </div>
        </Show>
      </>
    ),
  },
  { head: 'Agent', cell: (cluster) => <ClusterStatusBadge status={cluster().status} /> },
  {
    head: 'Last heard',
    cell: (cluster) => (
      <span class="text-soft">
        <Ago at={cluster().lastSeenAt} />
      </span>
    ),
  },
  {
    head: 'Round trip',
    atEnd: true,
    isEmpty: ({ roundTripMs }) => roundTripMs === 0,
    cell: (cluster) => <RoundTrip ms={cluster().roundTripMs} />,
  },
  {
    head: 'Kubernetes',
    isEmpty: ({ kubernetesVersion }) => kubernetesVersion === '',
    cell: (cluster) => (
      <span class="font-mono text-xs">
        <OrNone text={cluster().kubernetesVersion} none="unknown" />
      </span>
    ),
  },
  {
    head: 'Certificate',
    isEmpty: ({ certificateExpiresAt }) => !certificateExpiresAt,
    cell: (cluster) => <Certificate cluster={cluster()} />,
  },
  {
    head: 'Labels',
    isEmpty: ({ labels }) => Object.keys(labels).length === 0,
    cell: (cluster) => <Labels cluster={cluster()} />,
  },
];

export function RoundTrip(props: { readonly ms: number }): JSX.Element {
  return (
    <Show when={props.ms > 0} fallback={<span class="text-faint">–</span>}>
      <span class="tabular-nums">{props.ms < 10 ? props.ms.toFixed(1) : Math.round(props.ms)} ms</span>
    </Show>
  );
}

export function Certificate(props: { readonly cluster: Cluster }): JSX.Element {
  const { clock } = useApp();
  const isNear = (): boolean =>
    props.cluster.certificateExpiresAt !== undefined &&
    millis(props.cluster.certificateExpiresAt) - clock.now() < certificateNearMs;
  return (
    <Show when={props.cluster.certificateExpiresAt} fallback={<span class="text-faint">none yet</span>}>
      {(until) => (
        <span class={isNear() ? 'font-medium text-warn' : 'text-soft'}>
          <Left until={until()} />
          {isNear() ? ', not renewed' : ''}
        </span>
      )}
    </Show>
  );
}
