/** `clustral whoami`: who is signed in and for how long, from this machine's files alone. */
import { usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { exitCodes } from '../failure.ts';
import { printAnswer } from '../output.ts';
import { requireAccount } from '../profile.ts';
import { span, visible } from '../text.ts';

export class Whoami extends ClustralCommand {
  static override paths = [['whoami']];
  static override usage = usageOf('whoami');

  async execute(): Promise<number> {
    const { format } = this;
    const profile = this.openProfile();
    const { account } = requireAccount(profile);
    const left = Date.parse(account.accessTokenExpiresAt) - this.context.now().getTime();
    const renewable = account.refreshToken !== undefined;
    const how = renewable
      ? 'the session renews itself'
      : left > 0
        ? `signed in for ${span(left)}`
        : 'the session has ended';
    const where = profile.name === 'default' ? '' : `, profile ${profile.name}`;
    await printAnswer(this.context, {
      format,
      json: {
        user: account.displayName,
        name: account.name,
        server: account.server,
        issuer: account.issuer,
        subject: account.subject,
        profile: profile.name,
        accessTokenExpiresAt: account.accessTokenExpiresAt,
        renewable,
      },
      name: `user/${account.displayName}`,
      text: `${visible(account.displayName)} on ${visible(account.server)} (${how}${where})\n`,
    });
    return left > 0 || renewable ? exitCodes.ok : exitCodes.signInNeeded;
  }
}
