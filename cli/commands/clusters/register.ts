/** `clustral clusters register <name>`: registers a cluster and shows, once, the token that enrols its agent. */
import { Option } from 'clipanion';
import { ClusterService, RegisterClusterResponseSchema } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { flag, usageOf } from '../../command-table.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { printAnswer } from '../../output.ts';
import { visible } from '../../text.ts';

export class ClustersRegister extends ClustralCommand {
  static override paths = [['clusters', 'register']];
  static override argumentHelp = { name: 'what people will call it' };
  static override usage = usageOf('clusters register', {
    examples: [
      ['With labels', 'clustral clusters register prod --description "EU production" --label env=prod'],
      ['The token into a file', 'clustral clusters register prod -o json | jq -r .bootstrapToken > token'],
    ],
  });
  name: string = Option.String({ name: 'name' });
  description: string = Option.String('--description', '', flag('TEXT', 'what it is for'));
  labels: readonly string[] = Option.Array('--label', [], flag('KEY=VALUE', 'a label, may be repeated'));

  async execute(): Promise<number> {
    const labels = labelsOf(this.labels);
    const session = await this.openSession();
    const registered = await session
      .client(ClusterService)
      .registerCluster({ name: this.name, description: this.description, labels });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(RegisterClusterResponseSchema, registered),
      name: `cluster/${this.name}`,
      text: `cluster id        ${visible(registered.clusterId)}\nbootstrap token   ${visible(registered.bootstrapToken)}\n`,
    });
    if (this.format !== 'table' && this.format !== 'wide') return exitCodes.ok;
    const host = new URL(session.config.server).hostname;
    this.say(
      '\nThe token enrols one agent, once, within 24 hours, and is not shown again. The environment of the agent:\n',
    );
    this.say(`  AGENT_CLUSTER_ID=${visible(registered.clusterId)}`);
    this.say(`  AGENT_CONTROL_PLANE_URL=https://${host}:5443`);
    this.say('  AGENT_BOOTSTRAP_TOKEN_FILE=<file that holds the token>\n');
    this.say('5443 is the port of the tunnel unless the operator chose another.');
    return exitCodes.ok;
  }
}

function labelsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new CliError(exitCodes.usage, `'${visible(pair)}' is not a label`, '--label key=value');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
