/** `clustral assignments list <user>`: the standing roles of a person, one per cluster at most. */
import { Option } from 'clipanion';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import {
  ListAssignmentsResponseSchema,
  UserService,
  type Assignment,
} from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { usageOf } from '../../command-table.ts';
import { asJson } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { ListCommand } from '../../list-command.ts';
import { findUser, nameOfUser } from '../../lookup.ts';
import type { Column } from '../../table.ts';
import { span } from '../../text.ts';

const columnsAt = (now: number): readonly Column<Assignment>[] => [
  { head: 'CLUSTER', value: ({ clusterName }) => clusterName },
  { head: 'ROLE', value: ({ roleName }) => roleName },
  {
    head: 'AGE',
    value: ({ assignedAt: at }) => (at === undefined ? '-' : span(now - timestampDate(at).getTime())),
  },
  { head: 'BY', value: ({ assignedBy }) => assignedBy || '-' },
  { head: 'ID', value: ({ id }) => id, wide: true },
];

export class AssignmentsList extends ListCommand {
  static override paths = [['assignments', 'list']];
  static override argumentHelp = { user: 'e-mail, user name or id' };
  static override usage = usageOf('assignments list');
  user: string = Option.String({ name: 'user' });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const user = await findUser(session, this.user);
    const answer = await session.client(UserService).listAssignments({ userId: user.id });
    await this.printRows({
      rows: answer.assignments,
      columns: columnsAt(this.context.now().getTime()),
      json: await asJson(ListAssignmentsResponseSchema, answer),
      plural: 'assignments',
      nameOf: ({ id }) => `assignment/${id}`,
      empty: `${nameOfUser(user)} has no standing role on a cluster.`,
    });
    return exitCodes.ok;
  }
}
