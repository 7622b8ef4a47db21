/** `clustral assignments remove <user> <cluster>`: takes a person's role on a cluster away; the next request is refused. */
import { Option } from 'clipanion';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { pathsOf } from '../../commands.ts';
import { ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { findCluster, findUser } from '../../lookup.ts';
import { visible } from '../../text.ts';

export class AssignmentsRemove extends ClustralCommand {
  static override paths = pathsOf('assignments', 'remove');
  static override usage = ClustralCommand.Usage({
    category: 'Assignments',
    description: "take a person's role on a cluster away",
    examples: [['By names', '$0 assignments remove alice@example.com prod']],
  });
  user: string = Option.String({ name: 'user' });
  cluster: string = Option.String({ name: 'cluster' });

  async execute(): Promise<number> {
    const session = this.openSession();
    const [user, cluster] = await Promise.all([findUser(session, this.user), findCluster(session, this.cluster)]);
    const client = session.client(UserService);
    const { assignments } = await client.listAssignments({ userId: user.id });
    const found = assignments.find(({ clusterId }) => clusterId === cluster.id);
    const who = visible(user.email || user.preferredUsername || user.id);
    if (!found)
      throw new CliError(
        exitCodes.notFound,
        `${who} has no standing role on ${visible(cluster.name)}`,
        'clustral users list',
      );
    await client.unassignRole({ userId: user.id, assignmentId: found.id });
    this.context.stdout.write(`${who} no longer has ${visible(found.roleName)} on ${visible(cluster.name)}\n`);
    return exitCodes.ok;
  }
}
