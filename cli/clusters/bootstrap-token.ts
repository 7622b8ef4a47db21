/** How a bootstrap token is shown: once, with the environment of the agent that it is for. */
import {
  RegisterClusterResponseSchema,
  type RegisterClusterResponse,
} from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { asJson } from '../command.ts';
import type { CliContext } from '../context.ts';
import { printAnswer, type Format } from '../output.ts';
import { visible } from '../text.ts';

export type IssuedToken = {
  readonly issued: RegisterClusterResponse;
  /** Name of the cluster. */
  readonly name: string;
  /** Address of the server. */
  readonly server: string;
};

/** Prints the token; to people also what to do with it, on stderr. */
export async function printBootstrapToken(
  context: CliContext,
  format: Format,
  { issued, name, server }: IssuedToken,
): Promise<void> {
  await printAnswer(context, {
    format,
    json: await asJson(RegisterClusterResponseSchema, issued),
    name: `cluster/${name}`,
    text: `cluster id        ${visible(issued.clusterId)}\nbootstrap token   ${visible(issued.bootstrapToken)}\n`,
  });
  if (format !== 'table' && format !== 'wide') return;
  for (const line of [
    '\nThe token enrols one agent, once, within 24 hours, and is not shown again. The environment of the agent:\n',
    `  AGENT_CLUSTER_ID=${visible(issued.clusterId)}`,
    `  AGENT_CONTROL_PLANE_URL=https://${new URL(server).hostname}:5443`,
    '  AGENT_BOOTSTRAP_TOKEN_FILE=<file that holds the token>\n',
    '5443 is the port of the tunnel unless the operator chose another.',
  ])
    context.stderr.write(`${line}\n`);
}
