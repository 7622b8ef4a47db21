/** `clustral kube logout <cluster>`: removes the context and revokes this machine's credential for the cluster. */
import { Option } from 'clipanion';
import { ClustralCommand } from '../../command.ts';
import { revokeCached } from '../../credentials.ts';
import { exitCodes } from '../../failure.ts';
import { contextsOf, kubeconfigFiles, removeEntries } from '../../kubeconfig.ts';
import { findCluster } from '../../lookup.ts';
import { visible } from '../../text.ts';

export class KubeLogout extends ClustralCommand {
  static override paths = [['kube', 'logout']];
  static override usage = ClustralCommand.Usage({
    category: 'Kubernetes',
    description: 'remove the context of a cluster and revoke its credential',
  });
  cluster: string = Option.String({ name: 'cluster' });
  kubeconfig: string | undefined = Option.String('--kubeconfig', { description: 'file to clean' });

  async execute(): Promise<number> {
    const session = this.openSession();
    const cluster = await findCluster(session, this.cluster);
    const files = kubeconfigFiles(this.kubeconfig, this.context.env);
    const context = contextsOf(files, session.config.server).get(cluster.id);
    const removed = await removeEntries(files, (name) => name === context);
    this.say(
      removed.length === 0
        ? `There was no context for ${visible(cluster.name)}.`
        : `Removed context ${removed.map(visible).join(', ')}.`,
    );
    if (await revokeCached(session, cluster.id)) this.say('Revoked the credential.');
    return exitCodes.ok;
  }
}
