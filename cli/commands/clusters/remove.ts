/** `clustral clusters remove <cluster>`: removes a cluster with its agent, and ends all access to it. */
import { Option } from 'clipanion';
import { ClusterSchema, ClusterService } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { flag, usageOf } from '../../command-table.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { findCluster } from '../../lookup.ts';
import { printAnswer } from '../../output.ts';
import { confirm } from '../../question.ts';
import { visible } from '../../text.ts';

export class ClustersRemove extends ClustralCommand {
  static override paths = [['clusters', 'remove']];
  static override argumentHelp = { cluster: 'name or id' };
  static override usage = usageOf('clusters remove', {
    details: 'Its agent is cut off, and assignments, requests, grants and credentials for it end. The audit log stays.',
    examples: [['Without a question', 'clustral clusters remove old --yes']],
  });
  cluster: string = Option.String({ name: 'cluster' });
  yes: boolean = Option.Boolean('--yes,-y', false, flag('', 'do not ask'));

  async execute(): Promise<number> {
    const session = await this.openSession();
    const cluster = await findCluster(session, this.cluster);
    const name = visible(cluster.name);
    const question = `Remove ${name}, cut its agent off and end all access to it?`;
    if (!this.yes && !(await confirm(this.context, question, { fallback: false })))
      throw new CliError(exitCodes.failed, `${name} was not removed`, 'say yes, or give --yes');
    await session.client(ClusterService).deleteCluster({ id: cluster.id });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(ClusterSchema, cluster),
      name: `cluster/${name}`,
      text: `${name} is removed\n`,
    });
    return exitCodes.ok;
  }
}
