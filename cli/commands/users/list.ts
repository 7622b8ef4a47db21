/** `clustral users list`: the people who have signed in. */
import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { ListUsersResponseSchema, UserService, type User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { usageOf } from '../../command-table.ts';
import { asJson } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { PagedCommand } from '../../list-command.ts';
import { collect } from '../../paging.ts';
import type { Column } from '../../table.ts';
import { span } from '../../text.ts';

const columnsAt = (now: number): readonly Column<User>[] => [
  { head: 'USER', value: ({ email, preferredUsername }) => email || preferredUsername || '-' },
  { head: 'NAME', value: ({ name }) => name || '-' },
  { head: 'ROLES', value: ({ roles }) => roles.filter((role) => role.startsWith('clustral-')).join(', ') || '-' },
  {
    head: 'SIGNED IN',
    value: ({ lastSignInAt: at }) => (at === undefined ? '-' : `${span(now - timestampDate(at).getTime())} ago`),
  },
  {
    head: 'STATE',
    value: ({ disabled }) => (disabled ? 'disabled' : 'enabled'),
    tone: ({ disabled }) => (disabled ? 'bad' : undefined),
  },
  { head: 'KUBERNETES NAME', value: ({ kubernetesName }) => kubernetesName || '-', wide: true },
  { head: 'ISSUER', value: ({ issuer }) => issuer, wide: true },
  { head: 'ID', value: ({ id }) => id, wide: true },
];

export class UsersList extends PagedCommand {
  static override paths = [['users', 'list']];
  static override usage = usageOf('users list');

  async execute(): Promise<number> {
    const { limitNumber } = this;
    const client = (await this.openSession()).client(UserService);
    const { items, next } = await collect(limitNumber, async (pageToken, pageSize) => {
      const page = await client.listUsers({ pageToken, pageSize });
      return { items: page.users, next: page.nextPageToken };
    });
    const message = create(ListUsersResponseSchema, { users: [...items], nextPageToken: next });
    await this.printRows({
      rows: items,
      columns: columnsAt(this.context.now().getTime()),
      json: await asJson(ListUsersResponseSchema, message),
      plural: 'users',
      nameOf: ({ id }) => `user/${id}`,
      empty: 'Nobody has signed in yet.',
    });
    this.sayWhatIsLeft({ shown: items.length, next });
    return exitCodes.ok;
  }
}
