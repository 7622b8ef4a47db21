/** `clustral roles create <name> --group <group>`: a name for a list of Kubernetes groups. */
import { Option } from 'clipanion';
import { RoleSchema, RoleService } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { pathsOf } from '../../commands.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { printObject } from '../../output.ts';
import { visible } from '../../text.ts';

export class RolesCreate extends ClustralCommand {
  static override paths = pathsOf('roles', 'create');
  static override usage = ClustralCommand.Usage({
    category: 'Roles',
    description: 'create a role',
    examples: [['One group per --group', '$0 roles create sre --group platform:sre --group clustral:viewers']],
  });
  name: string = Option.String({ name: 'name' });
  groups: string[] = Option.Array('--group', [], {
    description: 'Kubernetes group that a holder gets, may be repeated',
  });
  description: string = Option.String('--description', '', { description: 'what it is for' });

  async execute(): Promise<number> {
    const format = this.format;
    const role = await this.openSession()
      .client(RoleService)
      .createRole({ name: this.name, description: this.description, k8sGroups: this.groups });
    if (format !== 'table') printObject(this.context, format, asJson(RoleSchema, role));
    else this.context.stdout.write(`role/${visible(role.name)} created\n`);
    if (role.k8sGroups.includes('system:masters'))
      this.say('warning: system:masters may do anything in a cluster, whatever its RBAC says.');
    return exitCodes.ok;
  }
}
