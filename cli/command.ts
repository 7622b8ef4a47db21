/**
 * The base of every command: the flags that all share, and how a command comes by a session and prints its answer. What a command needs beyond that
 * it imports when it runs, because most of the time of a short command is the loading of code.
 */
import { Command, Option } from 'clipanion';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import type { Session } from './client.ts';
import { flag, globalFlags } from './command-table.ts';
import type { CliContext } from './context.ts';
import { formatOf, type Format } from './output.ts';
import { openProfile, requireAccount, type Profile } from './profile.ts';
import { paint } from './style.ts';

const longestTimeoutSeconds = 3600;
const { output, profile, timeout, noInput, noColor, debug } = globalFlags;

export abstract class ClustralCommand extends Command<CliContext> {
  /** What each argument is, for help: `cluster` → `name or id`. */
  static argumentHelp: Readonly<Record<string, string>> = {};

  profileName: string | undefined = Option.String(profile.names, flag(profile.value, profile.text));
  output: string = Option.String(output.names, 'table', flag(output.value, output.text));
  timeout: string = Option.String(timeout.names, '30s', flag(timeout.value, timeout.text));
  debug: boolean = Option.Boolean(debug.names, false, flag('', debug.text));
  noInput: boolean = Option.Boolean(noInput.names, false, flag('', noInput.text));
  noColor: boolean = Option.Boolean(noColor.names, false, flag('', noColor.text));

  protected get format(): Format {
    return formatOf(this.output);
  }

  protected openProfile(): Profile {
    return openProfile(this.context.home, this.profileName ?? this.context.env['CLUSTRAL_PROFILE']);
  }

  /** A session of the signed-in account. Throws exit code 4 when nobody is signed in, 2 for a format that nobody knows. */
  protected async openSession(): Promise<Session> {
    formatOf(this.output);
    const opened = this.openProfile();
    const signedIn = requireAccount(opened);
    const { openSession } = await import('./client.ts');
    return openSession({ profile: opened, ...signedIn, ...(await this.callOptions()) });
  }

  /** What every session is given: deadline, clock, trace. */
  protected async callOptions(): Promise<{ timeoutMs: number; now: () => Date; trace?: (line: string) => void }> {
    const { parseDuration } = await import('@clustral/schemas/duration.ts');
    const { visible } = await import('./text.ts');
    const timeoutMs = parseDuration(this.timeout, { field: '--timeout', maxSeconds: longestTimeoutSeconds }) * 1000;
    const isTraced = this.debug || Boolean(this.context.env['CLUSTRAL_DEBUG']);
    return {
      timeoutMs,
      now: this.context.now,
      ...(isTraced ? { trace: (line: string) => this.say(`debug: ${visible(line)}`) } : {}),
    };
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
