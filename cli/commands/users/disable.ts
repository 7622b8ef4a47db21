/** `clustral users disable <user>`: keeps a person out, at once and everywhere. */
import { Option } from 'clipanion';
import { UserSchema, UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { usageOf } from '../../command-table.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { findUser, nameOfUser } from '../../lookup.ts';
import { printAnswer } from '../../output.ts';

export class UsersDisable extends ClustralCommand {
  static override paths = [['users', 'disable']];
  static override argumentHelp = { user: 'e-mail, user name or id' };
  static override usage = usageOf('users disable', {
    details: "All of the person's credentials and open streams end. Roles stay, for when the person is enabled again.",
  });
  user: string = Option.String({ name: 'user' });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const { id } = await findUser(session, this.user);
    const user = await session.client(UserService).disableUser({ userId: id });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(UserSchema, user),
      name: `user/${user.id}`,
      text: `${nameOfUser(user)} is disabled: nothing is let through any more\n`,
    });
    return exitCodes.ok;
  }
}
