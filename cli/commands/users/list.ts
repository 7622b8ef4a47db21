/** `clustral users list`: the people who have signed in. */
import { Option } from 'clipanion';
import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { ListUsersResponseSchema, UserService, type User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { collect, wholeNumber } from '../../client.ts';
import { pathsOf } from '../../commands.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { printList, type Column } from '../../output.ts';
import { span } from '../../text.ts';

export class UsersList extends ClustralCommand {
  static override paths = pathsOf('users', 'list');
  static override usage = ClustralCommand.Usage({ category: 'Users', description: 'list people who have signed in' });
  limit: string = Option.String('--limit', '100', { description: 'how many at most' });
  noHeaders: boolean = Option.Boolean('--no-headers', false);

  async execute(): Promise<number> {
    const format = this.format;
    const client = this.openSession().client(UserService);
    const { items, more } = await collect(
      wholeNumber('--limit', this.limit, [1, 10_000]),
      async (pageToken, pageSize) => {
        const page = await client.listUsers({ pageToken, pageSize });
        return { items: page.users, next: page.nextPageToken };
      },
    );
    const now = this.context.now().getTime();
    const columns: readonly Column<User>[] = [
      { head: 'EMAIL', value: ({ email }) => email || '-' },
      { head: 'NAME', value: ({ name }) => name || '-' },
      { head: 'ROLES', value: ({ roles }) => roles.filter((role) => role.startsWith('clustral-')).join(', ') || '-' },
      {
        head: 'SIGNED IN',
        value: ({ lastSignInAt }) =>
          lastSignInAt === undefined ? '-' : `${span(now - timestampDate(lastSignInAt).getTime())} ago`,
      },
      { head: 'DISABLED', value: ({ disabled }) => (disabled ? 'yes' : 'no') },
      { head: 'ID', value: ({ id }) => id, wide: true },
      { head: 'KUBERNETES NAME', value: ({ kubernetesName }) => kubernetesName || '-', wide: true },
    ];
    const json = asJson(ListUsersResponseSchema, create(ListUsersResponseSchema, { users: [...items] }));
    printList(this.context, {
      format,
      rows: items,
      columns,
      json,
      plural: 'users',
      nameOf: ({ id }) => `user/${id}`,
      empty: 'Nobody has signed in yet.',
      heads: !this.noHeaders,
    });
    if (more) this.say(`showing the first ${items.length}; --limit shows more`);
    return exitCodes.ok;
  }
}
