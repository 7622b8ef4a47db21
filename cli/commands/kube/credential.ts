/**
 * `clustral kube credential`: the exec plugin of kubectl. stdout is an ExecCredential and nothing else, stderr is silent on success and one sentence on
 * failure; it asks nobody and never opens a browser, because kubectl may start many at once.
 */
import { Option } from 'clipanion';
import { isUuid } from '@clustral/schemas/ids.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { execCredential } from '../../credential-cache.ts';
import { freshCredential } from '../../credentials.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { findCluster } from '../../lookup.ts';
import { nobody, readAccount, type Account, type Profile, type ProfileConfig } from '../../profile.ts';

const keyForm = /^[0-9a-f]{64}$/;

export class KubeCredential extends ClustralCommand {
  static override paths = [['kube', 'credential']];
  static override usage = usageOf('kube credential', {
    details:
      "Contexts that 'clustral kube login' writes call it by themselves. It renews the credential while the session\nlasts and never asks: when a sign-in is needed it says so and ends with exit code 4.",
  });
  cluster: string = Option.String('--cluster', { required: true, ...flag('CLUSTER', 'name or id') });
  ttl: string = Option.String('--ttl', '', flag('DURATION', 'life of a credential, e.g. 30m'));

  async execute(): Promise<number> {
    const session = await this.openSession();
    const clusterId = isUuid(this.cluster) ? this.cluster.toLowerCase() : (await findCluster(session, this.cluster)).id;
    const credential = await freshCredential(session, { clusterId, ttl: this.ttl, now: this.context.now });
    this.context.stdout.write(execCredential(credential, this.context.env['KUBERNETES_EXEC_INFO']));
    return exitCodes.ok;
  }

  /** A context is for the account that it was written for, by its key, whoever is the profile's current one meanwhile. */
  protected override signedIn(opened: Profile): { config: ProfileConfig; account: Account } {
    if (this.account === undefined || !keyForm.test(this.account)) return super.signedIn(opened);
    if (opened.config === undefined) throw nobody(opened);
    const account = readAccount(opened, this.account);
    if (account?.server === opened.config.server) return { config: opened.config, account };
    throw new CliError(
      exitCodes.signInNeeded,
      'the account that this context was written for is signed out',
      `clustral login ${opened.config.server}`,
    );
  }

  protected override get mayOfferSignIn(): boolean {
    return false;
  }
}
