/** The clusters that a person cannot reach at the moment, each with a way to ask. */
import { A } from '@solidjs/router';
import { Show, type JSX } from 'solid-js';
import { AccessRequestStatus, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import type { Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import type { Access } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { TextLink } from '../kit/Button.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Table } from '../kit/Table.tsx';
import { OrNone, Untrusted } from '../kit/Text.tsx';
import { clusterPath } from '../text/paths.ts';
import { AskButton } from './AskButton.tsx';
import type { AskFor } from './AskDialog.tsx';
import { ClusterStatusBadge } from './ClusterStatus.tsx';
import { useClusters } from './lists.ts';

type OthersProps = {
  readonly reached: readonly Access[];
  readonly pending: readonly AccessRequest[];
  readonly ask: (asking: AskFor) => void;
};

export function OtherClusters(props: OthersProps): JSX.Element {
  const clusters = useClusters();
  const others = (): readonly Cluster[] =>
    clusters.all().filter(({ id }) => !props.reached.some(({ clusterId }) => clusterId === id));
  const isAsked = (clusterId: string): boolean =>
    props.pending.some((request) => request.clusterId === clusterId && request.status === AccessRequestStatus.PENDING);
  return (
    <Show when={others().length > 0}>
      <Panel
        title="Other clusters"
        note="not yours at the moment"
        flush
        actions={
          <TextLink class="text-xs" href="/clusters">
            All clusters
          </TextLink>
        }
      >
        <Table
          name="Clusters you cannot reach"
          items={others()}
          keyOf={({ id }) => id}
          columns={[
            {
              head: 'Cluster',
              cell: (cluster) => (
                <A class="row-link font-medium" href={clusterPath(cluster().name)}>
                  <Untrusted text={cluster().name} />
                </A>
              ),
            },
            {
              head: 'Description',
              cell: (cluster) => (
                <span class="text-soft">
                  <OrNone text={cluster().description} />
                </span>
              ),
            },
            { head: 'Agent', cell: (cluster) => <ClusterStatusBadge status={cluster().status} /> },
            {
              head: '',
              atEnd: true,
              cell: (cluster) => (
                <Show when={!isAsked(cluster().id)} fallback={<span class="text-xs text-soft">Asked for</span>}>
                  <AskButton isSmall ask={() => props.ask({ clusterId: cluster().id })} />
                </Show>
              ),
            },
          ]}
        />
      </Panel>
    </Show>
  );
}
