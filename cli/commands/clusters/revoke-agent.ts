/** `clustral clusters revoke-agent <cluster>`: the identity of its agent is good no more; the tunnel closes at once. */
import { Option } from 'clipanion';
import { ClusterSchema, ClusterService } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { usageOf } from '../../command-table.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { findCluster } from '../../lookup.ts';
import { printAnswer } from '../../output.ts';
import { visible } from '../../text.ts';

export class ClustersRevokeAgent extends ClustralCommand {
  static override paths = [['clusters', 'revoke-agent']];
  static override argumentHelp = { cluster: 'name or id' };
  static override usage = usageOf('clusters revoke-agent', {
    details: "What is open in the cluster ends. 'clustral clusters token' gives the agent a way back.",
  });
  cluster: string = Option.String({ name: 'cluster' });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const { id, name } = await findCluster(session, this.cluster);
    const cluster = await session.client(ClusterService).revokeAgent({ id });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(ClusterSchema, cluster),
      name: `cluster/${name}`,
      text: `The agent of ${visible(name)} is revoked\n`,
    });
    return exitCodes.ok;
  }
}
