/** Who has asked for a cluster and who may use it for a while; for those who read everything, of everybody. */
import { Show, type JSX } from 'solid-js';
import { AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import type { Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { useMay } from '../data/app.ts';
import { useRpcPages } from '../data/rpc.ts';
import { Panel } from '../kit/Panel.tsx';
import { View } from '../kit/View.tsx';
import { count } from '../text/words.ts';
import { MoreRows } from './More.tsx';
import { RequestTable } from './RequestTable.tsx';

export function ClusterAccess(props: { readonly cluster: Cluster }): JSX.Element {
  const may = useMay();
  const pages = useRpcPages(AccessService.method.listAccessRequests, () => ({
    clusterId: props.cluster.id,
    pageSize: 50,
  }));
  return (
    <Panel title="Requests and grants" note={may.readAll() ? 'of everybody' : 'your own'} flush>
      <View
        query={pages.query}
        skeleton="rows"
        isEmpty={([first]) => first?.requests.length === 0}
        empty={{
          icon: 'key',
          title: 'Nobody has asked yet',
          text: 'Requests for access to this cluster and what became of them will stand here.',
          command: ['clustral access request', { value: props.cluster.name }, '--role <role> --for 1h'],
        }}
      >
        {(fetched) => (
          <>
            <RequestTable
              name="Requests"
              requests={fetched().flatMap(({ requests }) => requests)}
              showsWho={may.readAll()}
            />
            <Show when={pages.hasMore()}>
              <MoreRows pages={pages} shown={count(fetched().flatMap(({ requests }) => requests).length, 'request')} />
            </Show>
          </>
        )}
      </View>
    </Panel>
  );
}
