/** `clustral access request <cluster>`: asks for a role on a cluster for a while, now or later, and with --wait stays until somebody has decided. */
import { Option } from 'clipanion';
import { AccessRequestStatus } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { AskingCommand, waitDetails, type Wish } from '../../access/asking-command.ts';
import { chooseRole } from '../../access/choose-role.ts';
import { findRequest } from '../../access/find-request.ts';
import { startInstant } from '../../access/start-instant.ts';
import type { Session } from '../../client.ts';
import { flag, usageOf } from '../../command-table.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { findCluster } from '../../lookup.ts';
import { visible } from '../../text.ts';

export class AccessRequestCommand extends AskingCommand {
  static override paths = [['access', 'request']];
  static override argumentHelp = { cluster: 'name or id; or --cluster' };
  static override usage = usageOf('access request', {
    details: waitDetails,
    examples: [
      ['A role for two hours', 'clustral access request prod --role k8s-viewer --for 2h --reason "incident 4711"'],
      ['And go on once it is there', 'clustral access request prod --role k8s-viewer --wait'],
      ['For tonight, decided now', 'clustral access request prod --role k8s-admin --starts-at 2026-12-01T22:00Z'],
    ],
  });
  clusterArgument: string | undefined = Option.String({ name: 'cluster', required: false });
  cluster: string | undefined = Option.String('--cluster', flag('CLUSTER', 'name or id, instead of the argument'));
  role: string | undefined = Option.String('--role', flag('ROLE', 'name or id; asked for when left out'));
  startsAt: string | undefined = Option.String(
    '--starts-at',
    flag('TIME', 'when it begins: 2026-12-01T22:00Z, or 8h from now; once it is approved when left out'),
  );
  extends: string | undefined = Option.String(
    '--extends',
    flag('REQUEST', 'prolong the access of that request, instead of cluster and role'),
  );

  async execute(): Promise<number> {
    this.checkFlags();
    const startsAt = this.startsAt === undefined ? undefined : startInstant(this.startsAt, this.context.now());
    const named = this.extends === undefined ? this.namedCluster() : this.noCluster(this.extends);
    const session = await this.openSession();
    const wish = named === undefined ? await this.extension(session) : await this.first(session, named);
    await this.ask(session, { ...wish, startsAt });
    return exitCodes.ok;
  }

  private async first(session: Session, clusterName: string): Promise<Wish> {
    const cluster = await findCluster(session, clusterName);
    const mayAsk = this.context.isInteractive && !this.noInput;
    const role = await chooseRole(session, { named: this.role, context: this.context, mayAsk });
    return { clusterId: cluster.id, roleId: role.id };
  }

  private async extension(session: Session): Promise<Wish> {
    const { id, clusterId, roleId } = await findRequest(session, this.extends ?? '', AccessRequestStatus.APPROVED);
    return { clusterId, roleId, extends: id };
  }

  private noCluster(request: string): undefined {
    if (this.clusterArgument === undefined && this.cluster === undefined && this.role === undefined) return undefined;
    throw new CliError(
      exitCodes.usage,
      '--extends says already for which cluster and role',
      `clustral access request --extends ${visible(request)}`,
    );
  }

  private namedCluster(): string {
    if (this.clusterArgument !== undefined && this.cluster !== undefined)
      throw new CliError(
        exitCodes.usage,
        'the cluster is named twice',
        `clustral access request ${visible(this.clusterArgument)}`,
      );
    const named = this.clusterArgument ?? this.cluster;
    if (named !== undefined) return named;
    throw new CliError(
      exitCodes.usage,
      "'clustral access request' needs <cluster>",
      'clustral access request <cluster> --role ROLE',
    );
  }
}
