/** `clustral clusters register <name>`: registers a cluster and shows, once, the token that enrols its agent. */
import { Option } from 'clipanion';
import { ClusterService, RegisterClusterResponseSchema } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { pathsOf } from '../../commands.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { printObject } from '../../output.ts';

export class ClustersRegister extends ClustralCommand {
  static override paths = pathsOf('clusters', 'register');
  static override usage = ClustralCommand.Usage({
    category: 'Clusters',
    description: 'register a cluster and get the bootstrap token of its agent',
    examples: [['With labels', '$0 clusters register prod --description "EU production" --label env=prod']],
  });
  name: string = Option.String({ name: 'name' });
  description: string = Option.String('--description', '', { description: 'what it is' });
  labels: readonly string[] = Option.Array('--label', [], { description: 'key=value, may be repeated' });

  async execute(): Promise<number> {
    const format = this.format;
    const session = this.openSession();
    const registered = await session
      .client(ClusterService)
      .registerCluster({ name: this.name, description: this.description, labels: labelsOf(this.labels) });
    if (format !== 'table') {
      printObject(this.context, format, asJson(RegisterClusterResponseSchema, registered));
      return exitCodes.ok;
    }
    const host = new URL(session.config.server).hostname;
    this.context.stdout.write(
      `cluster id:       ${registered.clusterId}\nbootstrap token:  ${registered.bootstrapToken}\n`,
    );
    this.say(
      `\nThe token enrols one agent, once, within 24 hours, and is not shown again. Give the agent this environment:`,
    );
    this.say(
      `  AGENT_CLUSTER_ID=${registered.clusterId}\n  AGENT_CONTROL_PLANE_URL=https://${host}:5443\n  AGENT_BOOTSTRAP_TOKEN_FILE=<file that holds the token>`,
    );
    return exitCodes.ok;
  }
}

function labelsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new CliError(exitCodes.usage, `'${pair}' is not a label`, 'write --label key=value');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
