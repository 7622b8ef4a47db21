/** `clustral logout`: forgets the account here first, then tells the server and the identity provider, and says what happened. */
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { Option } from 'clipanion';
import { openSession, type Session } from '../client.ts';
import { ClustralCommand } from '../command.ts';
import type { CachedCredential } from '../credential-cache.ts';
import { cachedCredentials } from '../credentials.ts';
import { exitCodes } from '../failure.ts';
import { contextsOf, kubeconfigFiles, removeEntries } from '../kubeconfig.ts';
import { currentAccount, forgetAccount, saveProfile } from '../profile.ts';
import { endSession } from '../sign-in.ts';
import { visible } from '../text.ts';

export class Logout extends ClustralCommand {
  static override paths = [['logout']];
  static override usage = ClustralCommand.Usage({
    category: 'Session',
    description: 'sign out: revoke credentials, forget tokens, remove contexts',
  });
  kubeconfig: string | undefined = Option.String('--kubeconfig', { description: 'kubeconfig file to clean' });

  async execute(): Promise<number> {
    const profile = this.openProfile();
    const account = currentAccount(profile);
    if (account === undefined || profile.config === undefined) {
      this.say('Nobody is signed in.');
      return exitCodes.ok;
    }
    const { config } = profile;
    const session = openSession({
      profile,
      config,
      account,
      timeoutMs: 10_000,
      now: this.context.now,
      remember: false,
    });
    const issued = cachedCredentials(profile, account);
    const files = kubeconfigFiles(this.kubeconfig, this.context.env);
    const names = new Set(contextsOf(files, config.server).values());
    const removed = await removeEntries(files, (name) => names.has(name));
    forgetAccount(profile, account);
    const { account: _account, ...rest } = config;
    await saveProfile(profile, rest);
    this.say(`Signed ${visible(account.displayName)} out of ${config.server}.`);
    if (removed.length > 0) this.say(`Removed contexts: ${removed.map(visible).join(', ')}.`);
    this.say(await this.revoke(session, issued));
    const ended = await endSession(session.account(), config);
    if (!ended) this.say('The identity provider was not told: its session lives on until it expires.');
    return exitCodes.ok;
  }

  private async revoke(session: Session, issued: readonly CachedCredential[]): Promise<string> {
    const live = issued.filter(({ expiresAt }) => Date.parse(expiresAt) > this.context.now().getTime());
    const client = session.client(CredentialService);
    const answers = await Promise.allSettled(
      live.map(({ credentialId }) => client.revokeCredential({ id: credentialId })),
    );
    const failed = answers.filter(({ status }) => status === 'rejected').length;
    if (failed > 0)
      return `The server did not revoke ${failed} of ${live.length} credentials: they live until they expire.`;
    return `Revoked credentials: ${live.length}.`;
  }
}
