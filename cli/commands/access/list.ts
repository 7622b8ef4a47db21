/** `clustral access list`: requests and grants, newest first: one's own, for administrators and auditors all; or what one may decide. */
import { Option } from 'clipanion';
import { create } from '@bufbuild/protobuf';
import {
  AccessService,
  ListAccessRequestsResponseSchema,
  type ListAccessRequestsRequest,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { columnsFor, shortestOf, statusNamed } from '../../access/request-words.ts';
import type { Session } from '../../client.ts';
import { flag, usageOf } from '../../command-table.ts';
import { asJson } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { PagedCommand } from '../../list-command.ts';
import { findCluster } from '../../lookup.ts';
import { collect } from '../../paging.ts';

const wholeId = 36;

export class AccessList extends PagedCommand {
  static override paths = [['access', 'list']];
  static override usage = usageOf('access list', {
    details: 'On a terminal ids are shortened; their beginning is enough for every command that takes one.',
    examples: [
      ['What waits for your decision', 'clustral access list --to-decide'],
      ['For scripts', `clustral access list -o json | jq '.requests[] | select(.status == "Pending")'`],
    ],
  });
  status: string | undefined = Option.String(
    '--status',
    flag('WORD', 'pending, approved, denied, revoked, expired or withdrawn'),
  );
  cluster: string | undefined = Option.String('--cluster', flag('CLUSTER', 'name or id'));
  toDecide: boolean = Option.Boolean('--to-decide', false, flag('', 'only what waits for your decision'));
  mine: boolean = Option.Boolean('--mine', false, flag('', 'your own only'));

  async execute(): Promise<number> {
    const { limitNumber } = this;
    const status = this.status === undefined ? undefined : statusNamed(this.status);
    const session = await this.openSession();
    const { toDecide } = this;
    const filter = { ...(status === undefined ? {} : { status }), toDecide, ...(await this.filter(session)) };
    const client = session.client(AccessService);
    const { items, next } = await collect(limitNumber, async (pageToken, pageSize) => {
      const page = await client.listAccessRequests({ ...filter, pageToken, pageSize });
      return { items: page.requests, next: page.nextPageToken };
    });
    const message = create(ListAccessRequestsResponseSchema, { requests: [...items], nextPageToken: next });
    const isShort = this.context.isTerminal && this.format !== 'wide';
    await this.printRows({
      rows: items,
      columns: columnsFor({
        now: this.context.now().getTime(),
        shortest: isShort ? shortestOf(items.map(({ id }) => id)) : wholeId,
      }),
      json: await asJson(ListAccessRequestsResponseSchema, message),
      plural: 'requests',
      nameOf: ({ id }) => `request/${id}`,
      empty: 'No requests match: clustral access request <cluster> makes one.',
    });
    this.sayWhatIsLeft({ shown: items.length, next });
    return exitCodes.ok;
  }

  private async filter(
    session: Session,
  ): Promise<Partial<Pick<ListAccessRequestsRequest, 'clusterId' | 'requesterId'>>> {
    const [cluster, me] = await Promise.all([
      this.cluster === undefined ? undefined : findCluster(session, this.cluster),
      this.mine ? session.client(UserService).getMe({}) : undefined,
    ]);
    return {
      ...(cluster === undefined ? {} : { clusterId: cluster.id }),
      ...(me?.user === undefined ? {} : { requesterId: me.user.id }),
    };
  }
}
