/** `clustral config clean`: takes everything of this tool off the machine, after a question or `--yes`. */
import { Option } from 'clipanion';
import { flag, usageOf } from '../../command-table.ts';
import { planLines, planReset, reset } from '../../factory-reset.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { kubeconfigFiles } from '../../kubeconfig.ts';
import { ListCommand } from '../../list-command.ts';
import { confirm } from '../../question.ts';
import { defaultSetting, type Resolved, type SettingKey } from '../../settings.ts';
import { visible } from '../../text.ts';

const nothing = 'There is nothing to remove.';

export class ConfigClean extends ListCommand {
  static override paths = [['config', 'clean']];
  static override usage = usageOf('config clean', {
    details:
      'Signs every account of every profile out, removes all kubeconfig contexts that go through Clustral, and the files\nof this tool. Other files and stanzas stay.',
    examples: [
      ['Only look', 'clustral config clean --dry-run'],
      ['In a script', 'clustral config clean --yes'],
    ],
  });
  dryRun: boolean = Option.Boolean('--dry-run', false, flag('', 'say what would be removed, remove nothing'));
  yes: boolean = Option.Boolean('-y,--yes', false, flag('', 'do not ask'));
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'kubeconfig file to clean'));

  async execute(): Promise<number> {
    const { home, env } = this.context;
    const plan = planReset(home, kubeconfigFiles(this.kubeconfig, env), (line) => this.warn(line));
    const lines = planLines(plan);
    if (this.dryRun) {
      await this.printPlan(lines);
      return exitCodes.ok;
    }
    if (lines.length === 0) {
      this.say(nothing);
      return exitCodes.ok;
    }
    if (!this.yes && !(await this.isWanted(lines))) {
      this.say('Nothing was removed.');
      return exitCodes.failed;
    }
    const isClean = await reset(plan, {
      call: await this.callOptions(),
      say: (line) => this.say(line),
      warn: (line) => this.warn(line),
    });
    return isClean ? exitCodes.ok : exitCodes.failed;
  }

  private async printPlan(lines: ReturnType<typeof planLines>): Promise<void> {
    await this.printRows({
      rows: lines,
      columns: [
        { head: 'WHAT', value: ([what]) => what },
        { head: 'WHICH', value: ([, which]) => which },
      ],
      plural: 'wouldRemove',
      json: { wouldRemove: lines.map(([what, which]) => ({ what, which })) },
      nameOf: ([what, which]) => `${what}/${which}`,
      empty: nothing,
    });
  }

  private async isWanted(lines: ReturnType<typeof planLines>): Promise<boolean> {
    if (!this.context.isInteractive || this.noInput)
      throw new CliError(
        exitCodes.usage,
        "'clustral config clean' asks first, and nobody is here to answer",
        'clustral config clean --yes, or --dry-run to look',
      );
    this.say('This removes:');
    for (const [what, which] of lines) this.say(`  ${what.padEnd(8)} ${visible(which)}`);
    return confirm(this.context, 'Remove all of this?', { fallback: false });
  }

  /** Settings that cannot be read are one of the reasons to be here. */
  protected override setting(key: SettingKey): Resolved {
    try {
      return super.setting(key);
    } catch (cause) {
      if (!(cause instanceof CliError) || cause.exitCode !== exitCodes.failed) throw cause;
      return defaultSetting(key);
    }
  }
}
