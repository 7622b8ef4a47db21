/**
 * `clustral profiles delete <profile>`: signs everybody of the profile out as `logout --all` does, kubeconfig contexts included, because without the profile
 * they lead nowhere, then takes its files away.
 */
import { Option } from 'clipanion';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { kubeconfigFiles } from '../../kubeconfig.ts';
import { defaultProfile, readableProfile, removeProfile, requireProfile } from '../../profiles.ts';
import { signOut } from '../../sign-out.ts';

export class ProfilesDelete extends ClustralCommand {
  static override paths = [['profiles', 'delete']];
  static override argumentHelp = { profile: 'its name' };
  static override usage = usageOf('profiles delete', {
    details:
      'Signs its accounts out first: their credentials are revoked as far as the server can be reached, and their\nkubeconfig contexts removed. The profile in use is replaced by default, which cannot be deleted.',
    examples: [['One that is no longer needed', 'clustral profiles delete staging']],
  });
  name: string = Option.String({ name: 'profile' });
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'kubeconfig file to clean'));

  async execute(): Promise<number> {
    if (this.name === defaultProfile)
      throw new CliError(
        exitCodes.usage,
        "the profile 'default' cannot be deleted",
        'clustral logout --all empties it',
      );
    const { home } = this.context;
    requireProfile(home, this.name);
    const { profile, accounts } = readableProfile(home, this.name);
    const isClean = await signOut({
      profile,
      accounts,
      kubeconfigs: kubeconfigFiles(this.kubeconfig, this.context.env),
      call: await this.callOptions(),
      say: (line) => this.say(line),
      warn: (line) => this.warn(line),
    });
    const wasCurrent = await removeProfile(home, profile);
    this.say(`Deleted profile ${profile.name}.${wasCurrent ? ` Profile ${defaultProfile} is in use.` : ''}`);
    return isClean ? exitCodes.ok : exitCodes.failed;
  }
}
