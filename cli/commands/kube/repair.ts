/** `clustral kube repair`: mends kubeconfig contexts whose plugin kubectl cannot call any more, because Node or this tool has moved. Asks no server. */
import { Option } from 'clipanion';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { faultOf, pluginOfThisTool } from '../../exec-plugin.ts';
import { exitCodes } from '../../failure.ts';
import { contextsIn, kubeconfigFiles, mendPlugins } from '../../kubeconfig.ts';
import { kubectlVersion } from '../../kubectl.ts';
import { visible } from '../../text.ts';

export class KubeRepair extends ClustralCommand {
  static override paths = [['kube', 'repair']];
  static override usage = usageOf('kube repair', {
    details: "Contexts of every Clustral server are looked at; nobody else's are.",
    examples: [['Only say what is wrong', 'clustral kube repair --dry-run']],
  });
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'kubeconfig file to mend'));
  dryRun: boolean = Option.Boolean('--dry-run', false, flag('', 'say what is wrong and change nothing'));

  async execute(): Promise<number> {
    const files = kubeconfigFiles(this.kubeconfig, this.context.env);
    const kubectl = await kubectlVersion(this.context.env);
    const broken = contextsIn(files).flatMap((context) => {
      const fault = faultOf(context, kubectl);
      return fault === undefined ? [] : [{ name: context.name, fault }];
    });
    for (const { name, fault } of broken) this.say(`${visible(name)} ${visible(fault)}`);
    if (broken.length === 0) this.say('Nothing to mend.');
    else if (this.dryRun) this.say('Nothing was changed.');
    else {
      const plugin = pluginOfThisTool(kubectl);
      const mended = await mendPlugins(files, (context) =>
        faultOf(context, kubectl) === undefined ? undefined : plugin,
      );
      this.say(`Mended ${mended.map(visible).join(', ')}.`);
    }
    return exitCodes.ok;
  }
}
