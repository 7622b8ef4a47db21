/** `clustral whoami`: who is signed in and for how long, from this machine's files alone. */
import { lifeOf } from '../account-choice.ts';
import { usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { exitCodes } from '../failure.ts';
import { printAnswer } from '../output.ts';
import { paint } from '../style.ts';
import { visible } from '../text.ts';

export class Whoami extends ClustralCommand {
  static override paths = [['whoami']];
  static override usage = usageOf('whoami');

  async execute(): Promise<number> {
    const { format } = this;
    const profile = this.openProfile();
    const { account } = this.signedIn(profile);
    const life = lifeOf(account, this.context.now());
    const dot = paint(this.context.color.stdout, life.isOver ? 'bad' : 'good', '●');
    const where = profile.name === 'default' ? '' : ` (profile: ${profile.name})`;
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
        sessionEndsAt: life.endsAt ?? null,
        renewable: account.refreshToken !== undefined,
      },
      name: `user/${account.displayName}`,
      text: `${dot} ${visible(account.displayName)} (${life.text})${where}\n`,
    });
    return life.isOver ? exitCodes.signInNeeded : exitCodes.ok;
  }
}
