/** `/clusters/:cluster`: one cluster by name: its agent, who has access to it, what happened lately, and what an administrator can do. */
import { useParams } from '@solidjs/router';
import { createSignal, Match, Show, Switch, type JSX } from 'solid-js';
import { ClusterService, type Cluster as ClusterMessage } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { useMay } from '../data/app.ts';
import { oneOf } from '../data/parameters.ts';
import { answerOf, useRpc } from '../data/rpc.ts';
import { useUrlState } from '../data/url-state.ts';
import { LinkButton } from '../kit/Button.tsx';
import { Id } from '../kit/Copy.tsx';
import { Facts, Panel } from '../kit/Panel.tsx';
import { Tabs, type Tab } from '../kit/Tabs.tsx';
import { OrNone } from '../kit/Text.tsx';
import { Ago, Instant } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { AskButton } from '../parts/AskButton.tsx';
import { AskDialog, type AskFor } from '../parts/AskDialog.tsx';
import { ClusterAccess } from '../parts/ClusterAccess.tsx';
import { ClusterActs } from '../parts/ClusterActs.tsx';
import { ClusterStatusBadge, Labels } from '../parts/ClusterStatus.tsx';
import { RecentEvents } from '../parts/RecentEvents.tsx';
import { Page, type CliLine } from '../shell/Page.tsx';
import { auditPath, clusterPath, nameOf } from '../text/paths.ts';
import { Certificate, RoundTrip } from './Clusters.tsx';

const shape = { tab: oneOf('overview', 'access', 'activity') };

export function Cluster(): JSX.Element {
  const params = useParams<{ cluster: string }>();
  const name = (): string => nameOf(params.cluster);
  const may = useMay();
  const url = useUrlState(shape);
  const [asking, setAsking] = createSignal<AskFor>();
  const found = useRpc(ClusterService.method.listClusters, () => ({ name: name(), pageSize: 1 }));
  const cluster = (): ClusterMessage | undefined => answerOf(found)?.clusters[0];
  const tab = (): TabName => url.get().tab ?? 'overview';
  return (
    <Page
      title={name()}
      parent={{ href: '/clusters', name: 'Clusters' }}
      status={<Show when={cluster()}>{(there) => <ClusterStatusBadge status={there().status} />}</Show>}
      actions={
        <Show when={cluster()}>{(there) => <Acts cluster={there()} isReader={may.readAll()} ask={setAsking} />}</Show>
      }
      cli={commandsFor(name())}
    >
      <View
        query={found}
        isBare
        skeleton="facts"
        isEmpty={(answer) => answer.clusters.length === 0}
        empty={{
          icon: 'server',
          title: 'There is no cluster of this name',
          text: 'It may have been deleted or renamed. What happened on it is still in the audit log.',
          action: <LinkButton href="/clusters">All clusters</LinkButton>,
        }}
      >
        {() => (
          <Show when={cluster()}>
            {(there) => (
              <>
                <Tabs label="Parts of the cluster" tabs={tabsOf(name(), tab(), may.readAll())} />
                <Switch>
                  <Match when={tab() === 'overview'}>
                    <Overview cluster={there()} isAdmin={may.administer()} />
                  </Match>
                  <Match when={tab() === 'access'}>
                    <ClusterAccess cluster={there()} />
                  </Match>
                  <Match when={tab() === 'activity'}>
                    <RecentEvents
                      title="Latest events"
                      filter={{ clusterId: there().id }}
                      all={auditPath({ cluster: there().id })}
                    />
                  </Match>
                </Switch>
              </>
            )}
          </Show>
        )}
      </View>
      <AskDialog asking={asking()} close={() => setAsking(undefined)} />
    </Page>
  );
}

type TabName = 'overview' | 'access' | 'activity';
const tabNames: Readonly<Record<TabName, string>> = { overview: 'Overview', access: 'Access', activity: 'Activity' };

function tabsOf(name: string, here: TabName, isReader: boolean): readonly Tab[] {
  const shown: readonly TabName[] = isReader ? ['overview', 'access', 'activity'] : ['overview', 'access'];
  return shown.map((one) => ({
    href: one === 'overview' ? clusterPath(name) : `${clusterPath(name)}?tab=${one}`,
    name: tabNames[one],
    isHere: here === one,
  }));
}

function commandsFor(name: string): readonly CliLine[] {
  return [
    { does: 'Get a context for it', parts: ['clustral kube login', { value: name }] },
    {
      does: 'Ask for access for two hours',
      parts: ['clustral access request', { value: name }, '--role <role> --for 2h'],
    },
    { does: 'Requests and grants on it', parts: ['clustral access list --cluster', { value: name }] },
    { does: 'What happened on it', parts: ['clustral audit --cluster', { value: name }] },
  ];
}

function Acts(props: {
  readonly cluster: ClusterMessage;
  readonly isReader: boolean;
  readonly ask: (asking: AskFor) => void;
}): JSX.Element {
  return (
    <>
      <Show when={props.isReader}>
        <LinkButton icon="scroll" href={auditPath({ cluster: props.cluster.id })}>
          Open in audit
        </LinkButton>
      </Show>
      <AskButton ask={() => props.ask({ clusterId: props.cluster.id })} />
    </>
  );
}

function Overview(props: { readonly cluster: ClusterMessage; readonly isAdmin: boolean }): JSX.Element {
  return (
    <div class="grid items-start gap-4 lg:grid-cols-2">
      <Panel title="Agent">
        <Facts
          rows={[
            ['Status', <ClusterStatusBadge status={props.cluster.status} />],
            ['Last heard', <Ago at={props.cluster.lastSeenAt} />],
            ['Round trip', <RoundTrip ms={props.cluster.roundTripMs} />],
            [
              'Agent version',
              <span class="font-mono text-xs">
                <OrNone text={props.cluster.agentVersion} none="unknown" />
              </span>,
            ],
            [
              'Kubernetes',
              <span class="font-mono text-xs">
                <OrNone text={props.cluster.kubernetesVersion} none="unknown" />
              </span>,
            ],
            ['Certificate', <Certificate cluster={props.cluster} />],
          ]}
        />
      </Panel>
      <Panel title="Cluster">
        <Facts
          rows={[
            ['Description', <OrNone text={props.cluster.description} />],
            ['Labels', <Labels cluster={props.cluster} />],
            ['Registered', <Instant at={props.cluster.registeredAt} />],
            ['Id', <Id id={props.cluster.id} what="cluster id" />],
          ]}
        />
      </Panel>
      <Show when={props.isAdmin}>
        <ClusterActs cluster={props.cluster} />
      </Show>
    </div>
  );
}
