/**
 * `clustral kube credential`: the exec plugin of kubectl. stdout is an ExecCredential and nothing else, stderr is silent on success and one sentence on
 * failure; it never opens a browser, because kubectl may start many at once.
 */
import { Option } from 'clipanion';
import { isUuid } from '@clustral/schemas/ids.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { execCredential } from '../../credential-cache.ts';
import { freshCredential } from '../../credentials.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { findCluster } from '../../lookup.ts';
import { accountKey } from '../../profile.ts';
import { visible } from '../../text.ts';

export class KubeCredential extends ClustralCommand {
  static override paths = [['kube', 'credential']];
  static override usage = usageOf('kube credential', {
    details:
      "Contexts that 'clustral kube login' writes call it by themselves. It renews the credential while the session\nlasts and never asks: when a sign-in is needed it says so and ends with exit code 4.",
  });
  cluster: string = Option.String('--cluster', { required: true, ...flag('CLUSTER', 'name or id') });
  account: string | undefined = Option.String('--account', flag('KEY', 'account that the context was written for'));
  ttl: string = Option.String('--ttl', '', flag('DURATION', 'life of a credential, e.g. 30m'));

  async execute(): Promise<number> {
    const session = await this.openSession();
    if (this.account !== undefined && this.account !== accountKey(session.account())) {
      throw new CliError(
        exitCodes.signInNeeded,
        `this context belongs to another account than ${visible(session.account().displayName)}, who is signed in now`,
        `clustral login ${session.config.server} --force`,
      );
    }
    const clusterId = isUuid(this.cluster) ? this.cluster.toLowerCase() : (await findCluster(session, this.cluster)).id;
    const credential = await freshCredential(session, { clusterId, ttl: this.ttl, now: this.context.now });
    this.context.stdout.write(execCredential(credential, this.context.env['KUBERNETES_EXEC_INFO']));
    return exitCodes.ok;
  }
}
