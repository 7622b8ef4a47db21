/** `clustral kube logout <cluster>`: removes the contexts of a cluster and revokes this machine's credential for it. */
import { Option } from 'clipanion';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { revokeCached } from '../../credentials.ts';
import { exitCodes } from '../../failure.ts';
import { kubeconfigFiles, removeContexts } from '../../kubeconfig.ts';
import { findCluster } from '../../lookup.ts';
import { visible } from '../../text.ts';

export class KubeLogout extends ClustralCommand {
  static override paths = [['kube', 'logout']];
  static override argumentHelp = { cluster: 'name or id' };
  static override usage = usageOf('kube logout');
  cluster: string = Option.String({ name: 'cluster' });
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'kubeconfig file to clean'));

  async execute(): Promise<number> {
    const session = await this.openSession();
    const cluster = await findCluster(session, this.cluster);
    const { server } = session.config;
    const removed = await removeContexts(
      kubeconfigFiles(this.kubeconfig, this.context.env),
      (context) => context.server === server && context.clusterId === cluster.id,
    );
    this.say(
      removed.length === 0
        ? `There was no context for ${visible(cluster.name)}.`
        : `Removed context ${removed.map(visible).join(', ')}.`,
    );
    if (await revokeCached(session, cluster.id)) this.say('Revoked the credential.');
    return exitCodes.ok;
  }
}
