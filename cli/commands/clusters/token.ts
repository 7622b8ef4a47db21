/** `clustral clusters token <cluster>`: a new bootstrap token for a cluster that is registered; the one before is not good any more. */
import { Option } from 'clipanion';
import { ClusterService } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { printBootstrapToken } from '../../clusters/bootstrap-token.ts';
import { usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { findCluster } from '../../lookup.ts';

export class ClustersToken extends ClustralCommand {
  static override paths = [['clusters', 'token']];
  static override argumentHelp = { cluster: 'name or id' };
  static override usage = usageOf('clusters token', {
    details:
      'Roles and grants of the cluster stay. An agent that is connected stays connected until the token is used.',
    examples: [['Into a file', 'clustral clusters token prod -o json | jq -r .bootstrapToken > token']],
  });
  cluster: string = Option.String({ name: 'cluster' });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const { id, name } = await findCluster(session, this.cluster);
    const issued = await session.client(ClusterService).issueBootstrapToken({ id });
    await printBootstrapToken(this.context, this.format, { issued, name, server: session.config.server });
    return exitCodes.ok;
  }
}
