/** `clustral clusters register <name>`: registers a cluster and shows, once, the token that enrols its agent. */
import { Option } from 'clipanion';
import { ClusterService } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { printBootstrapToken } from '../../clusters/bootstrap-token.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
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
    const { server } = session.config;
    await printBootstrapToken(this.context, this.format, { issued: registered, name: this.name, server });
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
