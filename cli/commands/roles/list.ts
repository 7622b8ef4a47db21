/** `clustral roles list`: roles and the Kubernetes groups that they give. */
import { create } from '@bufbuild/protobuf';
import { ListRolesResponseSchema, RoleService, type Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { reviewWords } from '../../access/review-words.ts';
import { usageOf } from '../../command-table.ts';
import { asJson } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { PagedCommand } from '../../list-command.ts';
import { collect } from '../../paging.ts';
import type { Column } from '../../table.ts';

const columns: readonly Column<Role>[] = [
  { head: 'NAME', value: ({ name }) => name },
  { head: 'GROUPS', value: ({ k8sGroups }) => k8sGroups.join(', ') },
  { head: 'ID', value: ({ id }) => id, wide: true },
  { head: 'REVIEW', value: ({ review }) => reviewWords(review), wide: true },
  { head: 'DESCRIPTION', value: ({ description }) => description || '-' },
];

export class RolesList extends PagedCommand {
  static override paths = [['roles', 'list']];
  static override usage = usageOf('roles list');

  async execute(): Promise<number> {
    const { limitNumber } = this;
    const client = (await this.openSession()).client(RoleService);
    const { items, next } = await collect(limitNumber, async (pageToken, pageSize) => {
      const page = await client.listRoles({ pageToken, pageSize });
      return { items: page.roles, next: page.nextPageToken };
    });
    const message = create(ListRolesResponseSchema, { roles: [...items], nextPageToken: next });
    await this.printRows({
      rows: items,
      columns,
      json: await asJson(ListRolesResponseSchema, message),
      plural: 'roles',
      nameOf: ({ name }) => `role/${name}`,
      empty: 'No roles yet: clustral roles create <name> --group <group>',
    });
    this.sayWhatIsLeft({ shown: items.length, next });
    return exitCodes.ok;
  }
}
