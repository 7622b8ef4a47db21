/** What one person asked for and what became of it. */
import type { JSX } from 'solid-js';
import { AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import type { User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { useRpc } from '../data/rpc.ts';
import { Panel } from '../kit/Panel.tsx';
import { View } from '../kit/View.tsx';
import { RequestTable } from './RequestTable.tsx';

export function PersonRequests(props: { readonly user: User }): JSX.Element {
  const requests = useRpc(AccessService.method.listAccessRequests, () => ({
    requesterId: props.user.id,
    pageSize: 20,
  }));
  return (
    <Panel title="Requests and grants" note="the latest 20" flush>
      <View
        query={requests}
        skeleton="rows"
        isEmpty={(answer) => answer.requests.length === 0}
        empty={{ icon: 'clock', title: 'Nothing asked for', text: 'Requests of this person will stand here.' }}
      >
        {(answer) => <RequestTable name="Requests of this person" requests={answer().requests} showsWho={false} />}
      </View>
    </Panel>
  );
}
