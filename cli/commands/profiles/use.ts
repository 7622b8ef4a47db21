/** `clustral profiles use <profile>`: makes a profile the one in use until another one is chosen. */
import { Option } from 'clipanion';
import { usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { currentAccount, profileNamed } from '../../profile.ts';
import { defaultProfile, requireProfile } from '../../profiles.ts';
import { saveSetting } from '../../settings.ts';
import { visible } from '../../text.ts';

export class ProfilesUse extends ClustralCommand {
  static override paths = [['profiles', 'use']];
  static override argumentHelp = { profile: 'its name' };
  static override usage = usageOf('profiles use', {
    examples: [
      ['Another one', 'clustral profiles use staging'],
      ['Back to the one that is always there', 'clustral profiles use default'],
    ],
  });
  name: string = Option.String({ name: 'profile' });

  async execute(): Promise<number> {
    const { home } = this.context;
    requireProfile(home, this.name);
    const profile = profileNamed(home, this.name);
    await saveSetting(home, 'profile', profile.name === defaultProfile ? undefined : profile.name);
    const account = currentAccount(profile);
    this.say(
      account === undefined || profile.config === undefined
        ? `Profile ${profile.name} is in use; nobody is signed in there yet: clustral login ${profile.config?.server ?? '<host>'}`
        : `Profile ${profile.name} is in use: ${visible(account.displayName)} on ${profile.config.server}.`,
    );
    const wins = this.context.env['CLUSTRAL_PROFILE'];
    if (wins && wins !== profile.name)
      this.warn(`CLUSTRAL_PROFILE is ${visible(wins)} and wins over it: unset CLUSTRAL_PROFILE`);
    return exitCodes.ok;
  }
}
