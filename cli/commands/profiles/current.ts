/** `clustral profiles current`: the name of the profile in use. */
import { usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { printAnswer } from '../../output.ts';

export class ProfilesCurrent extends ClustralCommand {
  static override paths = [['profiles', 'current']];
  static override usage = usageOf('profiles current');

  async execute(): Promise<number> {
    const { format } = this;
    const { name, config } = this.openProfile();
    const { source, from } = this.setting('profile');
    await printAnswer(this.context, {
      format,
      json: { name, server: config?.server ?? null, source, ...(from === undefined ? {} : { from }) },
      name: `profile/${name}`,
      text: `${name}\n`,
    });
    return exitCodes.ok;
  }
}
