/** `clustral assignments add <user> <cluster> <role>`: gives a person a role on a cluster; an earlier one there is replaced. */
import { Option } from 'clipanion';
import { AssignmentSchema, UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { pathsOf } from '../../commands.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { findCluster, findRole, findUser } from '../../lookup.ts';
import { printObject } from '../../output.ts';
import { visible } from '../../text.ts';

export class AssignmentsAdd extends ClustralCommand {
  static override paths = pathsOf('assignments', 'add');
  static override usage = ClustralCommand.Usage({
    category: 'Assignments',
    description: 'give a person a role on a cluster',
    examples: [['By names', '$0 assignments add alice@example.com prod k8s-viewer']],
  });
  user: string = Option.String({ name: 'user' });
  cluster: string = Option.String({ name: 'cluster' });
  role: string = Option.String({ name: 'role' });

  async execute(): Promise<number> {
    const format = this.format;
    const session = this.openSession();
    const [user, cluster, role] = await Promise.all([
      findUser(session, this.user),
      findCluster(session, this.cluster),
      findRole(session, this.role),
    ]);
    const assignment = await session
      .client(UserService)
      .assignRole({ userId: user.id, clusterId: cluster.id, roleId: role.id });
    if (format !== 'table') printObject(this.context, format, asJson(AssignmentSchema, assignment));
    else
      this.context.stdout.write(
        `${visible(user.email || user.preferredUsername || user.id)} has ${visible(role.name)} on ${visible(cluster.name)}\n`,
      );
    return exitCodes.ok;
  }
}
