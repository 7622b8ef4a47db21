/**
 * The base of every command: the flags that all share, and how a command comes by a session and prints its answer. What a command needs beyond that
 * it imports when it runs, because most of the time of a short command is the loading of code.
 */
import { Command, Option } from 'clipanion';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { chooseAccount } from './account-choice.ts';
import type { Session, SessionOptions } from './client.ts';
import { flag, globalFlags } from './command-table.ts';
import type { CliContext } from './context.ts';
import { CliError, exitCodes } from './failure.ts';
import { formatOf, type Format } from './output.ts';
import {
  accountsOf,
  nobody,
  openProfile,
  requireAccount,
  type Account,
  type Profile,
  type ProfileConfig,
} from './profile.ts';
import { profileFor } from './profiles.ts';
import { serverAddress } from './server-address.ts';
import { resolveSetting, type Resolved, type SettingKey } from './settings.ts';
import { paint } from './style.ts';
import { visible } from './text.ts';

/** What every call to a server is given. */
export type CallOptions = Pick<SessionOptions, 'timeoutMs' | 'now' | 'trace'>;

const longestTimeoutSeconds = 3600;
const { output, profile, account, server, timeout, noInput, noColor, debug } = globalFlags;

export abstract class ClustralCommand extends Command<CliContext> {
  /** What each argument is, for help: `cluster` → `name or id`. */
  static argumentHelp: Readonly<Record<string, string>> = {};

  profileName: string | undefined = Option.String(profile.names, flag(profile.value, profile.text));
  account: string | undefined = Option.String(account.names, flag(account.value, account.text));
  server: string | undefined = Option.String(server.names, flag(server.value, server.text));
  output: string | undefined = Option.String(output.names, flag(output.value, output.text));
  timeout: string | undefined = Option.String(timeout.names, flag(timeout.value, timeout.text));
  debug: boolean = Option.Boolean(debug.names, false, flag('', debug.text));
  noInput: boolean = Option.Boolean(noInput.names, false, flag('', noInput.text));
  noColor: boolean = Option.Boolean(noColor.names, false, flag('', noColor.text));

  /** Flags that every command takes are right or wrong for every command, whether it uses them or not. */
  override async validateAndExecute(): Promise<number> {
    formatOf(this.setting('output').value);
    if (this.timeout !== undefined) await this.timeoutMs();
    if (this.isTraced) await this.traceSettings();
    return super.validateAndExecute();
  }

  /** The value of a setting for this command, with its source. */
  protected setting(key: SettingKey): Resolved {
    const { home, env } = this.context;
    const flags: Partial<Record<SettingKey, string | undefined>> = {
      profile: this.profileName,
      output: this.output,
      timeout: this.timeout,
    };
    const variable = key === 'profile' ? (['CLUSTRAL_PROFILE', env['CLUSTRAL_PROFILE']] as const) : undefined;
    return resolveSetting(home, key, { flag: flags[key], ...(variable === undefined ? {} : { variable }) });
  }

  protected get format(): Format {
    return formatOf(this.setting('output').value);
  }

  /** The profile that was chosen by name, or with `--server` the one that is for that server. */
  protected openProfile(): Profile {
    const { home, env } = this.context;
    const chosen = openProfile(home, { flag: this.profileName, variable: env['CLUSTRAL_PROFILE'] });
    if (this.server === undefined) return chosen;
    const found = profileFor(home, serverAddress(this.server, undefined), chosen);
    if (this.profileName === undefined || found.name === chosen.name) return found;
    throw new CliError(exitCodes.usage, `profile ${chosen.name} is not for that server`, `--profile ${found.name}`);
  }

  /** Who this command acts for: `--account`, else the profile's current account. Throws exit code 4 when nobody is signed in. */
  protected signedIn(opened: Profile): { config: ProfileConfig; account: Account } {
    if (this.account === undefined) return requireAccount(opened);
    const { config } = opened;
    if (config === undefined) throw nobody(opened);
    const chosen = chooseAccount(accountsOf(opened), this.account);
    if (chosen.server === config.server) return { config, account: chosen };
    throw new CliError(
      exitCodes.conflict,
      `that account is of ${chosen.server}, and profile ${opened.name} is for ${config.server} now`,
      `clustral login ${chosen.server}`,
    );
  }

  /** A session of the account. Throws exit code 4 when nobody is signed in; offers a new sign-in first where somebody can be asked. */
  protected async openSession(): Promise<Session> {
    const opened = this.openProfile();
    const { config, account: known } = this.signedIn(opened);
    const call = await this.callOptions();
    if (this.isTraced) this.trace(`${known.displayName} on ${config.server}, profile ${opened.name}`);
    const { openSession } = await import('./client.ts');
    const session = openSession({ profile: opened, config, account: known, ...call });
    if (!this.mayOfferSignIn) return session;
    try {
      await session.ensureSignedIn();
      return session;
    } catch (cause) {
      if (!(cause instanceof CliError) || cause.exitCode !== exitCodes.signInNeeded) throw cause;
      const { signInAgain } = await import('./sign-in-again.ts');
      const renewed = await signInAgain({ context: this.context, profile: opened, config, account: known, call });
      if (renewed === undefined) throw cause;
      if (this.account !== undefined) chooseAccount([renewed], this.account);
      return openSession({ profile: opened, config, account: renewed, ...call });
    }
  }

  /** True when a session that has ended may be answered with a question. */
  protected get mayOfferSignIn(): boolean {
    return this.context.isInteractive && !this.noInput && this.setting('auto-login').value === 'ask';
  }

  /** What every session is given: deadline, clock, trace. */
  protected async callOptions(): Promise<CallOptions> {
    const call = { timeoutMs: await this.timeoutMs(), now: this.context.now };
    if (!this.isTraced) return call;
    const { tracing } = await import('./debug.ts');
    return { ...call, trace: tracing((line) => this.trace(line)) };
  }

  private async timeoutMs(): Promise<number> {
    const { parseDuration } = await import('@clustral/schemas/duration.ts');
    const { value } = this.setting('timeout');
    return parseDuration(value, { field: '--timeout', maxSeconds: longestTimeoutSeconds }) * 1000;
  }

  private get isTraced(): boolean {
    return this.debug || Boolean(this.context.env['CLUSTRAL_DEBUG']);
  }

  private trace(line: string): void {
    this.say(`debug: ${visible(line)}`);
  }

  private async traceSettings(): Promise<void> {
    const shown = (['profile', 'output', 'timeout'] as const).map((key) => {
      const { value, source, from = source } = this.setting(key);
      return `${key} ${value} (${from})`;
    });
    this.trace(shown.join(', '));
    const { traceHttp } = await import('./debug.ts');
    traceHttp((line) => this.trace(line));
  }

  protected say(line: string): void {
    this.context.stderr.write(`${line}\n`);
  }

  protected warn(line: string): void {
    this.say(`${paint(this.context.color.stderr, 'warn', 'warning:')} ${line}`);
  }
}

/** A message as the JSON that `-o json` prints. */
export async function asJson(schema: DescMessage, message: Message): Promise<Record<string, unknown>> {
  const { toRestJson } = await import('@clustral/schemas/rest-json.ts');
  return toRestJson(schema, message) as Record<string, unknown>;
}
