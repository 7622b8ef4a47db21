/** `clustral login [host]`: signs in by browser or device code, and remembers the server and the account. */
import { Option } from 'clipanion';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { openSession } from '../client.ts';
import { ClustralCommand } from '../command.ts';
import { CliError, exitCodes } from '../failure.ts';
import { discover } from '../http.ts';
import { accountKey, currentAccount, saveAccount, saveProfile, type Profile, type ProfileConfig } from '../profile.ts';
import { signInWithBrowser, signInWithDevice } from '../sign-in.ts';
import { caOfFirstContact, fingerprint, readCaFile } from '../trust.ts';
import { visible } from '../text.ts';

export class Login extends ClustralCommand {
  static override paths = [['login']];
  static override usage = ClustralCommand.Usage({
    category: 'Session',
    description: 'sign in to a Clustral server',
    examples: [
      ['Sign in with a browser', '$0 login https://clustral.example.com'],
      ['On a machine without one', '$0 login https://clustral.example.com --device'],
    ],
  });
  host: string | undefined = Option.String({ required: false });
  device: boolean = Option.Boolean('--device', false, { description: 'show a code to enter on another device' });
  noBrowser: boolean = Option.Boolean('--no-browser', false, { description: 'print the address, open nothing' });
  force: boolean = Option.Boolean('--force', false, { description: 'sign in again although the session is valid' });
  caFile: string | undefined = Option.String('--ca-file', { description: 'CA to trust for this server, PEM' });
  caPin: string | undefined = Option.String('--ca-pin', { description: "SHA-256 fingerprint of the server's CA" });

  async execute(): Promise<number> {
    const profile = this.openProfile();
    const server = this.serverUrl(profile);
    const caPem = await this.trust(server, profile);
    const discovery = await discover(server, caPem);
    const config: ProfileConfig = { server: server.origin, discovery, ...(caPem === undefined ? {} : { caPem }) };
    const known = currentAccount(profile);
    if (known !== undefined && known.server === config.server && !this.force && (await this.isValid(profile, config))) {
      this.say(`Already signed in to ${config.server} as ${visible(known.displayName)}; --force signs in again.`);
      return exitCodes.ok;
    }
    const options = { context: this.context, config, openBrowser: !this.noBrowser };
    const account = this.device ? await signInWithDevice(options) : await signInWithBrowser(options);
    await saveAccount(profile, account);
    await saveProfile(profile, { ...config, account: accountKey(account) });
    const { access } = await this.openSession().client(UserService).getMe({});
    this.say(`Signed in to ${config.server} as ${visible(account.displayName)}.`);
    this.say(
      access.length === 0
        ? 'You have no access to a cluster yet: ask an administrator.'
        : `You can reach ${access.map(({ clusterName }) => visible(clusterName)).join(', ')}: clustral kube login ${visible(access[0]?.clusterName ?? '')}`,
    );
    return exitCodes.ok;
  }

  private serverUrl(profile: Profile): URL {
    const text = this.host ?? profile.config?.server;
    if (text === undefined)
      throw new CliError(exitCodes.usage, 'no server is known yet', 'clustral login https://<host>');
    const url = URL.parse(text.includes('://') ? text : `https://${text}`);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '')
      throw new CliError(
        exitCodes.usage,
        `'${visible(text)}' is not the address of a server`,
        'clustral login https://<host>',
      );
    const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
    if (url.protocol === 'http:' && !isLocal)
      throw new CliError(
        exitCodes.usage,
        'a server without TLS is only taken on this machine',
        `clustral login https://${url.host}`,
      );
    return url;
  }

  private async trust(server: URL, profile: Profile): Promise<string | undefined> {
    if (this.caFile !== undefined) return readCaFile(this.caFile);
    const saved = profile.config?.server === server.origin ? profile.config.caPem : undefined;
    if (saved !== undefined && this.caPin === undefined && !this.force) return saved;
    const caPem = await caOfFirstContact({ url: server, ...(this.caPin === undefined ? {} : { pin: this.caPin }) });
    if (caPem !== undefined && caPem !== saved) {
      this.say(
        `Trusting the CA of ${server.host} from now on. Compare its SHA-256 with what the server printed:\n  ${fingerprint(caPem)}`,
      );
    }
    return caPem;
  }

  private async isValid(profile: Profile, config: ProfileConfig): Promise<boolean> {
    const account = currentAccount(profile);
    if (account === undefined) return false;
    const session = openSession({
      profile,
      config: { ...profile.config, ...config },
      account,
      timeoutMs: 10_000,
      now: this.context.now,
    });
    return session
      .client(UserService)
      .getMe({})
      .then(
        () => true,
        () => false,
      );
  }
}
