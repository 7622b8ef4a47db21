/** `clustral assignments add <user> <cluster> <role>`: gives a person a role on a cluster; an earlier one there is replaced. */
import { Option } from 'clipanion';
import { AssignmentSchema, UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { usageOf } from '../../command-table.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { findCluster, findRole, findUser, nameOfUser } from '../../lookup.ts';
import { printAnswer } from '../../output.ts';
import { visible } from '../../text.ts';

export class AssignmentsAdd extends ClustralCommand {
  static override paths = [['assignments', 'add']];
  static override argumentHelp = { user: 'e-mail, user name or id', cluster: 'name or id', role: 'name or id' };
  static override usage = usageOf('assignments add', {
    details: 'A person has one standing role per cluster: a new one replaces the earlier one.',
    examples: [['By names', 'clustral assignments add alice@example.com prod k8s-viewer']],
  });
  user: string = Option.String({ name: 'user' });
  cluster: string = Option.String({ name: 'cluster' });
  role: string = Option.String({ name: 'role' });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const [user, cluster, role] = await Promise.all([
      findUser(session, this.user),
      findCluster(session, this.cluster),
      findRole(session, this.role),
    ]);
    const assignment = await session
      .client(UserService)
      .assignRole({ userId: user.id, clusterId: cluster.id, roleId: role.id });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(AssignmentSchema, assignment),
      name: `assignment/${assignment.id}`,
      text: `${nameOfUser(user)} has ${visible(role.name)} on ${visible(cluster.name)}\n`,
    });
    return exitCodes.ok;
  }
}
