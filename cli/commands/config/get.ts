/** `clustral config get <key>`: the value of one setting as it counts now, for scripts. */
import { Option } from 'clipanion';
import { usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { printAnswer } from '../../output.ts';
import { settingKey, settingKeys } from '../../settings.ts';
import { visible } from '../../text.ts';

export class ConfigGet extends ClustralCommand {
  static override paths = [['config', 'get']];
  static override argumentHelp = { key: settingKeys.join(', ') };
  static override usage = usageOf('config get', {
    examples: [['The profile in use', 'clustral config get profile']],
  });
  key: string = Option.String({ name: 'key' });

  async execute(): Promise<number> {
    const { format } = this;
    const key = settingKey(this.key);
    const resolved = this.setting(key);
    await printAnswer(this.context, {
      format,
      json: { key, ...resolved },
      name: `setting/${key}`,
      text: `${visible(resolved.value)}\n`,
    });
    return exitCodes.ok;
  }
}
