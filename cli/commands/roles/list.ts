/** `clustral roles list`: roles and the Kubernetes groups that they give. */
import { Option } from 'clipanion';
import { create } from '@bufbuild/protobuf';
import { ListRolesResponseSchema, RoleService, type Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { collect, wholeNumber } from '../../client.ts';
import { pathsOf } from '../../commands.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { printList, type Column } from '../../output.ts';

const columns: readonly Column<Role>[] = [
  { head: 'NAME', value: ({ name }) => name },
  { head: 'GROUPS', value: ({ k8sGroups }) => k8sGroups.join(', ') },
  { head: 'DESCRIPTION', value: ({ description }) => description || '-' },
  { head: 'ID', value: ({ id }) => id, wide: true },
];

export class RolesList extends ClustralCommand {
  static override paths = pathsOf('roles', 'list');
  static override usage = ClustralCommand.Usage({ category: 'Roles', description: 'list roles' });
  limit: string = Option.String('--limit', '100', { description: 'how many at most' });
  noHeaders: boolean = Option.Boolean('--no-headers', false);

  async execute(): Promise<number> {
    const format = this.format;
    const client = this.openSession().client(RoleService);
    const { items, more } = await collect(
      wholeNumber('--limit', this.limit, [1, 10_000]),
      async (pageToken, pageSize) => {
        const page = await client.listRoles({ pageToken, pageSize });
        return { items: page.roles, next: page.nextPageToken };
      },
    );
    const json = asJson(ListRolesResponseSchema, create(ListRolesResponseSchema, { roles: [...items] }));
    printList(this.context, {
      format,
      rows: items,
      columns,
      json,
      plural: 'roles',
      nameOf: ({ name }) => `role/${name}`,
      empty: 'No roles yet: clustral roles create <name> --group <group>',
      heads: !this.noHeaders,
    });
    if (more) this.say(`showing the first ${items.length}; --limit shows more`);
    return exitCodes.ok;
  }
}
