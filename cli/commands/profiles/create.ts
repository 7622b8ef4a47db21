/** `clustral profiles create <profile>`: makes an empty profile; signing in fills it. */
import { Option } from 'clipanion';
import { usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { createProfile } from '../../profiles.ts';

export class ProfilesCreate extends ClustralCommand {
  static override paths = [['profiles', 'create']];
  static override argumentHelp = { profile: 'lower-case letters, digits, dots, dashes' };
  static override usage = usageOf('profiles create', {
    examples: [['One for each environment', 'clustral profiles create staging']],
  });
  name: string = Option.String({ name: 'profile' });

  async execute(): Promise<number> {
    const { name } = createProfile(this.context.home, this.name);
    this.say(`Created profile ${name}.\n  next: clustral profiles use ${name}`);
    return exitCodes.ok;
  }
}
