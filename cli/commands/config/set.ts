/** `clustral config set <key> <value>`: saves one setting for all commands to come, after a check. */
import { Option } from 'clipanion';
import { usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { requireProfile } from '../../profiles.ts';
import { saveSetting, settingKey, settingKeys } from '../../settings.ts';

export class ConfigSet extends ClustralCommand {
  static override paths = [['config', 'set']];
  static override argumentHelp = { key: settingKeys.join(', '), value: 'what it shall be' };
  static override usage = usageOf('config set', {
    details:
      'profile        profile in use, as clustral profiles use sets it\noutput         table, wide, json, jsonl, yaml or name\ntimeout        how long one call may take: 30s, 2m\ncontext-name   name of new kubeconfig contexts: clustral-{cluster}, {profile}-{cluster}\nauto-login     ask (offer a new sign-in when the session has ended) or never',
    examples: [
      ['JSON unless -o says otherwise', 'clustral config set output json'],
      ['Contexts that name their profile', 'clustral config set context-name {profile}-{cluster}'],
    ],
  });
  key: string = Option.String({ name: 'key' });
  value: string = Option.String({ name: 'value' });

  async execute(): Promise<number> {
    const { home } = this.context;
    const key = settingKey(this.key);
    if (key === 'profile') requireProfile(home, this.value);
    await saveSetting(home, key, this.value);
    this.say(`${key} is ${this.value} from now on.`);
    return exitCodes.ok;
  }
}
