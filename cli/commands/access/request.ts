/** `clustral access request <cluster>`: asks for a role on a cluster for a while, and with --wait stays until somebody has decided. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'clipanion';
import { AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { parseDuration } from '@clustral/schemas/duration.ts';
import { chooseRole } from '../../access/choose-role.ts';
import { printRequest } from '../../access/print-request.ts';
import { approvedOrThrow, waitForDecision } from '../../access/wait.ts';
import type { Session } from '../../client.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand, type CallOptions } from '../../command.ts';
import { describeFailure } from '../../explain.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { findCluster } from '../../lookup.ts';
import { visible } from '../../text.ts';

const longestSeconds = 366 * 86_400;
const callTimeoutMs = 30_000;
/** Longer than any server lets a request stand open. */
const longestWaitMs = 7 * 86_400_000;

export class AccessRequestCommand extends ClustralCommand {
  static override paths = [['access', 'request']];
  static override argumentHelp = { cluster: 'name or id; or --cluster' };
  static override usage = usageOf('access request', {
    details:
      'With --wait it ends with 0 when the request was approved, 5 when it was denied, 7 when nobody decided in the time\nthat --timeout names; without --timeout it waits until the request expires.',
    examples: [
      ['A role for two hours', 'clustral access request prod --role k8s-viewer --for 2h --reason "incident 4711"'],
      ['And go on once it is there', 'clustral access request prod --role k8s-viewer --wait'],
    ],
  });
  clusterArgument: string | undefined = Option.String({ name: 'cluster', required: false });
  cluster: string | undefined = Option.String('--cluster', flag('CLUSTER', 'name or id, instead of the argument'));
  role: string | undefined = Option.String('--role', flag('ROLE', 'name or id; asked for when left out'));
  duration: string | undefined = Option.String(
    '--for',
    flag('DURATION', "how long, e.g. 2h; the server's default when left out"),
  );
  reason: string = Option.String('--reason', '', flag('TEXT', 'why, for whoever decides'));
  reviewers: string[] = Option.Array('--reviewer', [], flag('E-MAIL', 'who is told of it; may be repeated'));
  wait: boolean = Option.Boolean('--wait', false, flag('', 'wait until it is decided'));

  async execute(): Promise<number> {
    const clusterName = this.namedCluster();
    if (this.duration !== undefined) parseDuration(this.duration, { field: '--for', maxSeconds: longestSeconds });
    const session = await this.openSession();
    const cluster = await findCluster(session, clusterName);
    const mayAsk = this.context.isInteractive && !this.noInput;
    const role = await chooseRole(session, { named: this.role, context: this.context, mayAsk });
    const asked = await session.client(AccessService).requestAccess({
      clusterId: cluster.id,
      roleId: role.id,
      reason: this.reason,
      duration: this.duration ?? '',
      suggestedReviewerEmails: this.reviewers,
    });
    const request = this.wait ? await this.decided(session, asked) : asked;
    await printRequest(this.context, this.format, request);
    this.sayNext(request);
    return exitCodes.ok;
  }

  /** With --wait, --timeout is for the waiting; each call in it has the usual time. */
  protected override async callOptions(): Promise<CallOptions> {
    const call = await super.callOptions();
    return this.wait ? { ...call, timeoutMs: Math.min(call.timeoutMs, callTimeoutMs) } : call;
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

  private async decided(session: Session, asked: AccessRequest): Promise<AccessRequest> {
    this.say(`Request ${asked.id} waits for a decision: clustral access approve ${asked.id}`);
    const limitMs = this.timeout === undefined ? longestWaitMs : (await super.callOptions()).timeoutMs;
    const decided = await waitForDecision({
      look: () => session.client(AccessService).getAccessRequest({ id: asked.id }),
      isPassing: (thrown) => describeFailure(thrown).exitCode === exitCodes.unavailable,
      now: () => this.context.now().getTime(),
      sleep,
      random: Math.random,
      limitMs,
    });
    return approvedOrThrow(decided);
  }

  private sayNext(request: AccessRequest): void {
    const cluster = visible(request.clusterName);
    if (this.wait) this.say(`  next: clustral kube login ${cluster}`);
    else this.say(`  next: somebody who may decides it: clustral access approve ${visible(request.id)}`);
  }
}
