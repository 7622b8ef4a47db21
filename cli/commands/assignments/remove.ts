/** `clustral assignments remove <user> <cluster>`: takes a person's role on a cluster away; the next request is refused. */
import { Option } from 'clipanion';
import { AssignmentSchema, UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { usageOf } from '../../command-table.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { findCluster, findUser, nameOfUser } from '../../lookup.ts';
import { printAnswer } from '../../output.ts';
import { visible } from '../../text.ts';

export class AssignmentsRemove extends ClustralCommand {
  static override paths = [['assignments', 'remove']];
  static override argumentHelp = { user: 'e-mail, user name or id', cluster: 'name or id' };
  static override usage = usageOf('assignments remove', {
    details: 'The next request is refused, and what is open ends within seconds.',
    examples: [['By names', 'clustral assignments remove alice@example.com prod']],
  });
  user: string = Option.String({ name: 'user' });
  cluster: string = Option.String({ name: 'cluster' });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const [user, cluster] = await Promise.all([findUser(session, this.user), findCluster(session, this.cluster)]);
    const client = session.client(UserService);
    const { assignments } = await client.listAssignments({ userId: user.id });
    const found = assignments.find(({ clusterId }) => clusterId === cluster.id);
    const who = nameOfUser(user);
    if (!found)
      throw new CliError(
        exitCodes.notFound,
        `${who} has no standing role on ${visible(cluster.name)}`,
        `clustral assignments list ${who}`,
      );
    await client.unassignRole({ userId: user.id, assignmentId: found.id });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(AssignmentSchema, found),
      name: `assignment/${found.id}`,
      text: `${who} no longer has ${visible(found.roleName)} on ${visible(cluster.name)}\n`,
    });
    return exitCodes.ok;
  }
}
