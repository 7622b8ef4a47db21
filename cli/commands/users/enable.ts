/** `clustral users enable <user>`: lets a person in again. */
import { Option } from 'clipanion';
import { UserSchema, UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { usageOf } from '../../command-table.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { findUser, nameOfUser } from '../../lookup.ts';
import { printAnswer } from '../../output.ts';

export class UsersEnable extends ClustralCommand {
  static override paths = [['users', 'enable']];
  static override argumentHelp = { user: 'e-mail, user name or id' };
  static override usage = usageOf('users enable', {
    details: 'Roles are as they were. Credentials that ended stay ended.',
  });
  user: string = Option.String({ name: 'user' });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const { id } = await findUser(session, this.user);
    const user = await session.client(UserService).enableUser({ userId: id });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(UserSchema, user),
      name: `user/${user.id}`,
      text: `${nameOfUser(user)} is enabled again\n`,
    });
    return exitCodes.ok;
  }
}
