/**
 * `clustral kube credential`: the exec plugin of kubectl. stdout is an ExecCredential and nothing else, stderr is silent on success; it never opens
 * a browser, because kubectl may start many at once.
 */
import { Option } from 'clipanion';
import { ClustralCommand } from '../../command.ts';
import { execCredential } from '../../credential-cache.ts';
import { freshCredential } from '../../credentials.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { findCluster } from '../../lookup.ts';
import { accountKey } from '../../profile.ts';
import { isUuid } from '@clustral/schemas/ids.ts';

export class KubeCredential extends ClustralCommand {
  static override paths = [['kube', 'credential']];
  static override usage = ClustralCommand.Usage({
    category: 'Kubernetes',
    description: 'print a credential for kubectl (exec plugin)',
  });
  cluster: string = Option.String('--cluster', { required: true, description: 'name or id' });
  account: string | undefined = Option.String('--account', { description: 'account that the context was written for' });

  async execute(): Promise<number> {
    const session = this.openSession();
    if (this.account !== undefined && this.account !== accountKey(session.account())) {
      throw new CliError(
        exitCodes.signInNeeded,
        `this context belongs to another account than ${session.account().displayName}, who is signed in`,
        'sign in as that person, or run clustral kube login again',
      );
    }
    const clusterId = isUuid(this.cluster) ? this.cluster.toLowerCase() : (await findCluster(session, this.cluster)).id;
    const credential = await freshCredential(session, { clusterId, now: this.context.now });
    this.context.stdout.write(execCredential(credential, this.context.env['KUBERNETES_EXEC_INFO']));
    return exitCodes.ok;
  }
}
