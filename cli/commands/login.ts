/** `clustral login [host]`: signs in by browser or device code, and remembers the server and the account once the server knows them. */
import { Option } from 'clipanion';
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { UserService, type Access } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { openSession } from '../client.ts';
import { flag, usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { CliError, exitCodes } from '../failure.ts';
import { discover } from '../http.ts';
import {
  accountKey,
  currentAccount,
  saveAccount,
  saveProfile,
  type Account,
  type Profile,
  type ProfileConfig,
} from '../profile.ts';
import { serverAddress } from '../server-address.ts';
import { whileNobodyRenews } from '../token-keeper.ts';
import { visible } from '../text.ts';
import { caOfFirstContact, fingerprint, readCaFile, serverCas } from '../trust.ts';
import { requireVersion, version } from '../version.ts';

export class Login extends ClustralCommand {
  static override paths = [['login']];
  static override argumentHelp = { host: 'address of the server; the last one when left out' };
  static override usage = usageOf('login', {
    examples: [
      ['Sign in with a browser', 'clustral login https://clustral.example.com'],
      ['On a machine without one', 'clustral login https://clustral.example.com --device'],
    ],
  });
  host: string | undefined = Option.String({ required: false });
  device: boolean = Option.Boolean('--device', false, flag('', 'show a code to enter on another device'));
  noBrowser: boolean = Option.Boolean('--no-browser', false, flag('', 'print the address, open nothing'));
  force: boolean = Option.Boolean('--force', false, flag('', 'sign in again; on this machine take a new CA too'));
  caFile: string | undefined = Option.String('--ca-file', flag('FILE', 'CA of this server, PEM'));
  caPin: string | undefined = Option.String('--ca-pin', flag('SHA256', "fingerprint of the server's CA"));

  async execute(): Promise<number> {
    const profile = this.openProfile();
    const server = serverAddress(this.host, profile.config?.server);
    const caPem = await this.trust(server, profile);
    const discovery = await discover(server, serverCas(caPem));
    const config: ProfileConfig = { server: server.origin, discovery, ...(caPem === undefined ? {} : { caPem }) };
    const known = currentAccount(profile);
    if (known?.server === config.server && !this.force && (await this.isValid({ ...profile, config }, known))) {
      await saveProfile(profile, { ...config, account: accountKey(known) });
      this.say(`Already signed in to ${config.server} as ${visible(known.displayName)}; --force signs in again.`);
      return exitCodes.ok;
    }
    const account = await this.signIn(config);
    const access = await this.introduce({ ...profile, config }, account);
    await whileNobodyRenews(profile, account, () => saveAccount(profile, account));
    await saveProfile(profile, { ...config, account: accountKey(account) });
    this.say(`Signed in to ${config.server} as ${visible(account.displayName)}.`);
    this.say(nextStep(access));
    return exitCodes.ok;
  }

  private async signIn(config: ProfileConfig): Promise<Account> {
    const isAlone = this.noInput || (Boolean(this.context.env['CI']) && !this.device && !this.noBrowser);
    if (isAlone)
      throw new CliError(
        exitCodes.signInNeeded,
        'a sign-in needs a person, and nobody is here',
        'run clustral login in a terminal, without --no-input and CI',
      );
    const { signInWithBrowser, signInWithDevice } = await import('../sign-in.ts');
    const isRemote = Boolean(this.context.env['SSH_CONNECTION']);
    if (isRemote && !this.device)
      this.say('You seem to be connected by SSH: clustral login --device needs no browser on this machine.\n');
    const options = { context: this.context, installation: config, openBrowser: !this.noBrowser && !isRemote };
    return this.device ? signInWithDevice(options) : signInWithBrowser(options);
  }

  /** The first call with the new token: nothing is kept of a sign-in that the server does not take. */
  private async introduce(profile: Profile & { config: ProfileConfig }, account: Account): Promise<readonly Access[]> {
    const { config } = profile;
    const session = openSession({ profile, config, account, isKept: false, ...(await this.callOptions()) });
    const [{ access }, { minimumCliVersion }] = await Promise.all([
      session.client(UserService).getMe({}),
      session.client(SystemService).getVersion({}),
    ]);
    requireVersion(version, minimumCliVersion, config.server);
    return access;
  }

  private async trust(server: URL, profile: Profile): Promise<string | undefined> {
    if (this.caFile !== undefined) return readCaFile(this.caFile);
    const saved = profile.config?.server === server.origin ? profile.config.caPem : undefined;
    if (saved !== undefined && this.caPin === undefined && !this.force) return saved;
    const caPem = await caOfFirstContact({ url: server, ...(this.caPin === undefined ? {} : { pin: this.caPin }) });
    if (caPem !== undefined && caPem !== saved)
      this.say(
        `Trusting the CA of ${server.host} from now on. Compare its SHA-256 with what the server printed:\n\n  ${fingerprint(caPem)}\n`,
      );
    return caPem;
  }

  private async isValid(profile: Profile & { config: ProfileConfig }, account: Account): Promise<boolean> {
    const { config } = profile;
    const session = openSession({ profile, config, account, ...(await this.callOptions()) });
    const asked = session.client(UserService).getMe({});
    return asked.then(
      () => true,
      () => false,
    );
  }
}

function nextStep(access: readonly Access[]): string {
  const [first] = access;
  if (first === undefined) return 'You have no access to a cluster yet: ask an administrator.';
  const reachable = access.slice(0, 10).map(({ clusterName, roleName }) => visible(`${clusterName} (${roleName})`));
  const rest = access.length > reachable.length ? ` and ${access.length - reachable.length} more` : '';
  return `You can reach ${reachable.join(', ')}${rest}.\n  next: clustral kube login ${visible(first.clusterName)}`;
}
