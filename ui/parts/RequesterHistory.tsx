/** For whoever decides: what the requester had on this cluster before. */
import { Show, type JSX } from 'solid-js';
import { AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { useRpc } from '../data/rpc.ts';
import { Panel } from '../kit/Panel.tsx';
import { View } from '../kit/View.tsx';
import { visible } from '../text/untrusted.ts';
import { RequestTable } from './RequestTable.tsx';

export function RequesterHistory(props: { readonly request: AccessRequest }): JSX.Element {
  const earlier = useRpc(AccessService.method.listAccessRequests, () => ({
    clusterId: props.request.clusterId,
    requesterId: props.request.requesterId,
    pageSize: 20,
  }));
  const others = (requests: readonly AccessRequest[]): readonly AccessRequest[] =>
    requests.filter(({ id }) => id !== props.request.id);
  return (
    <Panel title={`Earlier requests of ${visible(props.request.requesterName)} here`} flush>
      <View query={earlier} skeleton="rows">
        {(answer) => (
          <Show
            when={others(answer().requests).length > 0}
            fallback={<p class="px-4 py-3 text-sm text-soft">This is the first one on this cluster.</p>}
          >
            <RequestTable name="Earlier requests" requests={others(answer().requests)} showsWho={false} />
          </Show>
        )}
      </View>
    </Panel>
  );
}
