/** `clustral whoami`: who is signed in and for how long, from this machine's files alone. */
import { ClustralCommand } from '../command.ts';
import { exitCodes } from '../failure.ts';
import { printObject } from '../output.ts';
import { requireAccount } from '../profile.ts';
import { span, visible } from '../text.ts';

export class Whoami extends ClustralCommand {
  static override paths = [['whoami']];
  static override usage = ClustralCommand.Usage({ category: 'Session', description: 'show who is signed in' });

  async execute(): Promise<number> {
    const profile = this.openProfile();
    const { account } = requireAccount(profile);
    const left = Date.parse(account.accessTokenExpiresAt) - this.context.now().getTime();
    const renews = account.refreshToken !== undefined;
    if (this.format !== 'table') {
      printObject(this.context, this.format, {
        user: account.displayName,
        name: account.name,
        server: account.server,
        issuer: account.issuer,
        subject: account.subject,
        profile: profile.name,
        accessTokenExpiresAt: account.accessTokenExpiresAt,
        renewable: renews,
      });
      return exitCodes.ok;
    }
    const validity =
      left > 0
        ? `token valid for ${span(left)}${renews ? ', renewed by itself' : ''}`
        : renews
          ? 'token renewed at the next call'
          : 'session ended';
    this.context.stdout.write(
      `${visible(account.displayName)} on ${account.server} (${validity}, profile ${profile.name})\n`,
    );
    return left > 0 || renews ? exitCodes.ok : exitCodes.signInNeeded;
  }
}
