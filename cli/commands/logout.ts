/**
 * `clustral logout`: forgets the account here first, whatever else fails, then cleans the kubeconfig, then tells the server and the identity provider,
 * and says what happened.
 */
import { Option } from 'clipanion';
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { openSession, type Session } from '../client.ts';
import { flag, usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import type { CachedCredential } from '../credential-cache.ts';
import { cachedCredentials } from '../credentials.ts';
import { CliError, exitCodes } from '../failure.ts';
import { endSession } from '../identity-provider.ts';
import { kubeconfigFiles, removeContexts } from '../kubeconfig.ts';
import { accountKey, currentAccount, forgetAccount, saveProfile, type Account } from '../profile.ts';
import { visible } from '../text.ts';
import { whileNobodyRenews } from '../token-keeper.ts';

export class Logout extends ClustralCommand {
  static override paths = [['logout']];
  static override usage = usageOf('logout');
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'kubeconfig file to clean'));

  async execute(): Promise<number> {
    const profile = this.openProfile();
    const account = currentAccount(profile);
    if (account === undefined || profile.config === undefined) {
      this.say('Nobody is signed in.');
      return exitCodes.ok;
    }
    const { account: _account, ...config } = profile.config;
    const session = openSession({ profile, config, account, isKept: false, ...(await this.callOptions()) });
    const issued = cachedCredentials(profile, account);
    await whileNobodyRenews(profile, account, async () => forgetAccount(profile, account));
    await saveProfile(profile, config);
    this.say(`Signed ${visible(account.displayName)} out of ${config.server}.`);
    const isClean = await this.removeContexts(account, issued);
    await this.revoke(session, issued);
    if (!(await endSession(session.account(), config)))
      this.warn('the identity provider was not told: its session lives on until it expires.');
    return isClean ? exitCodes.ok : exitCodes.failed;
  }

  /** A kubeconfig that cannot be read or written keeps nobody signed in. */
  private async removeContexts(account: Account, issued: readonly CachedCredential[]): Promise<boolean> {
    const tokens = new Set(issued.map(({ token }) => token));
    const key = accountKey(account);
    try {
      const removed = await removeContexts(
        kubeconfigFiles(this.kubeconfig, this.context.env),
        (context) => context.account === key || (context.token !== undefined && tokens.has(context.token)),
      );
      if (removed.length > 0) this.say(`Removed contexts: ${removed.map(visible).join(', ')}.`);
      return true;
    } catch (cause) {
      if (!(cause instanceof CliError)) throw cause;
      this.warn(`the contexts are still there: ${cause.message}.`);
      return false;
    }
  }

  private async revoke(session: Session, issued: readonly CachedCredential[]): Promise<void> {
    const live = issued.filter(({ expiresAt }) => Date.parse(expiresAt) > this.context.now().getTime());
    if (live.length === 0) return;
    const client = session.client(CredentialService);
    const answers = await Promise.allSettled(live.map(({ credentialId: id }) => client.revokeCredential({ id })));
    const failed = answers.filter(({ status }) => status === 'rejected').length;
    if (failed === 0) this.say(`Revoked credentials: ${live.length}.`);
    else this.warn(`the server did not revoke ${failed} of ${live.length} credentials: they live until they expire.`);
  }
}
