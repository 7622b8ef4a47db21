/** `clustral login [host]`: signs in by browser or device code, and remembers the server and the account once the server knows them. */
import { Option } from 'clipanion';
import { UserService, type Access, type Me } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { chooseAccount } from '../account-choice.ts';
import { openSession } from '../client.ts';
import { flag, usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { CliError, exitCodes } from '../failure.ts';
import { discover } from '../http.ts';
import { lacksBrowser, startSession } from '../new-session.ts';
import {
  accountKey,
  accountsOf,
  openProfile,
  saveProfile,
  type Account,
  type Profile,
  type ProfileConfig,
} from '../profile.ts';
import { profileSummary } from '../profile-summary.ts';
import { serverAddress } from '../server-address.ts';
import { visible } from '../text.ts';
import { caOfFirstContact, fingerprint, readCaFile, serverCas } from '../trust.ts';

export class Login extends ClustralCommand {
  static override paths = [['login']];
  static override argumentHelp = { host: 'address of the server; the last one when left out' };
  static override usage = usageOf('login', {
    details:
      'Every account that signs in is kept beside the others of the profile and becomes the current one:\n--force adds another, clustral accounts use goes back.',
    examples: [
      ['Sign in with a browser', 'clustral login https://clustral.example.com'],
      ['On a machine without one', 'clustral login https://clustral.example.com --device'],
      ['As somebody else too', 'clustral login --force'],
    ],
  });
  host: string | undefined = Option.String({ required: false });
  device: boolean = Option.Boolean('--device', false, flag('', 'show a code to enter on another device'));
  noBrowser: boolean = Option.Boolean('--no-browser', false, flag('', 'print the address, open nothing'));
  force: boolean = Option.Boolean(
    '--force',
    false,
    flag('', 'sign in again, or as somebody else; on this machine take a new CA too'),
  );
  caFile: string | undefined = Option.String('--ca-file', flag('FILE', 'CA of this server, PEM'));
  caPin: string | undefined = Option.String('--ca-pin', flag('SHA256', "fingerprint of the server's CA"));

  async execute(): Promise<number> {
    // Not by --server: here that is the address to sign in to, for the profile in use.
    const variable = this.context.env['CLUSTRAL_PROFILE'];
    const profile = openProfile(this.context.home, { flag: this.profileName, variable });
    const server = serverAddress(this.host ?? this.server, profile.config?.server);
    const { timeoutMs } = await this.callOptions();
    const caPem = await this.trust(server, profile, timeoutMs);
    const discovery = await discover(server, serverCas(caPem), timeoutMs);
    const config: ProfileConfig = { server: server.origin, discovery, ...(caPem === undefined ? {} : { caPem }) };
    const known = this.force ? undefined : this.knownAccount(profile, config);
    const me = known === undefined ? undefined : await this.ask({ ...profile, config }, known);
    if (known !== undefined && me !== undefined) {
      await saveProfile(profile, { ...config, account: accountKey(known) });
      this.say(`Already signed in to ${config.server} as ${visible(known.displayName)}; --force signs in again.`);
      this.say(
        profileSummary({ config, account: known, me, now: this.context.now(), color: this.context.color.stderr }),
      );
      return exitCodes.ok;
    }
    await this.signIn(profile, config);
    return exitCodes.ok;
  }

  private async signIn(profile: Profile, config: ProfileConfig): Promise<void> {
    const { env } = this.context;
    const isAlone = this.noInput || (Boolean(env['CI']) && !this.device && !this.noBrowser);
    if (isAlone)
      throw new CliError(
        exitCodes.signInNeeded,
        'a sign-in needs a person, and nobody is here',
        'run clustral login in a terminal, without --no-input and CI',
      );
    const isRemote = Boolean(env['SSH_CONNECTION']);
    const openBrowser = !this.noBrowser && !lacksBrowser(env);
    if (!this.device && (isRemote || (!this.noBrowser && !openBrowser)))
      this.say(
        `${isRemote ? 'You seem to be connected by SSH' : 'This machine has no browser to open'}: clustral login --device needs none here.\n`,
      );
    const { account, me } = await startSession({
      context: this.context,
      profile,
      config,
      call: await this.callOptions(),
      device: this.device,
      openBrowser,
      askAnew: this.force,
      expected: this.account,
    });
    this.say(`Signed in to ${config.server} as ${visible(account.displayName)}.`);
    if (profile.config !== undefined && profile.config.server !== config.server)
      this.say(`Profile ${profile.name} is for ${config.server} now, no longer for ${profile.config.server}.`);
    this.say(nextStep(me.access));
  }

  /** The account of this server that need not sign in again: the one asked for, else the current one, else the latest. */
  private knownAccount(profile: Profile, { server }: ProfileConfig): Account | undefined {
    const accounts = accountsOf(profile).filter((account) => account.server === server);
    const { account: wanted } = this;
    if (wanted === undefined) {
      const current = profile.config?.account;
      return accounts.find((account) => accountKey(account) === current) ?? accounts[0];
    }
    // Somebody new may be named: then it is a hint for the provider's form.
    const isKnown = accounts.some(({ displayName, username }) => [displayName, username].includes(wanted));
    return isKnown ? chooseAccount(accounts, wanted) : undefined;
  }

  private async trust(server: URL, profile: Profile, timeoutMs: number): Promise<string | undefined> {
    if (this.caFile !== undefined) return readCaFile(this.caFile);
    const saved = profile.config?.server === server.origin ? profile.config.caPem : undefined;
    if (saved !== undefined && this.caPin === undefined && !this.force) return saved;
    const pin = this.caPin === undefined ? {} : { pin: this.caPin };
    const caPem = await caOfFirstContact({ url: server, timeoutMs, ...pin });
    if (caPem !== undefined && caPem !== saved)
      this.say(
        `Trusting the CA of ${server.host} from now on. Compare its SHA-256 with what the server printed:\n\n  ${fingerprint(caPem)}\n`,
      );
    return caPem;
  }

  /** What the server says of the account, or undefined when its session is no longer good. */
  private async ask(profile: Profile & { config: ProfileConfig }, account: Account): Promise<Me | undefined> {
    const { config } = profile;
    const session = openSession({ profile, config, account, ...(await this.callOptions()) });
    const asked = session.client(UserService).getMe({});
    return asked.catch(() => undefined);
  }
}

function nextStep(access: readonly Access[]): string {
  const [first] = access;
  if (first === undefined) return 'You have no access to a cluster yet: ask an administrator.';
  const reachable = access.slice(0, 10).map(({ clusterName, roleName }) => visible(`${clusterName} (${roleName})`));
  const rest = access.length > reachable.length ? ` and ${access.length - reachable.length} more` : '';
  return `You can reach ${reachable.join(', ')}${rest}.\n  next: clustral kube login ${visible(first.clusterName)}`;
}
