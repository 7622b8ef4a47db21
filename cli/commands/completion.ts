/** `clustral completion <shell>`: prints the script that teaches a shell to complete this tool's commands. */
import { Option } from 'clipanion';
import { usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { refreshInBackground } from '../completion/refresh.ts';
import { scripts, shells } from '../completion/shells.ts';
import { CliError, exitCodes } from '../failure.ts';
import { currentAccount } from '../profile.ts';
import { visible } from '../text.ts';

export class Completion extends ClustralCommand {
  static override paths = [['completion']];
  static override argumentHelp = { shell: shells.join(', ') };
  static override usage = usageOf('completion', {
    details: shells.map((shell) => `${shell.padEnd(5)} ${scripts[shell].use}`).join('\n'),
    examples: [['For this session', 'clustral completion bash > /tmp/clustral.bash; . /tmp/clustral.bash']],
  });
  shell: string = Option.String({ name: 'shell' });

  async execute(): Promise<number> {
    const shell = shells.find((known) => known === this.shell);
    if (shell === undefined)
      throw new CliError(
        exitCodes.usage,
        `there is no completion for '${visible(this.shell)}'`,
        `use one of: ${shells.join(', ')}`,
      );
    this.context.stdout.write(scripts[shell].script);
    const profile = this.openProfile();
    refreshInBackground(this.context, { profile, account: currentAccount(profile) });
    return exitCodes.ok;
  }
}
