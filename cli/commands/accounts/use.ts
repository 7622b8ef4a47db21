/** `clustral accounts use <account>`: makes another kept account the profile's current one. Contexts stay with the account they were written for. */
import { Option } from 'clipanion';
import { chooseAccount, lifeOf } from '../../account-choice.ts';
import { usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { accountKey, accountsOf, nobody, saveProfile } from '../../profile.ts';
import { visible } from '../../text.ts';

export class AccountsUse extends ClustralCommand {
  static override paths = [['accounts', 'use']];
  static override argumentHelp = { account: 'e-mail, user name, or key' };
  static override usage = usageOf('accounts use', {
    details: 'kubeconfig contexts stay with the account that wrote them: clustral kube login writes them for this one.',
    examples: [['By e-mail', 'clustral accounts use dev@corp.com']],
  });
  name: string = Option.String({ name: 'account' });

  async execute(): Promise<number> {
    const profile = this.openProfile();
    const { config } = profile;
    if (config === undefined) throw nobody(profile);
    const account = chooseAccount(accountsOf(profile), this.name);
    if (account.server !== config.server)
      throw new CliError(
        exitCodes.conflict,
        `that account is of ${account.server}, and profile ${profile.name} is for ${config.server} now`,
        `clustral login ${account.server}`,
      );
    await saveProfile(profile, { ...config, account: accountKey(account) });
    this.say(`${visible(account.displayName)} is in use on ${config.server}.`);
    if (lifeOf(account, this.context.now()).isOver) this.warn('its session has ended: clustral login --force');
    return exitCodes.ok;
  }
}
