/** `clustral logout`: signs the account out, or with `--all` every account of the profile. */
import { Option } from 'clipanion';
import { flag, usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { exitCodes } from '../failure.ts';
import { kubeconfigFiles } from '../kubeconfig.ts';
import { accountsOf, currentAccount, type Account, type Profile } from '../profile.ts';
import { signOut } from '../sign-out.ts';
import { visible } from '../text.ts';

export class Logout extends ClustralCommand {
  static override paths = [['logout']];
  static override usage = usageOf('logout', {
    examples: [
      ['The current account', 'clustral logout'],
      ['Everybody who signed in to this profile', 'clustral logout --all'],
    ],
  });
  all: boolean = Option.Boolean('--all', false, flag('', 'every account of the profile'));
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'kubeconfig file to clean'));

  async execute(): Promise<number> {
    const profile = this.openProfile();
    const accounts = this.leaving(profile);
    if (accounts.length === 0) {
      this.say('Nobody is signed in.');
      return exitCodes.ok;
    }
    const isClean = await signOut({
      profile,
      accounts,
      kubeconfigs: kubeconfigFiles(this.kubeconfig, this.context.env),
      call: await this.callOptions(),
      say: (line) => this.say(line),
      warn: (line) => this.warn(line),
    });
    const [other] = accountsOf(profile);
    if (other !== undefined)
      this.say(`Still kept: ${visible(other.displayName)} (clustral accounts use, or clustral logout --all).`);
    return isClean ? exitCodes.ok : exitCodes.failed;
  }

  private leaving(profile: Profile): readonly Account[] {
    if (this.all) return accountsOf(profile);
    if (this.account !== undefined) return [this.signedIn(profile).account];
    const current = currentAccount(profile);
    return current === undefined ? [] : [current];
  }
}
