/** `clustral accounts remove <account>`: signs one account out and forgets it, whether it is the current one or not. */
import { Option } from 'clipanion';
import { chooseAccount } from '../../account-choice.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { kubeconfigFiles } from '../../kubeconfig.ts';
import { accountKey, accountsOf } from '../../profile.ts';
import { signOut } from '../../sign-out.ts';

export class AccountsRemove extends ClustralCommand {
  static override paths = [['accounts', 'remove']];
  static override argumentHelp = { account: 'e-mail, user name, or key' };
  static override usage = usageOf('accounts remove', {
    examples: [['By e-mail', 'clustral accounts remove dev@corp.com']],
  });
  name: string = Option.String({ name: 'account' });
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'kubeconfig file to clean'));

  async execute(): Promise<number> {
    const profile = this.openProfile();
    const account = chooseAccount(accountsOf(profile), this.name);
    const isClean = await signOut({
      profile,
      accounts: [account],
      kubeconfigs: kubeconfigFiles(this.kubeconfig, this.context.env),
      call: await this.callOptions(),
      say: (line) => this.say(line),
      warn: (line) => this.warn(line),
    });
    const wasCurrent = accountKey(account) === profile.config?.account;
    if (wasCurrent && accountsOf(profile).length > 0)
      this.say('No account is in use now: clustral accounts list, clustral accounts use.');
    return isClean ? exitCodes.ok : exitCodes.failed;
  }
}
